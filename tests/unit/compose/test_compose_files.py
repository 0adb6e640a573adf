"""What becomes of compose files of different shapes, to the letter; and that nothing of any of them gets lost."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NOW = yaml.safe_load((HERE / "now.yml").read_text())
FILES = sorted(path.parent for path in HERE.glob("files/*/compose.yaml"))
CASES = [(file, case) for file in FILES for case in yaml.safe_load((file / "expected.yml").read_text())]
COMPLETE = [(file, case) for file, case in CASES if "asks" not in case]
# What must be in no output and no file: the secrets that stand in these files.
SECRETS = (
    "letmein",
    "a-long-secret-of-the-shop",
    "sk_test_of_nobody",
    "sesame",
    "ord$1",
    "abc@sentry",
    ":rain@",
    "guest:guest",
    "hush-hush",
    "checked",
    "open-the-gate",
    "worker-of-nobody",
    "in-two-places",
    "beneath",
    "stretched",
    "comprised",
    "of-the-migration",
)
# The mappings whose keys are names that somebody has chosen, so that none of them is strange.
NAMED = ("args", "configs", "depends_on", "driver_opts", "environment", "labels", "networks", "secrets", "services",
         "sysctls", "ulimits", "volumes")  # fmt: skip


def identified(case: Any) -> str:
    return case.name if isinstance(case, Path) else ",".join(case.get("answers", {})) or "-"


@pytest.mark.parametrize(("file", "case"), CASES, ids=identified)
def test_a_file_becomes_these_variables_with_these_reasons(
    file: Path, case: dict[str, Any], compose: ModuleType, planned: Callable[..., Any]
) -> None:
    plan, _ = planned(file / "compose.yaml", **case.get("answers", {}))
    defaults = compose.defaults(ROOT)
    dotted = sys.modules["madang_compose.ledger"].dotted
    assert plan.asks == case.get("asks", [])
    if "asks" in case:
        return
    assert plan.decisions == case["decisions"]
    assert {dotted(path): sentence for path, sentence in plan.ledger.listed.items()} == case["listed"]
    assert {name: value for name, value in plan.variables.items() if defaults.get(name) != value} == case["variables"]


@pytest.mark.parametrize(("file", "case"), COMPLETE, ids=identified)
def test_every_key_is_carried_over_or_listed(file: Path, case: dict[str, Any], planned: Callable[..., Any]) -> None:
    plan, model = planned(file / "compose.yaml", **case.get("answers", {}))
    accounted = set(plan.ledger.carried) | set(plan.ledger.listed)

    def lost(value: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        if path in accounted or (value is None and path[-1:] in (("command",), ("entrypoint",))):
            return []
        if isinstance(value, dict) and value:
            return [one for key, element in value.items() for one in lost(element, (*path, key))]
        if isinstance(value, list) and value and (isinstance(value[0], dict) or path[-1] == "expose"):
            return [one for index, element in enumerate(value) for one in lost(element, (*path, str(index)))]
        return [path]

    assert lost(model, ()) == []


@pytest.mark.parametrize(("file", "case"), COMPLETE, ids=identified)
def test_every_setting_that_is_carried_over_has_a_variable(
    file: Path, case: dict[str, Any], planned: Callable[..., Any]
) -> None:
    plan, _ = planned(file / "compose.yaml", **case.get("answers", {}))
    for (*_, kind, name), to in ((path[-2:], to) for path, to in plan.ledger.carried.items() if len(path) == 4):
        if kind == "environment" and to.endswith(("_environment", "_secrets")):
            value = plan.variables[to]
            assert name in (value if isinstance(value, dict) else [secret["variable"] for secret in value])


def strange(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Put a key that nobody knows into every mapping, however deep; the paths of all of them."""
    if isinstance(value, dict):
        for key, element in list(value.items()):
            yield from strange(element, (*path, key))
        if path[-1:] == () or path[-1] not in NAMED:
            value["teleport"] = {"to": ["moon"]}
            yield (*path, "teleport", "to")
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from strange(element, (*path, str(index)))


@pytest.mark.parametrize(("file", "case"), COMPLETE, ids=identified)
def test_a_key_that_nobody_knows_is_listed_however_deep_it_is(
    file: Path, case: dict[str, Any], compose: ModuleType, planned: Callable[..., Any]
) -> None:
    _, model = planned(file / "compose.yaml", **case.get("answers", {}))
    changed = copy.deepcopy(model)
    paths = list(strange(changed))
    plan = compose.plan(changed, file / "compose.yaml", ROOT, compose.Answers(case.get("answers", {})), NOW)
    listed = set(plan.ledger.listed)
    assert [path for path in paths if not any(path[:end] in listed for end in range(1, len(path) + 1))] == []
    # and under a key that is carried over it is listed by itself, not only with all that is beside it
    assert [path for path in paths if any(path[:end] in plan.ledger.carried for end in range(1, len(path)))] == []


@pytest.mark.parametrize(("file", "case"), CASES, ids=identified)
def test_no_secret_is_said_or_written(file: Path, case: dict[str, Any], compose: ModuleType) -> None:
    answers = {f"compose_{name}": value for name, value in case.get("answers", {}).items()}
    said = json.dumps(compose.import_compose({"compose": str(file / "compose.yaml"), **answers}, ROOT))
    assert [secret for secret in SECRETS if secret in said] == []


@pytest.mark.parametrize(("file", "case"), COMPLETE, ids=identified)
def test_what_is_written_passes_the_preflight(
    file: Path,
    case: dict[str, Any],
    compose: ModuleType,
    preflight: ModuleType,
    effective: Callable[..., dict[str, Any]],
) -> None:
    answers = {f"compose_{name}": value for name, value in case.get("answers", {}).items()}
    made = compose.import_compose({"compose": str(file / "compose.yaml"), **answers}, ROOT)
    values = effective(made["files"], defaults=False)
    wanted = set(preflight.wanted(ROOT))
    problems = preflight.problems({name: value for name, value in values.items() if name in wanted}, values, ROOT)
    # A jar or a program is built before a deployment, by whoever writes it.
    assert [sentence for sentence in problems if not sentence.endswith("(no run builds it).")] == []


def test_a_schema_of_two_independent_servers_is_refused(compose: ModuleType, planned: Callable[..., Any]) -> None:
    file = HERE / "files/grants/compose.yaml"
    _, model = planned(file)
    changed = copy.deepcopy(model)
    changed["services"]["reports-db"]["environment"]["MYSQL_DATABASE"] = "orders"
    assert compose.plan(changed, file, ROOT, compose.Answers({}), NOW).asks == [
        "orders-db and reports-db are independent and have a schema orders each, and mysql_databases has each name "
        "once; write another MYSQL_DATABASE for reports-db."
    ]
