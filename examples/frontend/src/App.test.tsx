import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Reading } from "./api";
import { App } from "./App";
import { POLL_MILLISECONDS } from "./useReadings";

const NOON = Date.UTC(2026, 10, 22, 12);

let rows: Reading[];
let answer: () => Response | undefined;
let asked: string[];

function measure(second: number) {
  const measured_at = new Date(NOON + second * 1000).toISOString().replace(".000Z", "Z");
  for (const [station, temperature] of [["Seoul", 6], ["Hallasan", -3.5]] as const) {
    rows.push({ station, measured_at, temperature_celsius: temperature, humidity_percent: 60 });
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOON, toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  rows = [];
  asked = [];
  answer = () => undefined;
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    const url = new URL(path, "http://localhost");
    const other = answer();
    if (other) return other;
    if (url.pathname === "/api/summary") {
      return Response.json({ rows: rows.length, newest: rows.at(-1)?.measured_at ?? null, stations: [] });
    }
    const since = url.searchParams.get("since") ?? "";
    return Response.json({ readings: rows.filter((row) => row.measured_at > since) });
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function open(path = "/") {
  render(
    <MemoryRouter initialEntries={[path]}>
      <App />
    </MemoryRouter>,
  );
  await settle(0);
}

const settle = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds));

test("rows that were not there a moment ago appear by themselves", async () => {
  measure(0);
  await open();
  expect(screen.getByTestId("row-count").textContent).toBe("2");
  measure(4);
  await settle(POLL_MILLISECONDS);
  expect(screen.getByTestId("row-count").textContent).toBe("4");
  expect(screen.getByTestId("newest").getAttribute("datetime")).toBe("2026-11-22T12:00:04Z");
  expect(screen.getByTestId("chart").dataset.points).toBe("2");
});

test("after the first time only what is new is asked for", async () => {
  measure(0);
  await open();
  await settle(POLL_MILLISECONDS);
  const questions = asked.filter((path) => path.startsWith("/api/readings"));
  expect(questions[0]).not.toContain("since");
  expect(decodeURIComponent(questions[1]!)).toContain("since=2026-11-22T12:00:00Z");
});

test("an empty table is not an error", async () => {
  await open();
  expect(screen.getByTestId("empty")).toBeTruthy();
  expect(screen.getByTestId("status").dataset.state).toBe("waiting");
});

test("an error says what the service says, and is gone when the service is back", async () => {
  measure(0);
  answer = () => Response.json({ error: "The database does not answer." }, { status: 503 });
  await open();
  expect(screen.getByTestId("error").textContent).toContain("The database does not answer.");
  answer = () => undefined;
  await settle(POLL_MILLISECONDS);
  expect(screen.queryByTestId("error")).toBeNull();
  expect(screen.getAllByTestId("station-tile")).toHaveLength(2);
});

test("readings that came in stay while the service is away", async () => {
  measure(0);
  await open();
  answer = () => new Response("<html>Bad gateway</html>", { status: 502 });
  await settle(POLL_MILLISECONDS);
  expect(screen.getByTestId("error-banner").textContent).toContain("error 502");
  expect(screen.getAllByTestId("station-tile")).toHaveLength(2);
});

test("a deep link shows its station alone", async () => {
  measure(0);
  await open("/stations/Hallasan");
  expect(screen.getByTestId("station-heading").textContent).toBe("Hallasan");
  expect(within(screen.getByTestId("readings-table")).getByText("−3.5")).toBeTruthy();
  expect(document.title).toContain("Hallasan");
});

test("a station that sends nothing is said to", async () => {
  measure(0);
  await open("/stations/Atlantis");
  expect(screen.getByTestId("no-station").textContent).toContain("Atlantis");
});

test("an address that leads nowhere leads home", async () => {
  measure(0);
  await open("/nonsense");
  expect(within(screen.getByTestId("lost")).getByRole("link").getAttribute("href")).toBe("/");
});

test("the other quantity is a press away, and the chart says in words what it shows", async () => {
  measure(0);
  await open();
  expect(screen.getByLabelText(/^Temperature over time.*Hallasan: now −3.5 °C/)).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Humidity" }));
  expect(screen.getByLabelText(/^Humidity over time.*Seoul: now 60 %/)).toBeTruthy();
});

test("arrow keys move the cross-hair and Escape takes it away", async () => {
  measure(0);
  measure(4);
  await open();
  const chart = screen.getByLabelText(/^Temperature over time/);
  fireEvent.keyDown(chart, { key: "ArrowLeft" });
  expect(document.querySelector(".chart-tip strong")).toBeTruthy();
  fireEvent.keyDown(chart, { key: "Escape" });
  expect(document.querySelector(".chart-tip")).toBeNull();
});
