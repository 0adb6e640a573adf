import type { Quantity } from "./series";

const numbers = new Intl.NumberFormat("en-GB");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export const count = (value: number): string => numbers.format(value);

/** The visitor's local time, to the second. */
export const time = (moment: number): string => clock.format(moment);
export const shortTime = (moment: number): string => minute.format(moment);

export const UNITS: Record<Quantity, string> = { temperature: "°C", humidity: "%" };
export const NAMES: Record<Quantity, string> = { temperature: "Temperature", humidity: "Humidity" };

/** A value with a real minus sign and one decimal, without its unit. */
export const plain = (value: number, digits = 1): string => value.toFixed(digits).replace(/^-(?=.*[1-9])/, "−").replace(/^-/, "");

export const withUnit = (value: number, quantity: Quantity): string =>
  quantity === "temperature" ? `${plain(value)} °C` : `${plain(value, 0)} %`;

/** How long ago, in words: "just now", "12 s ago", "3 min ago", "2 h ago". */
export function ago(moment: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - moment) / 1000));
  if (seconds < 3) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.floor(seconds / 3600)} h ago`;
}
