import { useEffect, useState } from "react";
import { ApiError, fetchReadings, fetchSummary, type Reading, type Summary } from "./api";
import { merge } from "./series";

export const POLL_MILLISECONDS = 4000;
const LIMIT = 2000;

export interface Feed {
  readings: Reading[];
  /** null until the first answer */
  summary: Summary | null;
  /** what went wrong in the last attempt; earlier readings stay */
  error: string | null;
}

/** Ask the API every few seconds: everything once, then only what is new. Rests while the page is hidden. */
export function useReadings(): Feed {
  const [feed, setFeed] = useState<Feed>({ readings: [], summary: null, error: null });

  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let known: Reading[] = [];

    async function round() {
      try {
        const since = known[known.length - 1]?.measured_at ?? null;
        const [fresh, summary] = await Promise.all([
          fetchReadings(since, LIMIT, stop.signal),
          fetchSummary(stop.signal),
        ]);
        known = merge(known, fresh);
        setFeed({ readings: known, summary, error: null });
      } catch (error) {
        if (stop.signal.aborted) return;
        const message = error instanceof ApiError ? error.message : "The service's answer makes no sense.";
        setFeed((before) => ({ ...before, error: message }));
      }
      if (!stop.signal.aborted && !document.hidden) timer = setTimeout(round, POLL_MILLISECONDS);
    }

    function wake() {
      clearTimeout(timer);
      if (!document.hidden) void round();
    }

    document.addEventListener("visibilitychange", wake);
    void round();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
    };
  }, []);

  return feed;
}

/** The time now, in milliseconds, renewed every second. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
