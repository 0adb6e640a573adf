"""The outside service: fetch its newest readings and check what it sent."""

from __future__ import annotations

import json
import math
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

TIMEOUT = 10
"""Seconds to wait for the service."""
LARGEST_ANSWER = 1_000_000
"""Bytes. A longer answer is not what was asked for."""


class SourceError(Exception):
    """The service did not answer, or not with readings."""


@dataclass(frozen=True)
class Reading:
    """One measurement; ``measured_at`` is in UTC, to the second."""

    station: str
    measured_at: datetime
    temperature_celsius: float
    humidity_percent: float


def fetch(url: str) -> list[Reading]:
    """Return the readings that the service offers now."""
    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "readings-collector"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            body = answer.read(LARGEST_ANSWER + 1)
    except (OSError, HTTPException) as error:
        raise SourceError(f"{url} did not answer: {error}") from error
    if len(body) > LARGEST_ANSWER:
        raise SourceError(f"{url} sent more than {LARGEST_ANSWER} bytes")
    return parse(body)


def parse(body: bytes) -> list[Reading]:
    """Turn ``{"readings": [{"station": …, "measured_at": …, …}]}`` into readings."""
    try:
        return [_reading(item) for item in json.loads(body)["readings"]]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"the answer holds no readings: {type(error).__name__}: {error}") from error


def _reading(item: dict[str, Any]) -> Reading:
    station = item["station"]
    if not isinstance(station, str) or not 1 <= len(station) <= 64:
        raise ValueError(f"station is {station!r}")
    moment = datetime.fromisoformat(item["measured_at"])
    if moment.tzinfo is None:
        raise ValueError(f"measured_at {item['measured_at']!r} names no time zone")
    return Reading(
        station=station,
        measured_at=moment.astimezone(UTC).replace(microsecond=0),
        temperature_celsius=_number(item, "temperature_celsius", -100, 100),
        humidity_percent=_number(item, "humidity_percent", 0, 100),
    )


def _number(item: dict[str, Any], name: str, lowest: float, highest: float) -> float:
    value = float(item[name])
    if not (math.isfinite(value) and lowest <= value <= highest):
        raise ValueError(f"{name} is {item[name]!r}")
    return value
