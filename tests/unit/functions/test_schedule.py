from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.functions.model import Schedule
from lab.functions.schedule import next_due, supported
from lab.functions.schedules import Schedules


def test_a_rate_begins_at_its_creation_and_keeps_its_beat() -> None:
    assert next_due("rate(5 minutes)", 1000, None) == 1000
    assert next_due("rate(5 minutes)", 1000, 1000) == 1300
    assert next_due("rate(1 minute)", 1000, 1061.5) == 1120
    assert next_due("rate(2 hours)", 0, 1) == 7200
    assert next_due("rate(1 day)", 0, 1) == 86400


def test_a_moment_comes_once() -> None:
    assert next_due("at(1970-01-01T00:01:00)", 0, None) == 60
    assert next_due("at(1970-01-01T00:01:00)", 0, 61) is None


def test_what_the_lab_does_not_fire_is_never_due() -> None:
    assert next_due("cron(0 12 * * ? *)", 0, None) is None
    assert not supported("cron(0 12 * * ? *)")
    assert supported("rate(1 minute)")


@given(st.integers(1, 90), st.floats(0, 1e9), st.floats(0, 1e6))
def test_the_next_time_is_after_the_last_by_one_interval_at_most(minutes: int, created: float, later: float) -> None:
    last = created + later
    due = next_due(f"rate({minutes} minutes)", created, last)
    assert due is not None
    assert last < due + 1e-3
    assert due <= last + minutes * 60 + 1e-3


def _schedule(**given: object) -> Schedule:
    values = {
        "arn": "arn:aws:scheduler:ap-northeast-2:123456789012:schedule/default/one",
        "expression": "rate(1 minute)",
        "enabled": True,
        "target": "arn:aws:lambda:ap-northeast-2:123456789012:function:one",
        "role": "arn:aws:iam::123456789012:role/one",
        "payload": b"{}",
        "retries": 2,
        "created": 1000.0,
    }
    return Schedule(**{**values, **given})  # type: ignore[arg-type]


def _fired(schedules: list[Schedule], moments: list[float], permitted: bool = True) -> list[float]:
    """The moments at which something was fired."""
    fired: list[float] = []
    now = 0.0
    made = Schedules(lambda: schedules, lambda *_: permitted, lambda *_: fired.append(now))
    made.close()
    for now in moments:
        made.turn(now)
    return fired


def test_a_schedule_fires_once_a_beat_and_what_was_missed_once() -> None:
    assert _fired([_schedule()], [1000, 1001, 1059, 1060, 1061, 1300, 1301, 1359, 1360]) == [1000, 1060, 1300, 1360]


def test_a_disabled_schedule_and_one_without_permission_fire_nothing() -> None:
    assert _fired([_schedule(enabled=False)], [1000, 1060]) == []
    assert _fired([_schedule()], [1000, 1060], permitted=False) == []


def test_a_target_that_is_no_function_is_left_alone() -> None:
    assert _fired([_schedule(target="arn:aws:sqs:ap-northeast-2:123456789012:queue")], [1000]) == []
