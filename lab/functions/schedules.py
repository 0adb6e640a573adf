"""Fires EventBridge Scheduler's schedules: at least once, asynchronously, as the role that each names."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence

from lab.functions.model import Schedule
from lab.functions.schedule import next_due

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0


class Schedules:
    """``wanted`` reads the schedules; ``permitted`` says whether a role may invoke a function; ``fire`` does it."""

    def __init__(
        self,
        wanted: Callable[[], Sequence[Schedule]],
        permitted: Callable[[str, str], bool],
        fire: Callable[[str, bytes, int], None],
    ) -> None:
        self._wanted, self._permitted, self._fire = wanted, permitted, fire
        self._last: dict[str, float] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="schedules", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Fire no more."""
        self._closing.set()
        self._thread.join()

    def turn(self, now: float) -> None:
        """Fire what is due ``now``, in seconds since the epoch."""
        schedules = self._wanted()
        known = {schedule.arn for schedule in schedules}
        self._last = {arn: last for arn, last in self._last.items() if arn in known}
        for schedule in schedules:
            last = self._last.get(schedule.arn)
            if last is not None and last < schedule.created:  # deleted and made again
                last = None
            due = next_due(schedule.expression, schedule.created, last)
            if schedule.enabled and due is not None and due <= now:
                self._last[schedule.arn] = now
                self._fire_one(schedule)

    def _fire_one(self, schedule: Schedule) -> None:
        if ":lambda:" not in schedule.target:
            log.error("%s has the target %s; the lab fires at Lambda functions only", schedule.arn, schedule.target)
        elif not self._permitted(schedule.role, schedule.target):
            log.error("%s did not fire: %s may not invoke %s", schedule.arn, schedule.role, schedule.target)
        else:
            self._fire(schedule.target, schedule.payload or _event(schedule), schedule.retries)

    def _loop(self) -> None:
        while not self._closing.wait(POLL_SECONDS):
            try:
                self.turn(time.time())
            except Exception:  # one odd schedule must not silence the others
                log.exception("Schedules did not fire")


def _event(schedule: Schedule) -> bytes:
    """What a schedule without an input of its own sends."""
    return json.dumps({"version": "0", "source": "aws.scheduler", "resources": [schedule.arn], "detail": "{}"}).encode()
