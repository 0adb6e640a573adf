"""What the outside service sends, good and bad."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from readings_collector.source import Reading, SourceError, fetch, parse

ROW = {
    "station": "Hallasan",
    "measured_at": "2026-11-22T20:17:55Z",
    "temperature_celsius": 3.4,
    "humidity_percent": 61.0,
}


def body(**changes: object) -> bytes:
    return json.dumps({"readings": [ROW | changes]}).encode()


def test_a_reading_is_read_in_utc() -> None:
    moment = datetime(2026, 11, 22, 20, 17, 55, tzinfo=UTC)
    assert parse(body()) == [Reading("Hallasan", moment, 3.4, 61.0)]
    assert parse(body(measured_at="2026-11-23T05:17:55+09:00")) == parse(body())


@pytest.mark.parametrize(
    "wrong",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"readings": [1]}',
        body(station=""),
        body(station="x" * 65),
        body(station=7),
        body(measured_at="2026-11-22T20:17:55"),
        body(measured_at=None),
        body(temperature_celsius="warm"),
        body(temperature_celsius=float("nan")),
        body(humidity_percent=101),
    ],
)
def test_an_answer_that_is_not_readings_is_refused(wrong: bytes) -> None:
    with pytest.raises(SourceError):
        parse(wrong)


@pytest.fixture
def service() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            good = self.path == "/readings"
            self.send_response(200 if good else 500)
            self.end_headers()
            self.wfile.write(body() if good else b"oops")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_readings_are_fetched_over_http(service: str) -> None:
    assert [reading.station for reading in fetch(f"{service}/readings")] == ["Hallasan"]


def test_an_error_of_the_service_names_its_address(service: str) -> None:
    with pytest.raises(SourceError, match="/broken did not answer"):
        fetch(f"{service}/broken")


def test_a_service_that_is_away_is_an_error_of_the_source() -> None:
    with pytest.raises(SourceError, match="did not answer"):
        fetch("http://127.0.0.1:9/readings")
