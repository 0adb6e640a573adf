"""The API's answers, with the table replaced by a list."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from readings_api.app import create_app
from readings_api.database import DatabaseUnavailable, Reading, Summary

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class Table:
    """Stands in for database.Readings."""

    def __init__(self) -> None:
        self.rows = [Reading("Hallasan", NOON, 3.5, 61.0)]
        self.away = False
        self.asked: dict[str, object] = {}
        self.counted = 0

    def ping(self) -> None:
        if self.away:
            raise DatabaseUnavailable("connection refused")

    def latest(self, **question: object) -> list[Reading]:
        self.ping()
        self.asked = question
        return self.rows

    def summary(self) -> Summary:
        self.ping()
        self.counted += 1
        return Summary(len(self.rows), NOON if self.rows else None, tuple(row.station for row in self.rows))


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def client(table: Table) -> TestClient:
    return TestClient(create_app(table), raise_server_exceptions=False)  # type: ignore[arg-type]  # stands in


def test_health_is_ok_while_mysql_answers(client: TestClient) -> None:
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_health_is_503_while_mysql_is_away_and_tells_a_visitor_no_detail(client: TestClient, table: Table) -> None:
    table.away = True
    answer = client.get("/api/health")
    assert answer.status_code == 503
    assert "refused" not in answer.text


@pytest.mark.parametrize("path", ["/api/readings", "/api/summary"])
def test_everything_answers_json_while_mysql_is_away(client: TestClient, table: Table, path: str) -> None:
    table.away = True
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.json()["error"] == "The database does not answer."


def test_readings_carry_their_time_in_utc(client: TestClient) -> None:
    assert client.get("/api/readings").json() == {
        "readings": [
            {
                "station": "Hallasan",
                "measured_at": "2026-11-22T12:00:00Z",
                "temperature_celsius": 3.5,
                "humidity_percent": 61.0,
            }
        ]
    }


def test_since_station_and_limit_reach_the_question(client: TestClient, table: Table) -> None:
    client.get("/api/readings", params={"since": "2026-11-22T21:00:00+09:00", "station": "Seoul", "limit": "7"})
    assert table.asked == {"since": NOON, "station": "Seoul", "limit": 7}


@pytest.mark.parametrize("query", ["limit=0", "limit=5001", "limit=many", "limit=²", "since=yesterday"])
def test_a_wrong_question_is_400_and_says_what_to_write(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/readings?{query}")
    assert answer.status_code == 400
    assert "write a" in answer.json()["error"]


def test_an_unknown_path_is_404_json(client: TestClient) -> None:
    answer = client.get("/api/nonsense")
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is nothing at /api/nonsense."}


def test_a_fault_is_500_json_without_its_cause(client: TestClient, table: Table) -> None:
    table.latest = lambda **_: 1 / 0  # type: ignore[method-assign,assignment,return-value]  # a fault of any kind
    answer = client.get("/api/readings")
    assert (answer.status_code, answer.json()) == (500, {"error": "Something went wrong."})


def test_an_empty_table_has_no_newest_time(client: TestClient, table: Table) -> None:
    table.rows = []
    assert client.get("/api/summary").json() == {"rows": 0, "newest": None, "stations": []}


def test_many_visitors_cost_one_count(client: TestClient, table: Table) -> None:
    for _ in range(5):
        client.get("/api/summary")
    assert table.counted == 1


def test_no_answer_may_be_cached(client: TestClient) -> None:
    for path in ("/api/health", "/api/readings", "/api/nonsense"):
        assert client.get(path).headers["Cache-Control"] == "no-store"
