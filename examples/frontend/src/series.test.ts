import { expect, test } from "vitest";
import type { Reading } from "./api";
import { COLORS, merge, nearest, spread, toSeries, valueRange } from "./series";

const at = (station: string, minute: number, temperature = 5, humidity = 60): Reading => ({
  station,
  measured_at: new Date(Date.UTC(2026, 10, 22, 12, minute)).toISOString().replace(".000Z", "Z"),
  temperature_celsius: temperature,
  humidity_percent: humidity,
});

test("a reading that is known already is not added again", () => {
  const known = merge([], [at("Seoul", 0), at("Seoul", 1)]);
  expect(merge(known, [at("Seoul", 1), at("Seoul", 2)]).map((one) => one.measured_at.slice(14, 16))).toEqual([
    "00",
    "01",
    "02",
  ]);
});

test("nothing new leaves the very same list, so that nothing is drawn again", () => {
  const known = merge([], [at("Seoul", 0)]);
  expect(merge(known, [at("Seoul", 0)])).toBe(known);
});

test("readings that come late stand in their place", () => {
  const readings = merge([at("Seoul", 2)], [at("Busan", 1)]);
  expect(readings.map((one) => one.station)).toEqual(["Busan", "Seoul"]);
});

test("what left the window is dropped, counted from the newest reading and not from the clock", () => {
  expect(merge([at("Seoul", 0)], [at("Seoul", 10), at("Seoul", 20)], 15)).toEqual([at("Seoul", 10), at("Seoul", 20)]);
});

test("stations stand in the alphabet's order and take their colours by it", () => {
  const series = toSeries([at("Seoul", 0), at("Busan", 0)], "temperature");
  expect(series.map((one) => [one.station, one.color])).toEqual([
    ["Busan", 0],
    ["Seoul", 1],
  ]);
});

test("more stations than colours begin again with the first", () => {
  const stations = Array.from({ length: COLORS + 1 }, (_, index) => at(`S${index}`, 0));
  expect(toSeries(stations, "humidity").at(-1)?.color).toBe(0);
});

test("the quantity decides which value is drawn", () => {
  const readings = [at("Seoul", 0, 3.4, 61)];
  expect(toSeries(readings, "temperature")[0]!.points[0]!.value).toBe(3.4);
  expect(toSeries(readings, "humidity")[0]!.points[0]!.value).toBe(61);
});

test("a flat line keeps a range around it", () => {
  const [low, high] = valueRange(toSeries([at("Seoul", 0, 5), at("Seoul", 1, 5)], "temperature"), 2);
  expect(low).toBeLessThanOrEqual(4);
  expect(high).toBeGreaterThanOrEqual(6);
});

test("no series has a range all the same", () => {
  expect(valueRange([], 2)).toEqual([0, 2]);
});

test("the nearest point is found on either side", () => {
  const points = [10, 20, 30].map((time) => ({ time, value: 0 }));
  expect([nearest(points, 12)?.time, nearest(points, 19)?.time, nearest([], 5)]).toEqual([10, 20, undefined]);
});

test("labels that would overlap move apart and stay inside", () => {
  const placed = spread([98, 99, 10], 15, 100);
  expect(placed[2]).toBe(10);
  expect(Math.abs(placed[0]! - placed[1]!)).toBeGreaterThanOrEqual(15);
  expect(Math.max(...placed)).toBeLessThanOrEqual(100);
});
