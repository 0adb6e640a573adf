import { scaleLinear } from "d3-scale";
import { curveMonotoneX, line } from "d3-shape";
import { valueRange, type Point, type Series } from "../series";

const WIDTH = 200;
const HEIGHT = 44;

/** How many of the newest points it draws: more would be a scribble at this size. */
const POINTS = 30;

/** A station's line without axes: only which way it goes. */
export function Sparkline({ series }: { series: Series }) {
  const points = series.points.slice(-POINTS);
  const first = points[0]!.time;
  const last = points[points.length - 1]!.time;
  const x = scaleLinear([first, Math.max(last, first + 1)], [2, WIDTH - 2]);
  const y = scaleLinear(valueRange([{ ...series, points }], 1), [HEIGHT - 2, 2]);
  const path = line<Point>((point) => x(point.time), (point) => y(point.value)).curve(curveMonotoneX);
  return (
    <svg className="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path(points) ?? ""} className={`chart-line series-${series.color}`} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
