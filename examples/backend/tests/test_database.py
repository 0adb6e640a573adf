"""The pool, with connections that only remember what was done to them."""

from __future__ import annotations

import pymysql
import pytest

from readings_api import database
from readings_api.database import DatabaseUnavailable, Pool


class Line:
    """Stands in for a connection."""

    def __init__(self) -> None:
        self.pings = 0
        self.closed = False

    def ping(self, reconnect: bool) -> None:
        self.pings += 1

    def _force_close(self) -> None:
        self.closed = True


class Exchange:
    """Opens lines, and keeps them for the test to look at."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.refuses = False

    def __call__(self) -> Line:
        if self.refuses:
            raise pymysql.err.OperationalError(2003, "Can't connect")
        self.lines.append(Line())
        return self.lines[-1]


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def pool(exchange: Exchange) -> Pool:
    return Pool(exchange, size=2)  # type: ignore[arg-type]  # stands in


def test_a_connection_is_used_again(pool: Pool, exchange: Exchange) -> None:
    for _ in range(3):
        with pool.connection():
            pass
    assert len(exchange.lines) == 1


def test_a_broken_connection_is_closed_and_replaced(pool: Pool, exchange: Exchange) -> None:
    with pytest.raises(DatabaseUnavailable), pool.connection():
        raise pymysql.err.OperationalError(2013, "Lost connection to MySQL server")
    with pool.connection():
        pass
    assert [line.closed for line in exchange.lines] == [True, False]


def test_a_refused_connection_gives_its_place_back(pool: Pool, exchange: Exchange) -> None:
    exchange.refuses = True
    for _ in range(5):
        with pytest.raises(DatabaseUnavailable), pool.connection():
            pass
    exchange.refuses = False
    with pool.connection(), pool.connection():
        pass


def test_more_than_size_connections_are_refused_not_opened(
    pool: Pool, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECT_TIMEOUT", 0.01)
    with pool.connection(), pool.connection(), pytest.raises(DatabaseUnavailable, match="busy"), pool.connection():
        pass
    assert len(exchange.lines) == 2


def test_a_connection_that_was_idle_for_long_is_asked_first(
    pool: Pool, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_LIMIT", -1)
    for _ in range(2):
        with pool.connection():
            pass
    assert exchange.lines[0].pings == 1
