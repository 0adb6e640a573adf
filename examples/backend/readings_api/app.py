"""The HTTP API.

``GET /api/health``    200 only while MySQL answers, else 503
``GET /api/readings``  the newest readings, oldest first: ``since`` (ISO 8601), ``station``, ``limit`` (1 to 5000)
``GET /api/summary``   the count of rows, the newest time, the stations
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from readings_api.database import DatabaseUnavailable, Reading, Readings, Summary

DEFAULT_LIMIT = 500
LARGEST_LIMIT = 5000
SUMMARY_SECONDS = 1.0
"""How long one count of rows serves every visitor."""

log = logging.getLogger(__name__)


class _Once:
    """Remember a function's result for ``seconds``, so that many visitors cost MySQL one question."""

    def __init__(self, function: Callable[[], Summary], seconds: float) -> None:
        self._function, self._seconds = function, seconds
        self._lock = threading.Lock()
        self._value: tuple[float, Summary] | None = None

    def __call__(self) -> Summary:
        with self._lock:
            if self._value is None or time.monotonic() - self._value[0] > self._seconds:
                self._value = (time.monotonic(), self._function())
            return self._value[1]


def create_app(readings: Readings) -> Starlette:
    """Build the application; endpoints are plain functions, which Starlette runs in threads."""
    summarise = _Once(readings.summary, SUMMARY_SECONDS)

    def health(request: Request) -> Response:
        readings.ping()
        return _json({"status": "ok"})

    def list_readings(request: Request) -> Response:
        query = request.query_params
        rows = readings.latest(
            limit=_limit(query.get("limit")), since=_since(query.get("since")), station=query.get("station")
        )
        return _json({"readings": [_reading(row) for row in rows]})

    def summary(request: Request) -> Response:
        found = summarise()
        newest = _moment(found.newest) if found.newest else None
        return _json({"rows": found.rows, "newest": newest, "stations": list(found.stations)})

    return Starlette(
        routes=[
            Route("/api/health", health),
            Route("/api/readings", list_readings),
            Route("/api/summary", summary),
        ],
        exception_handlers={
            HTTPException: _http_error,
            DatabaseUnavailable: _database_error,
            Exception: _unexpected_error,
        },
    )


def _reading(reading: Reading) -> dict[str, object]:
    return {
        "station": reading.station,
        "measured_at": _moment(reading.measured_at),
        "temperature_celsius": reading.temperature_celsius,
        "humidity_percent": reading.humidity_percent,
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= LARGEST_LIMIT:
        raise HTTPException(400, f"limit is {text!r}; write a number from 1 to {LARGEST_LIMIT}.")
    return int(text)


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise HTTPException(400, f"since is {text!r}; write a time like 2026-11-22T20:17:55Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(body: object, status: int = 200) -> JSONResponse:
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store"})


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # Starlette calls this handler for nothing else
    message = f"There is nothing at {request.url.path}." if error.status_code == 404 else error.detail
    return _json({"error": message}, error.status_code)


def _database_error(request: Request, error: Exception) -> Response:
    log.warning("MySQL is not available: %s", error)
    return _json({"status": "unavailable", "error": "The database does not answer."}, 503)


def _unexpected_error(request: Request, error: Exception) -> Response:
    return _json({"error": "Something went wrong."}, 500)
