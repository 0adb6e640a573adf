"""When a schedule is due: decided here, from data alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


def supported(expression: str) -> bool:
    """Whether the lab fires it. ``cron(…)`` is kept and shown, and never fires."""
    return bool(_RATE.fullmatch(expression) or _AT.fullmatch(expression))


def next_due(expression: str, created: float, last: float | None) -> float | None:
    """When to fire next, in seconds since the epoch, after ``last`` (None: not yet); None for never.

    A rate begins when its schedule is created, as on AWS. What was missed is fired once, not once each.
    """
    if found := _RATE.fullmatch(expression):
        interval = int(found[1]) * _SECONDS[found[2]]
        return created if last is None else created + ((last - created) // interval + 1) * interval
    if (found := _AT.fullmatch(expression)) and last is None:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
    return None
