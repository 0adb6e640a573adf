"""An API of the outside world for the example's collector: the weather at five Korean stations, new every second."""

from __future__ import annotations

import json
import math
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from lab.internet.web import Handler, Server

HOST = "readings.example.com"

# Station, mean temperature (°C) and mean relative humidity (%) of its day.
_STATIONS = (
    ("Hallasan", 3.5, 71.0),
    ("Seoraksan", -1.0, 62.0),
    ("Seoul", 6.0, 58.0),
    ("Busan", 11.5, 55.0),
    ("Gyeongju", 8.0, 60.0),
)
_DAY = 86400.0


@dataclass(frozen=True)
class Reading:
    """``measured_at`` is UTC in ISO 8601, to the second."""

    station: str
    measured_at: str
    temperature_celsius: float
    humidity_percent: float


def readings(moment: datetime) -> tuple[Reading, ...]:
    """What every station measures at ``moment``: the same moment always gives the same values."""
    second = math.floor(moment.timestamp())
    stamp = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return tuple(
        Reading(
            station,
            stamp,
            round(mean + _wave(second, number), 1),
            round(min(100.0, max(0.0, humidity - 4 * _wave(second, number + 2.5))), 1),
        )
        for number, (station, mean, humidity) in enumerate(_STATIONS)
    )


def _wave(second: int, phase: float) -> float:
    """A slow swell over the day and quicker gusts on it, between -6 and 6."""
    day = math.sin(2 * math.pi * (second % _DAY) / _DAY + phase)
    gust = math.sin(second / 7 + 3 * phase) + math.sin(second / 2.3 + phase)
    return 4 * day + gust


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


class Readings:
    """Serves ``/v1/readings`` and ``/v1/address`` (which address the caller is seen with)."""

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._handler = type("ReadingsHandler", (_Handler,), {"now": staticmethod(now)})
        self._servers: list[Server] = []

    def serve(self, listener: socket.socket) -> None:
        """Answer on a socket that listens already; returns at once."""
        server = Server(listener, self._handler)
        server.start()
        self._servers.append(server)

    def stop(self) -> None:
        for server in self._servers:
            server.stop()


class _Handler(Handler):
    now: Callable[[], datetime]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/v1/readings":
            self._json(200, {"readings": [asdict(reading) for reading in readings(self.now())]})
        elif path == "/v1/address":
            self._json(200, {"address": self.client_address[0]})
        else:
            self._json(404, {"error": f"There is nothing at {path}; try /v1/readings."})

    def _json(self, status: int, content: object) -> None:
        self.send_whole(status, "application/json", json.dumps(content).encode() + b"\n")
