"""What is sent to MySQL, and what happens when it breaks; PyMySQL's connection is replaced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pymysql
import pytest

from readings_collector.settings import Database
from readings_collector.source import Reading
from readings_collector.store import Store, StoreError

READING = Reading("Hallasan", datetime(2026, 11, 22, 12, tzinfo=UTC), 3.5, 61.0)
DATABASE = Database("db1", 3306, "readings", "collector", "s3cret")


class Line:
    """Stands in for a connection and its cursor."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.committed = self.closed = self.breaks = False

    def cursor(self) -> Line:
        return self

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def executemany(self, sql: str, rows: list[tuple[Any, ...]]) -> int:
        if self.breaks:
            raise pymysql.err.OperationalError(2013, "Lost connection")
        self.rows += rows
        return len(rows)

    def commit(self) -> None:
        self.committed = True

    def _force_close(self) -> None:
        self.closed = True


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    opened: list[Line] = []

    def connect(**_: object) -> Line:
        opened.append(Line())
        return opened[-1]

    monkeypatch.setattr(pymysql, "connect", connect)
    return opened


def test_readings_are_committed_with_their_time_in_utc(lines: list[Line]) -> None:
    assert Store(DATABASE).save([READING]) == 1
    assert lines[0].rows == [("Hallasan", datetime(2026, 11, 22, 12), 3.5, 61.0)]
    assert lines[0].committed


def test_one_connection_serves_many_rounds(lines: list[Line]) -> None:
    store = Store(DATABASE)
    store.save([READING])
    store.save([READING])
    assert len(lines) == 1


def test_nothing_to_save_opens_no_connection(lines: list[Line]) -> None:
    assert Store(DATABASE).save([]) == 0
    assert lines == []


def test_a_broken_connection_is_dropped_and_the_next_round_opens_another(lines: list[Line]) -> None:
    store = Store(DATABASE)
    store.save([READING])
    lines[0].breaks = True
    with pytest.raises(StoreError, match="db1"):
        store.save([READING])
    assert store.save([READING]) == 1
    assert [line.closed for line in lines] == [True, False]
