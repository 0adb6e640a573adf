"""MySQL: a small pool of connections, and the questions the API asks."""

from __future__ import annotations

import queue
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pymysql
from pymysql.connections import Connection

from readings_api.settings import Database

CONNECT_TIMEOUT = 3
"""Seconds. A visitor should sooner see an error than a page that hangs."""
ANSWER_TIMEOUT = 10
IDLE_LIMIT = 30
"""Seconds after which a pooled connection is asked whether it still lives, before it is used."""

UNAVAILABLE = (pymysql.err.OperationalError, pymysql.err.InterfaceError, OSError)
"""What PyMySQL raises when the server is away, refuses, or drops the line."""


class DatabaseUnavailable(Exception):
    """MySQL did not answer."""


@dataclass(frozen=True)
class Reading:
    """One measurement; ``measured_at`` is in UTC."""

    station: str
    measured_at: datetime
    temperature_celsius: float
    humidity_percent: float


@dataclass(frozen=True)
class Summary:
    """What the table holds: ``newest`` is None while it is empty."""

    rows: int
    newest: datetime | None
    stations: tuple[str, ...]


def connect(database: Database) -> Connection[Any]:
    """Open one connection. With a CA file TLS is required; without, it is used if the server offers it."""
    context = ssl.create_default_context(cafile=database.tls_ca_file) if database.tls_ca_file else None
    return pymysql.connect(
        host=database.host,
        port=database.port,
        user=database.user,
        password=database.password,
        database=database.name,
        ssl=context,
        charset="utf8mb4",
        autocommit=True,
        init_command="SET time_zone = '+00:00'",
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=ANSWER_TIMEOUT,
        write_timeout=ANSWER_TIMEOUT,
    )


class Pool:
    """At most ``size`` connections, opened when needed, dropped when broken."""

    def __init__(self, opener: Callable[[], Connection[Any]], size: int = 5) -> None:
        self._open = opener
        self._slots: queue.LifoQueue[tuple[Connection[Any], float] | None] = queue.LifoQueue()
        for _ in range(size):
            self._slots.put(None)

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """Lend a living connection; raise DatabaseUnavailable when MySQL is away."""
        try:
            slot = self._slots.get(timeout=CONNECT_TIMEOUT)
        except queue.Empty:
            raise DatabaseUnavailable("all connections to MySQL are busy") from None
        connection: Connection[Any] | None = None
        kept: tuple[Connection[Any], float] | None = None
        try:
            connection = self._living(slot)
            yield connection
            kept = (connection, time.monotonic())
        except UNAVAILABLE as error:
            raise DatabaseUnavailable(str(error)) from error
        finally:
            if kept is None and connection is not None:
                connection._force_close()
            self._slots.put(kept)

    def _living(self, slot: tuple[Connection[Any], float] | None) -> Connection[Any]:
        if slot is None:
            return self._open()
        connection, last_used = slot
        if time.monotonic() - last_used > IDLE_LIMIT:
            connection.ping(reconnect=True)
        return connection


class Readings:
    """The table of readings."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def ping(self) -> None:
        """Return when MySQL answers; raise DatabaseUnavailable when it does not."""
        with self._pool.connection() as connection:
            connection.ping(reconnect=True)

    def latest(self, *, limit: int, since: datetime | None = None, station: str | None = None) -> list[Reading]:
        """Return the newest ``limit`` readings after ``since``, oldest first."""
        wheres, values = ["1 = 1"], []
        if since is not None:
            wheres.append("measured_at > %s")
            values.append(since.astimezone(UTC).replace(tzinfo=None))
        if station is not None:
            wheres.append("station = %s")
            values.append(station)
        sql = (
            "SELECT station, measured_at, temperature_celsius, humidity_percent FROM readings"
            f" WHERE {' AND '.join(wheres)} ORDER BY measured_at DESC, station LIMIT %s"
        )
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(sql, [*values, limit])
            rows = cursor.fetchall()
        return [
            Reading(station, _utc(measured_at), float(temperature), float(humidity))
            for station, measured_at, temperature, humidity in reversed(rows)
        ]

    def summary(self) -> Summary:
        """Return how many rows there are, the newest time, and the stations' names."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*), MAX(measured_at) FROM readings")
            rows, newest = cursor.fetchone() or (0, None)
            cursor.execute("SELECT DISTINCT station FROM readings ORDER BY station")
            stations = tuple(row[0] for row in cursor.fetchall())
        return Summary(rows=int(rows), newest=_utc(newest) if newest else None, stations=stations)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
