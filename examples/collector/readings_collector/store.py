"""MySQL: write readings, each once."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import UTC
from typing import Any

import pymysql
from pymysql.connections import Connection

from readings_collector.settings import Database
from readings_collector.source import Reading

TIMEOUT = 10
"""Seconds to wait for MySQL."""

INSERT = (
    "INSERT IGNORE INTO readings (station, measured_at, temperature_celsius, humidity_percent) VALUES (%s, %s, %s, %s)"
)
"""A reading that is there already is left alone, so fetching it again does no harm; it needs no right but INSERT."""


class StoreError(Exception):
    """MySQL did not take the readings."""


class Store:
    """The table of readings; one connection, opened when needed and dropped when broken."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection[Any] | None = None

    def save(self, readings: Iterable[Reading]) -> int:
        """Write the readings in one transaction; return how many were new."""
        rows = [
            (r.station, r.measured_at.astimezone(UTC).replace(tzinfo=None), r.temperature_celsius, r.humidity_percent)
            for r in readings
        ]
        if not rows:
            return 0
        try:
            connection = self._connected()
            with connection.cursor() as cursor:
                new = cursor.executemany(INSERT, rows)
            connection.commit()
        except (pymysql.err.MySQLError, OSError) as error:
            self.close()
            raise StoreError(f"MySQL at {self._database.host} did not take the readings: {error}") from error
        return new or 0

    def close(self) -> None:
        """Drop the connection, if there is one."""
        if self._connection is not None:
            self._connection._force_close()
            self._connection = None

    def _connected(self) -> Connection[Any]:
        if self._connection is None:
            database = self._database
            context = ssl.create_default_context(cafile=database.tls_ca_file) if database.tls_ca_file else None
            self._connection = pymysql.connect(
                host=database.host,
                port=database.port,
                user=database.user,
                password=database.password,
                database=database.name,
                ssl=context,
                charset="utf8mb4",
                connect_timeout=TIMEOUT,
                read_timeout=TIMEOUT,
                write_timeout=TIMEOUT,
            )
        return self._connection
