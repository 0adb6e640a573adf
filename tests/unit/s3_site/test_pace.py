"""How many requests s3_site has under way, and what ends them."""

from __future__ import annotations

import threading
import time
from collections import Counter

import publishing  # noqa: F401 - lets Ansible find this project's module_utils
import pytest
from ansible.module_utils.s3_site_pace import FEW, IN_FLIGHT, Gate, Workers


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
    ("seconds", "most", "pay"), [(0.0001, 192, FEW), (0.005, 192, 50), (0.02, 192, 192), (0.0001, 1, 1)]
)
def test_the_further_away_s3_is_the_more_requests_are_under_way(seconds: float, most: int, pay: int) -> None:
    gate = Gate(most)
    assert gate.paying() == most, "nothing is known yet"
    gate.leave(gate.enter(0), 10.0)
    gate.leave(gate.enter(0), seconds)
    assert gate.paying() == pay


def test_all_items_are_worked_on_once_and_by_few_when_answers_are_quick() -> None:
    gate, done, by = Gate(64), Counter[int](), Counter[int]()

    def work(item: int) -> None:
        gate.leave(gate.enter(0), 0.0001)
        done[item] += 1
        by[threading.get_ident()] += 1

    Workers(gate).each(range(2000), work)
    assert done == Counter(range(2000))
    assert sum(count > 1 for count in by.values()) <= FEW


def test_the_first_failure_stops_the_rest_and_is_raised() -> None:
    begun, gate = [], Gate(4)
    workers = Workers(gate)

    def work(item: int) -> None:
        begun.append(item)
        if item == 3:
            raise ValueError("the third")
        if item < 3:  # would take a minute, if nobody failed
            assert not workers.pause(60)

    with pytest.raises(ValueError, match="the third"):
        workers.each(range(1000), work)
    assert len(begun) <= 4


def test_work_that_goes_well_pauses_as_long_as_it_wants() -> None:
    workers = Workers(Gate(2))
    went_on = []
    workers.each(range(2), lambda _: went_on.append(workers.pause(0.001)))
    assert went_on == [True, True]
