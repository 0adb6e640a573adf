import { useEffect, useMemo } from "react";
import { Link, useParams } from "react-router";
import { plain, time } from "../format";
import { Chart } from "../parts/Chart";
import { Notice } from "../parts/Notice";
import { toSeries } from "../series";
import type { Feed } from "../useReadings";

const ROWS = 8;

/** One station: its newest values large, both quantities over time, the last readings as a table. */
export function Station({ feed }: { feed: Feed }) {
  const { name = "" } = useParams();
  const own = useMemo(() => feed.readings.filter((reading) => reading.station === name), [feed.readings, name]);
  const one = (quantity: "temperature" | "humidity") =>
    toSeries(feed.readings, quantity).filter((series) => series.station === name);
  const newest = own[own.length - 1];

  useEffect(() => {
    document.title = `${name} · Nalssi`;
    return () => {
      document.title = "Nalssi · readings";
    };
  }, [name]);

  return (
    <>
      <Link className="back" to="/">
        ← All stations
      </Link>
      <h1 className="lead" data-testid="station-heading">
        {name}
      </h1>
      {newest ? (
        <>
          <dl className="figures">
            <div>
              <dt>Temperature</dt>
              <dd>
                {plain(newest.temperature_celsius)}
                <small> °C</small>
              </dd>
            </div>
            <div>
              <dt>Humidity</dt>
              <dd>
                {plain(newest.humidity_percent, 0)}
                <small> %</small>
              </dd>
            </div>
          </dl>
          <div className="pair">
            <section className="card" aria-label="Temperature">
              <h2>Temperature</h2>
              <Chart series={one("temperature")} quantity="temperature" height={240} />
            </section>
            <section className="card" aria-label="Humidity">
              <h2>Humidity</h2>
              <Chart series={one("humidity")} quantity="humidity" height={240} />
            </section>
          </div>
          <section className="card">
            <table data-testid="readings-table">
              <caption>Last readings</caption>
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  <th scope="col">Temperature, °C</th>
                  <th scope="col">Humidity, %</th>
                </tr>
              </thead>
              <tbody>
                {own
                  .slice(-ROWS)
                  .reverse()
                  .map((reading) => (
                    <tr key={reading.measured_at}>
                      <td>
                        <time dateTime={reading.measured_at}>{time(Date.parse(reading.measured_at))}</time>
                      </td>
                      <td>{plain(reading.temperature_celsius)}</td>
                      <td>{plain(reading.humidity_percent)}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </section>
        </>
      ) : (
        <Notice title="Nothing from here" testid="no-station">
          No reading of a station called “{name}” came in lately.
        </Notice>
      )}
    </>
  );
}
