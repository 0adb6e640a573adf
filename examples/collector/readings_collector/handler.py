"""AWS Lambda's way in: one round for each event of the schedule."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from readings_collector.collect import collect
from readings_collector.settings import Settings, from_environment
from readings_collector.source import fetch
from readings_collector.store import Store


@cache
def _ready() -> tuple[Settings, Store]:
    """Settings and connection, kept for as long as Lambda keeps the process."""
    settings = from_environment()
    return settings, Store(settings.database)


def handler(event: Any, context: Any) -> dict[str, int]:  # Lambda passes both
    """Collect once; an error is raised, so that Lambda counts it and tries again."""
    settings, store = _ready()
    done = collect(partial(fetch, settings.source_url), store.save)
    return {"fetched": done.fetched, "new": done.new}
