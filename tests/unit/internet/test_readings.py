"""The outside API of the example's collector."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lab.internet.readings import readings

MOMENT = datetime(2026, 11, 22, 20, 17, 55, 400_000, tzinfo=UTC)


def test_five_stations_measure_at_the_second():
    measured = readings(MOMENT)
    assert [reading.station for reading in measured] == ["Hallasan", "Seoraksan", "Seoul", "Busan", "Gyeongju"]
    assert {reading.measured_at for reading in measured} == {"2026-11-22T20:17:55Z"}


def test_the_same_second_always_gives_the_same_values():
    assert readings(MOMENT) == readings(MOMENT + timedelta(milliseconds=500))


def test_the_next_second_gives_new_values():
    then, now = readings(MOMENT), readings(MOMENT + timedelta(seconds=1))
    assert all(a != b for a, b in zip(then, now, strict=True))
    assert any(a.temperature_celsius != b.temperature_celsius for a, b in zip(then, now, strict=True))


@given(st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2040, 1, 1)))
def test_the_weather_stays_plausible(moment):
    for reading in readings(moment.replace(tzinfo=UTC)):
        assert -10 <= reading.temperature_celsius <= 20
        assert 20 <= reading.humidity_percent <= 100
