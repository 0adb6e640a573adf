"""Rounds, failures and pauses; the source and MySQL replaced by functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event

import pytest

from readings_collector.collect import Round, collect, pause, run
from readings_collector.source import Reading, SourceError
from readings_collector.store import StoreError

READING = Reading("Hallasan", datetime(2026, 11, 22, tzinfo=UTC), 3.5, 61.0)


class Clock(Event):
    """An event whose waits take no time: it keeps them, and is set after ``rounds`` of them."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds, self.waits = rounds, list[float]()

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        if len(self.waits) == self.rounds:
            self.set()
        return self.is_set()


def test_a_round_tells_what_was_fetched_and_what_was_new() -> None:
    assert collect(lambda: [READING, READING], lambda rows: len(rows) - 1) == Round(fetched=2, new=1)


def failing(error: Exception, times: int) -> Callable[[], Sequence[Reading]]:
    """A source that fails ``times`` times, then works."""
    left = [times]

    def fetch() -> Sequence[Reading]:
        if left[0]:
            left[0] -= 1
            raise error
        return [READING]

    return fetch


@pytest.mark.parametrize("error", [SourceError("away"), StoreError("away")])
def test_failures_lengthen_the_pause_and_a_success_restores_it(error: Exception) -> None:
    clock = Clock(rounds=5)
    run(failing(error, times=3), len, 5, clock)
    assert clock.waits == [10, 20, 40, 5, 5]


def test_only_a_round_that_worked_is_recorded() -> None:
    successes: list[None] = []
    run(failing(SourceError("away"), times=2), len, 5, Clock(rounds=3), lambda: successes.append(None))
    assert len(successes) == 1


def test_the_pause_has_a_limit_however_long_it_fails() -> None:
    assert pause(5, 10_000) == 60
    assert pause(300, 10_000) == 300


def test_a_stop_before_the_first_round_collects_nothing() -> None:
    stop = Event()
    stop.set()
    run(lambda: pytest.fail("it fetched"), len, 5, stop)
