import { Link, Route, Routes } from "react-router";
import { Overview } from "./pages/Overview";
import { Station } from "./pages/Station";
import { Notice } from "./parts/Notice";
import { Status } from "./parts/Status";
import { useReadings, type Feed } from "./useReadings";

/** The frame of every page; all pages share one feed of readings. */
export function App() {
  const feed = useReadings();
  return (
    <div className="page">
      <header className="top">
        <Link to="/" className="brand">
          <img src="/favicon.svg" alt="" width="30" height="30" />
          <span>Nalssi</span>
        </Link>
        <Status feed={feed} />
      </header>
      <main>
        {feed.error && feed.readings.length > 0 && (
          <p className="banner" role="alert" data-testid="error-banner">
            {feed.error} What you see is the last that came in.
          </p>
        )}
        <Routes>
          <Route path="/" element={<Filled feed={feed} page={Overview} />} />
          <Route path="/stations/:name" element={<Filled feed={feed} page={Station} />} />
          <Route path="*" element={<Lost />} />
        </Routes>
      </main>
      <footer className="foot">
        Collected from an outside service, stored in MySQL, served by a backend in a private subnet.
      </footer>
    </div>
  );
}

/** A page, or why it has nothing to show. */
function Filled({ feed, page: Page }: { feed: Feed; page: (props: { feed: Feed }) => React.JSX.Element }) {
  if (feed.readings.length > 0) return <Page feed={feed} />;
  if (feed.error) {
    return (
      <Notice title="No connection to the readings" testid="error" urgent>
        {feed.error} Trying again every few seconds.
      </Notice>
    );
  }
  if (!feed.summary) {
    return (
      <div className="loading" role="status" data-testid="loading">
        <span className="hidden">Loading readings</span>
      </div>
    );
  }
  return (
    <Notice title="No readings yet" testid="empty">
      The collector has not stored any. The first appear here by themselves.
    </Notice>
  );
}

function Lost() {
  return (
    <Notice title="There is nothing here" testid="lost">
      This address leads nowhere. <Link to="/">See all stations</Link>
    </Notice>
  );
}
