import type { Reading } from "./api";

/** What can be drawn. */
export type Quantity = "temperature" | "humidity";

export interface Point {
  time: number;
  value: number;
}

/** One station's points, oldest first. `color` is the index of its colour. */
export interface Series {
  station: string;
  color: number;
  points: Point[];
}

export const WINDOW_MINUTES = 10;
export const COLORS = 6;

const key = (reading: Reading) => `${reading.measured_at} ${reading.station}`;

/** Add what is new to what is known, each reading once, oldest first; drop what left the window. */
export function merge(known: Reading[], fresh: Reading[], windowMinutes = WINDOW_MINUTES): Reading[] {
  const seen = new Set(known.map(key));
  const added = fresh.filter((reading) => !seen.has(key(reading)));
  if (added.length === 0) return known;
  const all = [...known, ...added].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const newest = Date.parse(all[all.length - 1]!.measured_at);
  const oldest = newest - windowMinutes * 60_000;
  return all.filter((reading) => Date.parse(reading.measured_at) >= oldest);
}

export const valueOf = (reading: Reading, quantity: Quantity): number =>
  quantity === "temperature" ? reading.temperature_celsius : reading.humidity_percent;

/** One series for each station, in the alphabet's order, so that a station keeps its colour. */
export function toSeries(readings: Reading[], quantity: Quantity): Series[] {
  const byStation = new Map<string, Point[]>();
  for (const reading of readings) {
    const points = byStation.get(reading.station) ?? [];
    points.push({ time: Date.parse(reading.measured_at), value: valueOf(reading, quantity) });
    byStation.set(reading.station, points);
  }
  return [...byStation.keys()]
    .sort((a, b) => a.localeCompare(b))
    .map((station, index) => ({ station, color: index % COLORS, points: byStation.get(station)! }));
}

/** The lowest and highest value with some air, at least `least` apart: a flat line should look flat. */
export function valueRange(series: Series[], least: number): [number, number] {
  const values = series.flatMap((one) => one.points.map((point) => point.value));
  if (values.length === 0) return [0, least];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const missing = Math.max(0, least - (high - low)) / 2;
  const air = (high - low + 2 * missing) * 0.08;
  return [low - missing - air, high + missing + air];
}

/** The point nearest to a time, or undefined when there are none. */
export function nearest(points: Point[], time: number): Point | undefined {
  let best: Point | undefined;
  for (const point of points) {
    if (!best || Math.abs(point.time - time) < Math.abs(best.time - time)) best = point;
  }
  return best;
}

/** Move labels apart so that none stands less than `gap` below the one above, keeping them within [0, bottom]. */
export function spread(positions: number[], gap: number, bottom: number): number[] {
  const order = positions.map((_, index) => index).sort((a, b) => positions[a]! - positions[b]!);
  const placed = [...positions];
  let free = 0;
  for (const index of order) {
    placed[index] = Math.max(positions[index]!, free);
    free = placed[index]! + gap;
  }
  let limit = bottom;
  for (const index of order.reverse()) {
    placed[index] = Math.min(placed[index]!, limit);
    limit = placed[index]! - gap;
  }
  return placed;
}
