import { expect, test } from "vitest";
import { ago, count, plain, withUnit } from "./format";

test("a negative value has a real minus sign, and zero has none", () => {
  expect([plain(-1.25), plain(-0.04), plain(3)]).toEqual(["−1.3", "0.0", "3.0"]);
});

test("temperature has one decimal, humidity none", () => {
  expect([withUnit(3.44, "temperature"), withUnit(61.4, "humidity")]).toEqual(["3.4 °C", "61 %"]);
});

test("large counts are grouped", () => {
  expect(count(1234567)).toBe("1,234,567");
});

test.each([
  [0, "just now"],
  [-5, "just now"],
  [12, "12 s ago"],
  [59, "59 s ago"],
  [60, "1 min ago"],
  [7200, "2 h ago"],
])("%i seconds are %s", (seconds, words) => {
  expect(ago(0, seconds * 1000)).toBe(words);
});
