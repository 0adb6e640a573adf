"""``python -m readings_collector``: collect until told to stop."""

from __future__ import annotations

import logging
import signal
import sys
from functools import partial
from pathlib import Path
from threading import Event

from readings_collector.collect import run
from readings_collector.settings import SettingsError, from_environment
from readings_collector.source import fetch
from readings_collector.store import Store


def touch(path: Path | None) -> None:
    """Record that a round worked, where a health check can see it."""
    if path is not None:
        path.touch()


def main() -> int:
    """Return the exit status; a wrong setting is one sentence on standard error."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = from_environment()
    except SettingsError as error:
        print(f"readings_collector: {error}", file=sys.stderr)
        return 1
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    store = Store(settings.database)
    run(
        partial(fetch, settings.source_url),
        store.save,
        settings.interval,
        stop,
        succeeded=partial(touch, settings.success_file),
    )
    store.close()
    logging.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
