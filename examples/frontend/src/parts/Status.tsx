import { ago, count, time } from "../format";
import { useNow, type Feed } from "../useReadings";

/** Whether the data is alive, the newest reading's time, the count of rows. */
export function Status({ feed }: { feed: Feed }) {
  const now = useNow();
  const newest = feed.summary?.newest ? Date.parse(feed.summary.newest) : null;
  const state = feed.error ? "away" : newest === null ? "waiting" : now - newest > 60_000 ? "quiet" : "live";
  const words = { away: "Offline", waiting: "Waiting", quiet: "Quiet", live: "Live" }[state];
  return (
    <dl className="status" data-testid="status" data-state={state}>
      <div className={`pill pill-${state}`}>
        <dt className="hidden">State</dt>
        <dd>{words}</dd>
      </div>
      <div>
        <dt>Newest</dt>
        <dd>
          {newest === null ? (
            "none yet"
          ) : (
            <time dateTime={feed.summary!.newest!} data-testid="newest" title={ago(newest, now)}>
              {time(newest)}
            </time>
          )}
        </dd>
      </div>
      <div>
        <dt>Readings stored</dt>
        <dd data-testid="row-count" data-rows={feed.summary?.rows ?? ""}>
          {feed.summary ? count(feed.summary.rows) : "…"}
        </dd>
      </div>
    </dl>
  );
}
