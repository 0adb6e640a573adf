"""The outside API over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest

from lab import kernel
from lab.internet.readings import Readings, readings

MOMENT = datetime(2026, 11, 22, 20, 17, 55, tzinfo=UTC)


@pytest.fixture
def outside():
    listener = kernel.listening(None, "127.0.0.1", 0)
    server = Readings(now=lambda: MOMENT)
    server.serve(listener)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.stop()


def get(url):
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - the fixture's own http URL
        assert response.headers["Content-Type"] == "application/json"
        return json.load(response)


def test_the_readings_of_now_are_served(outside):
    served = get(f"{outside}/v1/readings")["readings"]
    assert served == [vars(reading) for reading in readings(MOMENT)]


def test_a_caller_learns_the_address_it_is_seen_with(outside):
    assert get(f"{outside}/v1/address") == {"address": "127.0.0.1"}


def test_elsewhere_there_is_nothing_and_it_says_so(outside):
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        get(f"{outside}/v2/readings")
    assert "/v1/readings" in json.load(caught.value)["error"]
