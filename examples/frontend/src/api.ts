/** One measurement, as the API sends it; `measured_at` is ISO 8601 in UTC. */
export interface Reading {
  station: string;
  measured_at: string;
  temperature_celsius: number;
  humidity_percent: number;
}

/** What the table holds; `newest` is null while it is empty. */
export interface Summary {
  rows: number;
  newest: string | null;
  stations: string[];
}

/** The API did not answer, or with an error; the message is for people. */
export class ApiError extends Error {}

async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError("The service cannot be reached.");
  }
  if (!answer.ok) {
    const body = (await answer.json().catch(() => null)) as { error?: string } | null;
    throw new ApiError(body?.error ?? `The service answers with error ${answer.status}.`);
  }
  return (await answer.json()) as T;
}

/** The newest readings after `since`, oldest first. */
export async function fetchReadings(since: string | null, limit: number, signal: AbortSignal): Promise<Reading[]> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (since) query.set("since", since);
  return (await get<{ readings: Reading[] }>(`/api/readings?${query}`, signal)).readings;
}

export function fetchSummary(signal: AbortSignal): Promise<Summary> {
  return get<Summary>("/api/summary", signal);
}
