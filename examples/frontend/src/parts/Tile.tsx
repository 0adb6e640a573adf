import { Link } from "react-router";
import type { Reading } from "../api";
import { plain } from "../format";
import type { Series } from "../series";
import { Sparkline } from "./Sparkline";

interface Props {
  series: Series;
  newest: Reading;
}

/** One station: its newest values, and the way to its page. */
export function Tile({ series, newest }: Props) {
  return (
    <li>
      <Link className="tile" to={`/stations/${encodeURIComponent(series.station)}`} data-testid="station-tile">
        <span className="tile-name">
          <span className={`swatch series-${series.color}`} aria-hidden="true" />
          {series.station}
        </span>
        <span className="tile-value">
          {plain(newest.temperature_celsius)}
          <small> °C</small>
        </span>
        <Sparkline series={series} />
        <span className="tile-note">{plain(newest.humidity_percent, 0)} % humidity</span>
      </Link>
    </li>
  );
}
