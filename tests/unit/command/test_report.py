"""What a person reads of the lab's status."""

from __future__ import annotations

from typing import Any

import pytest

from lab import report


def status(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "endpoint_url": "http://127.0.0.1:1111",
        "edge_url": "http://127.0.0.1:2222",
        "api_only": False,
        "problem": None,
        "subnets": {
            "subnet-1": {"name": "app-a", "zone": "ap-northeast-2a", "nature": "private"},
            "subnet-2": {"name": "public-a", "zone": "ap-northeast-2c", "nature": "public"},
        },
        "instances": {
            "i-2": {
                "name": "web",
                "subnet_id": "subnet-2",
                "private_ip": "10.0.1.4",
                "public_ip": "198.18.64.1",
                "state": "running",
            },
            "i-1": {
                "name": "db1",
                "subnet_id": "subnet-1",
                "private_ip": "10.0.0.4",
                "public_ip": None,
                "state": "pending",
            },
        },
    }
    return found | changes


DB1 = ["db1", "app-a", "ap-northeast-2a", "10.0.0.4", "none", "private", "pending"]
WEB = ["web", "public-a", "ap-northeast-2c", "10.0.1.4", "198.18.64.1", "public", "running"]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], "A  LONG\n─  ────"),
        ([["1", "2"]], "A  LONG\n─  ────\n1  2"),
        ([["wide", "wider still"], ["x", ""]], "A     LONG\n────  ───────────\nwide  wider still\nx"),
    ],
)
def test_columns_are_as_wide_as_their_widest_cell(rows: list[list[str]], text: str) -> None:
    assert report.table(("A", "LONG"), rows) == text


def test_hosts_come_by_name_with_their_subnet_and_whether_it_is_public() -> None:
    assert report.host_rows(status()) == [DB1, WEB]


def test_terminated_instances_are_not_shown() -> None:
    found = status()
    found["instances"]["i-2"]["state"] = "terminated"
    assert report.host_rows(found) == [DB1]


def test_a_lab_without_hosts_says_so_of_each_instead_of_a_state() -> None:
    assert [row[-1] for row in report.host_rows(status(api_only=True))] == ["skipped: no host"] * 2


def test_an_instance_in_a_deleted_subnet_is_shown_with_the_subnets_id() -> None:
    assert report.host_rows(status(subnets={}))[0][1:3] == ["subnet-1", ""]


@pytest.mark.parametrize(
    ("changes", "shown", "not_shown"),
    [
        ({}, ["The lab runs: API http://127.0.0.1:1111, CloudFront http://127.0.0.1:2222"], ["Guard", "could not"]),
        ({"api_only": True}, ["The lab runs API-only:"], ["Guard"]),
        ({"problem": "no nft"}, ["could not do what the API asks: no nft"], []),
        ({"guard": []}, ["Guard: nothing of the lab can leave this machine."], []),
        ({"guard": ["A route leads out."]}, ["A route leads out."], ["nothing of the lab can leave"]),
    ],
)
def test_the_status_says_what_is_wrong_and_nothing_that_is_not(
    changes: dict[str, Any], shown: list[str], not_shown: list[str]
) -> None:
    text = report.render(status(**changes))
    assert [part for part in shown if part not in text] == []
    assert [part for part in not_shown if part in text] == []


def test_the_summary_offers_hosts_only_where_there_are_hosts() -> None:
    running = status()
    running["instances"]["i-1"]["state"] = "running"
    whole, api_only = report.summary(running), report.summary(status(api_only=True))
    assert "Your product: http://127.0.0.1:2222" in whole
    assert "lab ssh db1" in whole
    assert "Skipped" not in whole
    assert "this machine can boot none: db1, web;" in api_only
    assert "lab ssh" not in api_only


@pytest.mark.parametrize(("state", "offered"), [("running", True), ("stopped", False)])
def test_the_summary_names_a_private_host_that_runs_whatever_it_is_called(state: str, offered: bool) -> None:
    found = status()
    found["instances"]["i-1"] |= {"name": "orders", "private_ip": "10.7.3.9", "state": state}
    tries = report.summary(found).partition("Try next:\n")[2].splitlines()
    assert [line for line in tries if " web" in line or "10.0.1.4" in line] == [], "a public host"
    assert any("lab ssh orders " in line for line in tries) is offered
    assert any("lab exec internet -- curl -sm 3 10.7.3.9 " in line for line in tries) is offered
    assert "--tags verify" in tries[-1]
