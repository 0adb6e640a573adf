"""What becomes of each MySQL server, decided from what all of them say: nothing that holds data is ever overwritten."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROLE = Path(__file__).parents[3] / "roles/mysql"


@pytest.fixture(scope="module")
def topology() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mysql_topology", ROLE / "filter_plugins/mysql_topology.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def server(module: ModuleType, **what: Any) -> dict[str, Any]:
    return {**module.UNASKED, **what}


def pair(module: ModuleType, db1: dict[str, Any], db2: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"db1": server(module, **db1), "db2": server(module, **db2)}


DATA = {"schemas": ["product"], "executed": "a:1-9"}
FOLLOWING = {**DATA, "follows": "db1.madang.internal", "running": True, "read_only": True}


@pytest.mark.parametrize(
    ("db1", "db2", "step"),
    [
        ({}, {}, "begin"),
        (DATA, {}, "clone"),
        (DATA, FOLLOWING, "follow"),
        (DATA, {**FOLLOWING, "running": False}, "follow"),
        (DATA, DATA, "rejoin"),
        (DATA, {**FOLLOWING, "follows": "db3.madang.internal"}, "rejoin"),
    ],
)
def test_a_replica_takes_the_step_that_its_data_allows(
    topology: ModuleType, db1: dict[str, Any], db2: dict[str, Any], step: str
) -> None:
    states = pair(topology, db1, db2)
    assert topology.mysql_step(states, "db2", "replication", "db1") == step
    assert topology.mysql_step(states, "db1", "replication", "db1") == "alone"
    assert topology.mysql_step(states, "db2", "independent", "db1") == "alone"


def refusal(module: ModuleType, states: dict[str, Any], host: str, source: str = "db1", **more: Any) -> str:
    return str(module.mysql_refusal(states, host, "replication", source, **more))


def test_data_that_the_source_lacks_is_not_overwritten_and_both_commands_are_named(topology: ModuleType) -> None:
    said = refusal(topology, pair(topology, DATA, DATA), "db2", nothing_new=False)
    assert "playbooks/backup_database.yml -e host=db2`" in said
    assert "playbooks/reseed_replica.yml -e host=db2 -e confirm=db2`" in said
    assert "schemas product" in said
    assert refusal(topology, pair(topology, DATA, DATA), "db2", nothing_new=True) == ""


def test_only_the_host_that_a_person_named_is_reseeded_and_never_from_an_empty_source(topology: ModuleType) -> None:
    states = pair(topology, DATA, DATA)
    assert topology.mysql_step(states, "db2", "replication", "db1", "db2") == "clone"
    assert refusal(topology, states, "db2", reseed="db2", nothing_new=False) == ""
    assert refusal(topology, states, "db2", reseed="db1", nothing_new=False) != ""
    assert "has no data" in refusal(topology, pair(topology, {}, DATA), "db2", reseed="db2")


def test_an_empty_source_is_refused_while_its_replica_has_data(topology: ModuleType) -> None:
    said = refusal(topology, pair(topology, {}, FOLLOWING), "db1")
    assert "playbooks/promote_database.yml -e host=db2 -e confirm=db2" in said
    assert refusal(topology, pair(topology, {}, {}), "db1") == ""
    assert refusal(topology, pair(topology, DATA, FOLLOWING), "db1") == ""


def test_a_replica_becomes_the_source_by_promotion_alone(topology: ModuleType) -> None:
    assert "promote_database.yml -e host=db2" in refusal(topology, pair(topology, DATA, FOLLOWING), "db2", source="db2")


def test_after_a_promotion_the_variables_must_say_so(topology: ModuleType) -> None:
    states = pair(topology, {**DATA, "read_only": True}, DATA)
    assert "Write mysql_source: db2" in refusal(topology, states, "db1")
    assert refusal(topology, states, "db2", source="db2") == ""


def test_independent_servers_are_never_refused(topology: ModuleType) -> None:
    states = pair(topology, DATA, FOLLOWING)
    assert [topology.mysql_refusal(states, host, "independent", "db1") for host in states] == ["", ""]


def test_only_a_replica_with_data_is_promoted_and_it_first_has_what_the_others_have(topology: ModuleType) -> None:
    states = pair(topology, DATA, {**FOLLOWING, "received": "a:1-8"})
    assert topology.mysql_promotion_refusal(states, "db2") == ""
    assert topology.mysql_promotion_waits(states, "db2") == ["a:1-8", "a:1-9"]
    assert "follows nobody" in topology.mysql_promotion_refusal(states, "db1")
    empty = pair(topology, DATA, {**FOLLOWING, "schemas": []})
    assert "has no data" in topology.mysql_promotion_refusal(empty, "db2")
    broken = pair(topology, DATA, {**FOLLOWING, "running": False, "error": "duplicate entry"})
    assert "duplicate entry" in topology.mysql_promotion_refusal(broken, "db2")
    lone = pair(topology, {}, {**FOLLOWING, "error": "cannot connect"})
    assert topology.mysql_promotion_refusal(lone, "db2") == ""
    assert topology.mysql_promotion_waits(lone, "db2") == []


def test_what_a_server_says_is_read_with_truths_as_truths(topology: ModuleType) -> None:
    told = topology.mysql_state_of(json.dumps({"schemas": ["a"], "read_only": 1, "running": 0, "follows": ""}))
    assert (told["read_only"], told["running"], told["semi_sync"]) == (True, False, False)
    assert told["schemas"] == ["a"]


def test_each_host_keeps_its_own_databases_and_users_unless_one_source_keeps_all(topology: ModuleType) -> None:
    databases = [{"name": "product"}, {"name": "collected", "host": "db2"}]
    users = [
        {"name": "backend", "privileges": "ALL"},
        {"name": "collector", "privileges": "INSERT", "database": "collected", "host": "db2"},
        {"name": "backend", "privileges": "SELECT", "database": "collected", "host": "db2"},
    ]
    assert topology.mysql_databases_on(databases, "db1", "independent", "db1") == ["product"]
    assert topology.mysql_databases_on(databases, "db2", "independent", "db1") == ["collected"]
    assert topology.mysql_databases_on(databases, "db1", "replication", "db1") == ["product", "collected"]
    assert topology.mysql_accounts_on(users, "db2", "independent", "db1", "product") == [
        {"name": "collector", "priv": "collected.*:INSERT"},
        {"name": "backend", "priv": "collected.*:SELECT"},
    ]
    assert topology.mysql_accounts_on(users, "db1", "replication", "db1", "product")[0] == {
        "name": "backend",
        "priv": "product.*:ALL/collected.*:SELECT",
    }
