import { useMemo, useState } from "react";
import { Chart } from "../parts/Chart";
import { Choice } from "../parts/Choice";
import { Tile } from "../parts/Tile";
import { toSeries, WINDOW_MINUTES, type Quantity } from "../series";
import type { Feed } from "../useReadings";

/** All stations together. */
export function Overview({ feed }: { feed: Feed }) {
  const [quantity, setQuantity] = useState<Quantity>("temperature");
  const temperatures = useMemo(() => toSeries(feed.readings, "temperature"), [feed.readings]);
  const drawn = useMemo(() => toSeries(feed.readings, quantity), [feed.readings, quantity]);
  const newest = useMemo(() => new Map(feed.readings.map((reading) => [reading.station, reading])), [feed.readings]);

  return (
    <>
      <h1 className="lead">The weather in Korea, as it comes in</h1>
      <section className="card" aria-labelledby="chart-title">
        <header className="card-head">
          <h2 id="chart-title">Last {WINDOW_MINUTES} minutes</h2>
          <Choice value={quantity} onChange={setQuantity} />
        </header>
        <Chart series={drawn} quantity={quantity} />
      </section>
      <ul className="tiles" aria-label="Stations">
        {temperatures.map((series) => (
          <Tile key={series.station} series={series} newest={newest.get(series.station)!} />
        ))}
      </ul>
    </>
  );
}
