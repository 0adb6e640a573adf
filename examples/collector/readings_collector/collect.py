"""One round of collecting, and the loop that repeats it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from readings_collector.source import Reading, SourceError
from readings_collector.store import StoreError

LONGEST_PAUSE = 60.0
"""Seconds between attempts, at most, while the source or MySQL is away."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Round:
    """What one round did: readings fetched, and how many of them were new."""

    fetched: int
    new: int


Fetch = Callable[[], Sequence[Reading]]
Save = Callable[[Sequence[Reading]], int]


def collect(fetch: Fetch, save: Save) -> Round:
    """Fetch and store once. Raises SourceError or StoreError."""
    readings = fetch()
    return Round(fetched=len(readings), new=save(readings))


def pause(interval: float, failures: int) -> float:
    """Return the seconds to wait after ``failures`` failed rounds in a row: the interval, doubled for each failure."""
    longest = max(interval, LONGEST_PAUSE)
    return min(interval * 2.0 ** min(failures, 32), longest)


def run(fetch: Fetch, save: Save, interval: float, stop: Event, succeeded: Callable[[], None] = lambda: None) -> None:
    """Collect every ``interval`` seconds until ``stop`` is set; a failed round is logged and tried again later."""
    failures = 0
    while not stop.is_set():
        try:
            done = collect(fetch, save)
        except (SourceError, StoreError) as error:
            failures += 1
            log.warning("%s; trying again in %.0f s", error, pause(interval, failures))
        else:
            failures = 0
            log.info("fetched %d readings, %d new", done.fetched, done.new)
            succeeded()
        stop.wait(pause(interval, failures))
