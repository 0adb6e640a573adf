"""`site.yml --check --diff`: on an empty account, on a deployed one, and on one that somebody changed by hand."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

from lab.api.calls import Call
from tests.conftest import ROOT, running_api
from tests.integration.plan.drift import DRIFTS, Account

iam = runpy.run_path(str(ROOT / "scripts/iam_policy.py"))


@dataclass(frozen=True)
class Done:
    """A run: its status, what it printed, its plan, the API's calls, and those that change something."""

    status: int
    output: str
    plan: list[dict[str, Any]] = field(default_factory=list)
    mutating: list[str] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)

    def entries(self, kind: str) -> dict[str, dict[str, Any]]:
        return {entry["name"]: entry for entry in self.plan if entry["kind"] == kind}


@dataclass(frozen=True)
class Play:
    """Runs site.yml against an API of its own, without what needs hosts."""

    url: str
    directory: Path

    def __call__(self, *arguments: str, skip: str = "hosts") -> Done:
        urllib3.request("DELETE", f"{self.url}/_lab/requests", timeout=60)
        told = self.directory / "plan.json"
        told.unlink(missing_ok=True)
        done = subprocess.run(
            [
                *(str(ROOT / ".venv/bin/ansible-playbook"), "site.yml", "--skip-tags", skip),
                *("-e", f"project_state_directory={self.directory / 'state'}", *arguments),
            ],
            cwd=ROOT,
            env={**os.environ, "AWS_ENDPOINT_URL": self.url, "MADANG_PLAN_FILE": str(told)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        counts = urllib3.request("GET", f"{self.url}/_lab/requests", timeout=60).json()
        calls = [Call(service, action, "", "", "", "") for service, found in counts.items() for action in found]
        # S3's object data does not count as a change of the world for the lab; here it does.
        writes = [call for call in calls if call.mutating or call.action.startswith(("Put", "Delete"))]
        plan = json.loads(told.read_text())["entries"] if told.exists() else []
        return Done(
            done.returncode,
            done.stdout,
            plan,
            [f"{call.service} {call.action}" for call in writes],
            {f"{call.service}:{call.action}" for call in calls},
        )


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    directory = tmp_path_factory.mktemp("plan")
    with running_api(directory / "api") as url:
        yield Play(url, directory)


@pytest.fixture(scope="module")
def first(play: Play) -> Done:
    """The plan of a first deployment."""
    return play("--check", "--diff")


@pytest.fixture(scope="module")
def deployed(play: Play, first: Done) -> Done:
    """The deployment, but the pages, whose build is another test's."""
    done = play(skip="hosts,frontend,verify")
    assert done.status == 0, done.output[-6000:]
    return done


@pytest.fixture(scope="module")
def drifted(play: Play, deployed: Done) -> Done:
    """The plan after somebody changed one thing of each kind."""
    account = Account(play.url)
    for drift in DRIFTS.values():
        drift.does(account)
    return play("--check", "--diff", skip="hosts,frontend,verify")


@pytest.fixture(scope="module")
def repaired(play: Play, drifted: Done) -> Done:
    return play(skip="hosts,frontend,verify")


@pytest.fixture(scope="module")
def again(play: Play, repaired: Done) -> Done:
    """The plan after the run that put it right."""
    return play("--check", "--diff", skip="hosts,frontend,verify")


def test_a_plan_on_an_empty_account_works_and_touches_nothing(first: Done) -> None:
    assert first.status == 0, first.output[-6000:]
    assert first.mutating == []
    assert not (first.output.count("FAILED") or "would come after it is not in it" in first.output)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("VPC", {"madang-lab"}),
        ("subnet", {f"madang-lab-{tier}-{zone}" for tier in ("public", "app", "database") for zone in "ac"}),
        ("security group", {f"madang-lab-{name}" for name in ("connect", "backend", "database", "collector")}),
        ("instance", {"backend in app-a", "db1 in database-a", "db2 in database-c", "collector in app-c"}),
        ("private zone", {"madang.internal"}),
        ("bucket", {"madang-lab-site-123456789012"}),
        ("VPC origin", {"madang-lab-backend"}),
        ("distribution", {"madang-lab"}),
    ],
)
def test_the_first_plan_names_what_will_be_created(kind: str, names: set[str], first: Done) -> None:
    found = first.entries(kind)
    assert set(found) == names
    assert {entry["verb"] for entry in found.values()} == {"create"}


def test_the_first_plan_ends_with_a_summary(first: Done) -> None:
    summary = first.output[first.output.index("\nPlan: ") :]
    assert "0 to change, 0 to delete. Nothing was touched." in summary
    assert summary.split("Then, on hosts that are not there yet:")[1].split() == [
        "+",
        "Way",
        "in",
        "+",
        "Databases",
        "+",
        "Backend",
        "+",
        "Collector",
    ]
    assert "  + VPC  " in summary


@pytest.mark.parametrize("kind", DRIFTS)
def test_a_plan_shows_what_somebody_changed(kind: str, drifted: Done) -> None:
    drift = DRIFTS[kind]
    assert drifted.status == 0, drifted.output[-6000:]
    found = drifted.entries(drift.kind)
    assert drift.name in found, drifted.plan
    assert found[drift.name]["verb"] == drift.verb
    changes = [f"{each['what']}: {each['before']} → {each['after']}" for each in found[drift.name]["changes"]]
    assert not drift.shows or any(drift.shows in change for change in changes), changes


def test_a_plan_of_a_drifted_deployment_touches_nothing(drifted: Done) -> None:
    assert drifted.mutating == []


def test_a_run_puts_every_kind_right(repaired: Done, again: Done) -> None:
    assert repaired.status == 0, repaired.output[-6000:]
    assert again.status == 0, again.output[-6000:]
    assert again.plan == [], again.output[-6000:]
    assert "Plan: nothing to do. Nothing was touched." in again.output
    assert again.mutating == []


def test_what_puts_things_right_is_in_the_policies_of_whoever_deploys(deployed: Done, repaired: Done) -> None:
    recorded = {call.removesuffix(" +tags") for call in iam["recorded"]()}
    assert (deployed.calls | repaired.calls) - recorded == set(), "add them to docs/iam/calls.yml, at repair"
    assert {*iam["read"]("calls.yml")["repair"]} <= repaired.calls, "no drift needs them: take them out"
