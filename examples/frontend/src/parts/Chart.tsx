import { scaleLinear, scaleTime } from "d3-scale";
import { area, curveMonotoneX, line } from "d3-shape";
import { useId, useMemo, useState, type KeyboardEvent, type PointerEvent } from "react";
import { NAMES, UNITS, plain, shortTime, time, withUnit } from "../format";
import { nearest, spread, valueRange, type Point, type Quantity, type Series } from "../series";
import { useWidth } from "../useWidth";

const LEAST: Record<Quantity, number> = { temperature: 2, humidity: 5 };
const MARGIN = { top: 26, bottom: 28, left: 40 };
const LABEL_GAP = 17;

interface Props {
  series: Series[];
  quantity: Quantity;
  height?: number;
}

/** Lines over time, each labelled at its end. Pointer or arrow keys move a cross-hair. */
export function Chart({ series, quantity, height = 340 }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>(800);
  const [cursor, setCursor] = useState<number | null>(null);
  const gradient = useId();

  const labelled = series.length > 1 && width >= 560;
  const right = labelled ? 108 : 14;
  const inner = { width: Math.max(width - MARGIN.left - right, 40), height: height - MARGIN.top - MARGIN.bottom };

  const times = useMemo(
    () => [...new Set(series.flatMap((one) => one.points.map((point) => point.time)))].sort((a, b) => a - b),
    [series],
  );
  const first = times[0] ?? 0;
  const last = times[times.length - 1] ?? 1;
  // A single moment still needs a width to stand in.
  const x = scaleTime([first === last ? last - 60_000 : first, last], [0, inner.width]);
  const y = scaleLinear(valueRange(series, LEAST[quantity]), [inner.height, 0]);

  const path = line<Point>((point) => x(point.time), (point) => y(point.value)).curve(curveMonotoneX);
  const fill = area<Point>((point) => x(point.time), inner.height, (point) => y(point.value)).curve(curveMonotoneX);

  const ends = series.map((one) => one.points[one.points.length - 1]!);
  const labels = spread(ends.map((point) => y(point.value)), LABEL_GAP, inner.height);
  const ticks = x.ticks(Math.max(2, Math.floor(inner.width / 110)));
  const seconds = last - first < 3 * 60_000;

  function follow(event: PointerEvent<SVGRectElement>) {
    const box = event.currentTarget.getBoundingClientRect();
    setCursor(snap(x.invert(event.clientX - box.left).getTime()));
  }

  function step(event: KeyboardEvent) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") setCursor(null);
    if (!by) return;
    event.preventDefault();
    const at = times.indexOf(snap(cursor ?? last) ?? last);
    setCursor(times[Math.min(Math.max(at + by, 0), times.length - 1)] ?? null);
  }

  const snap = (moment: number): number | null =>
    nearest(times.map((one) => ({ time: one, value: 0 })), moment)?.time ?? null;

  const summary = `${NAMES[quantity]} over time. ${series
    .map((one, index) => `${one.station}: now ${withUnit(ends[index]!.value, quantity)}`)
    .join("; ")}.`;

  return (
    <div className="chart" ref={frame} data-testid="chart" data-points={times.length}>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={summary}
        tabIndex={0}
        onKeyDown={step}
        onBlur={() => setCursor(null)}
      >
        <defs>
          <linearGradient id={gradient} x1="0" y1="0" x2="0" y2="1" className={`series-${series[0]?.color}`}>
            <stop offset="0" className="chart-fill-top" />
            <stop offset="1" className="chart-fill-bottom" />
          </linearGradient>
        </defs>
        <g transform={`translate(${MARGIN.left},${MARGIN.top})`}>
          {y.ticks(5).map((tick) => (
            <g key={tick} transform={`translate(0,${y(tick)})`}>
              <line x2={inner.width} className="chart-grid" />
              <text x={-10} dy="0.32em" className="chart-tick" textAnchor="end">
                {plain(tick, Number.isInteger(tick) ? 0 : 1)}
              </text>
            </g>
          ))}
          <text x={-10} y={-14} className="chart-tick" textAnchor="end">
            {UNITS[quantity]}
          </text>
          {ticks.map((tick) => (
            <text key={+tick} x={x(tick)} y={inner.height + 20} className="chart-tick" textAnchor="middle">
              {seconds ? time(+tick) : shortTime(+tick)}
            </text>
          ))}
          {series.length === 1 && (
            <path d={fill(series[0]!.points) ?? ""} fill={`url(#${gradient})`} />
          )}
          {series.map((one) => (
            <path key={one.station} d={path(one.points) ?? ""} className={`chart-line series-${one.color}`} />
          ))}
          {cursor === null &&
            series.map((one, index) => (
              <circle
                key={one.station}
                className={`chart-dot series-${one.color}`}
                cx={x(ends[index]!.time)}
                cy={y(ends[index]!.value)}
                r={4}
              />
            ))}
          {labelled &&
            series.map((one, index) => (
              <text
                key={one.station}
                className={`chart-label series-${one.color}`}
                x={inner.width + 12}
                y={labels[index]}
                dy="0.32em"
              >
                {one.station}
              </text>
            ))}
          {cursor !== null && <line x1={x(cursor)} x2={x(cursor)} y2={inner.height} className="chart-cursor" />}
          {cursor !== null &&
            series.map((one) => {
              const point = nearest(one.points, cursor);
              return point ? (
                <circle
                  key={one.station}
                  className={`chart-dot series-${one.color}`}
                  cx={x(point.time)}
                  cy={y(point.value)}
                  r={4.5}
                />
              ) : null;
            })}
          <rect
            width={inner.width}
            height={inner.height}
            className="chart-touch"
            onPointerMove={follow}
            onPointerDown={follow}
            onPointerLeave={() => setCursor(null)}
          />
        </g>
      </svg>
      {cursor !== null && (
        <Tip series={series} quantity={quantity} moment={cursor} left={MARGIN.left + x(cursor)} width={width} />
      )}
    </div>
  );
}

interface TipProps {
  series: Series[];
  quantity: Quantity;
  moment: number;
  left: number;
  width: number;
}

/** The values under the cross-hair, highest first; on the side where there is room. */
function Tip({ series, quantity, moment, left, width }: TipProps) {
  const rows = series
    .map((one) => ({ ...one, point: nearest(one.points, moment) }))
    .filter((row) => row.point)
    .sort((a, b) => b.point!.value - a.point!.value);
  const onLeft = left > width / 2;
  return (
    <div
      className="chart-tip"
      role="status"
      style={onLeft ? { right: width - left + 14 } : { left: left + 14 }}
    >
      <strong>{time(moment)}</strong>
      {rows.map((row) => (
        <div key={row.station} className="chart-tip-row">
          <span className={`swatch series-${row.color}`} aria-hidden="true" />
          <span>{row.station}</span>
          <b>{withUnit(row.point!.value, quantity)}</b>
        </div>
      ))}
    </div>
  );
}
