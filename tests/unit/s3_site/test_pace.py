"""How many requests s3_site has under way, and what ends them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter

import publishing  # noqa: F401 - lets Ansible find this project's module_utils
import pytest
from ansible.module_utils.s3_site_pace import FEW, IN_FLIGHT, Gate, StoppedError, each


def test_the_number_of_requests_halves_when_throttled_and_grows_back() -> None:
    gate = Gate(16)
    gate.throttled()
    gate.throttled()  # of what was under way at the same time
    assert gate.limit == 8
    for _ in range(1000):
        gate.leave(gate.enter(0), 0.01)
    assert gate.limit == 16


def test_a_request_that_failed_does_not_make_it_faster() -> None:
    gate = Gate(16)
    gate.throttled()
    gate.leave(gate.enter(0))
    assert gate.limit == 8
    assert gate.last_success == 0


@pytest.mark.parametrize(("most", "first", "second"), [(16, IN_FLIGHT, 1), (1, 0, 0)])
def test_who_finds_no_memory_or_no_place_waits_until_it_is_given_back(most: int, first: int, second: int) -> None:
    gate = Gate(most)
    weight = gate.enter(first)
    other = threading.Thread(target=lambda: gate.enter(second), daemon=True)
    other.start()
    while not gate.waiting:
        assert other.is_alive(), "it went through"
        time.sleep(0.001)
    gate.leave(weight)
    other.join(10)
    assert not other.is_alive()
    assert gate.under_way == 1


@pytest.mark.parametrize(
    ("seconds", "most", "pay"), [(0.0001, 192, FEW), (0.005, 192, 100), (0.02, 192, 192), (0.0001, 1, 1)]
)
def test_the_further_away_s3_is_the_more_requests_are_under_way(seconds: float, most: int, pay: int) -> None:
    gate = Gate(most)
    assert gate.paying() == most, "nothing is known yet"
    gate.leave(gate.enter(0), 10.0)
    gate.leave(gate.enter(0), seconds)
    assert gate.paying() == pay


def test_all_items_are_worked_on_once_and_by_few_when_answers_are_quick() -> None:
    gate, done = Gate(64), []

    def work(item: int) -> None:
        gate.leave(gate.enter(0), 0.0001)
        done.append((item, threading.get_ident()))

    each(gate, range(2000), work)
    assert sorted(item for item, _ in done) == list(range(2000))
    assert sum(count > 1 for count in Counter(thread for _, thread in done).values()) <= FEW


def test_the_first_failure_stops_those_that_wait_and_is_raised() -> None:
    begun, gate = [], Gate(5)
    gate.limit = 4

    def work(item: int) -> None:
        begun.append(item)
        if item == 3:
            while gate.under_way < 3 or not gate.waiting:
                time.sleep(0.001)
            raise ValueError("the fourth")
        weight = gate.enter(gate.content if item == 4 else 0)
        try:
            if item == 4:
                pytest.fail("it went through")
            gate.pause(60)  # a minute, if nobody failed
        finally:
            gate.leave(weight)

    taken = gate.enter(1)  # so that the fifth finds no memory
    with pytest.raises(ValueError, match="the fourth"):
        each(gate, range(1000), work)
    gate.leave(taken)
    assert sorted(begun) == [0, 1, 2, 3, 4]
    with pytest.raises(StoppedError):
        gate.enter(0)


def test_an_interrupt_lets_no_further_request_through(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, done = Gate(4), []

    def interrupted(*_: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    def work(item: int) -> None:
        with contextlib.suppress(StoppedError):
            gate.pause(60)
        done.append(item)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        each(gate, range(1000), work)
    assert sorted(done) == [0, 1, 2, 3]


def test_a_machine_that_gives_few_threads_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, Counter[str]()

    def scarce(thread: threading.Thread) -> None:
        if started["threads"] == 2:
            raise RuntimeError("can't start new thread")
        started["threads"] += 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    done: list[int] = []
    each(Gate(64), range(100), done.append)
    assert sorted(done) == list(range(100))
