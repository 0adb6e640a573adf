"""`site.yml --check --diff`: on an empty account, on a deployed one, and on one that somebody changed by hand."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT, running_api
from tests.integration.plan.drift import ALONE, DRIFTS, FUNCTION_DRIFTS, Account, Drift, make_function
from tests.integration.site_run import Done, Play

iam = runpy.run_path(str(ROOT / "scripts/iam_policy.py"))
EVERY_DRIFT = DRIFTS | ALONE
SECRETS = ("ssh-key", "mysql-ca", "mysql-user-replication", "mysql-user-backend", "mysql-user-collector")


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    directory = tmp_path_factory.mktemp("plan")
    with running_api(directory / "api") as url:
        yield Play(url, directory)


@pytest.fixture(scope="module")
def first(play: Play) -> Done:
    """The plan of a first deployment, as a user asks for it: nothing is skipped."""
    return play("--check", "--diff", skip="none")


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
    for drift in EVERY_DRIFT.values():
        drift.does(account)
    return play("--check", "--diff", skip="hosts,frontend,verify")


@pytest.fixture(scope="module")
def repaired(play: Play, drifted: Done) -> Done:
    return play(skip="hosts,frontend,verify")


@pytest.fixture(scope="module")
def drifted_function(play: Play, again: Done) -> Done:
    """The plan of a collector in Lambda, of which somebody changed one thing of each kind."""
    account = Account(play.url)
    make_function(account)
    for drift in FUNCTION_DRIFTS.values():
        drift.does(account)
    elsewhere = {"collector_runs_on": "lambda", "collector_function_packages": str(play.directory)}
    return play("--check", "--diff", "--tags", "collector", "-e", json.dumps(elsewhere), skip="none")


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
        ("secret", {f"madang/lab/{name}" for name in SECRETS}),
    ],
)
def test_the_first_plan_names_what_will_be_created(kind: str, names: set[str], first: Done) -> None:
    found = first.entries(kind)
    assert set(found) == names
    assert {entry["verb"] for entry in found.values()} == {"create"}


def test_the_first_plan_ends_with_a_summary(first: Done) -> None:
    summary = first.output[first.output.index("\nPlan: ") :]
    # The SSH key's copy: of a file with a secret no module tells whether it is there.
    assert "1 to change, 0 to delete. Nothing was touched." in summary
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


def shows(done: Done, drift: Drift) -> None:
    """The plan has the drift's entry."""
    assert done.status == 0, done.output[-6000:]
    found = done.entries(drift.kind)
    assert drift.name in found, done.plan
    assert found[drift.name]["verb"] == drift.verb
    changes = [f"{each['what']}: {each['before']} → {each['after']}" for each in found[drift.name]["changes"]]
    assert not drift.shows or any(drift.shows in change for change in changes), changes


@pytest.mark.parametrize("kind", EVERY_DRIFT)
def test_a_plan_shows_what_somebody_changed(kind: str, drifted: Done) -> None:
    shows(drifted, EVERY_DRIFT[kind])


def test_a_plan_of_a_drifted_deployment_touches_nothing(drifted: Done) -> None:
    assert drifted.mutating == []


@pytest.mark.parametrize("kind", FUNCTION_DRIFTS)
def test_a_plan_shows_what_somebody_changed_of_the_collector_in_lambda(kind: str, drifted_function: Done) -> None:
    shows(drifted_function, FUNCTION_DRIFTS[kind])


def test_a_plan_of_the_collector_in_lambda_touches_nothing(drifted_function: Done) -> None:
    assert drifted_function.mutating == []
    assert "lambda:Invoke" not in drifted_function.calls


def test_a_run_puts_every_kind_right(repaired: Done, again: Done) -> None:
    assert repaired.status == 0, repaired.output[-6000:]
    assert again.status == 0, again.output[-6000:]
    assert again.plan == [], again.output[-6000:]
    assert "Plan: nothing to do. Nothing was touched." in again.output
    assert again.mutating == []


def test_the_plan_of_another_way_out_names_what_comes_and_what_goes(play: Play, again: Done) -> None:
    done = play(
        "--check", "--diff", "-e", "network_nat=instance", "-e", "network_nat_per_az=true", skip="hosts,frontend,verify"
    )
    assert done.status == 0, done.output[-6000:]
    assert done.mutating == []
    verbs = {(entry["kind"], entry["name"]): entry["verb"] for entry in done.plan}
    assert verbs == {
        ("route table", "madang-lab-private"): "change",
        ("route table", "madang-lab-private-c"): "create",
        ("gateway endpoint", "madang-lab-s3"): "change",
        ("security group", "madang-lab-connect"): "change",
        ("security group", "madang-lab-nat"): "create",
        ("instance", "nat in public-a"): "create",
        ("instance", "nat-c in public-c"): "create",
        ("Elastic IP", "madang-lab-nat-instance"): "create",
        ("Elastic IP", "madang-lab-nat-instance-c"): "create",
        ("NAT gateway", "madang-lab"): "delete",
        ("Elastic IP", "madang-lab-nat-gateway-public-a"): "delete",
    }
    changes = done.entries("route table")["madang-lab-private"]["changes"]
    assert any(each["what"] == "routes.0.0.0.0/0" and each["after"] == "(known after creation)" for each in changes)


def test_what_puts_things_right_is_in_the_policies_of_whoever_deploys(deployed: Done, repaired: Done) -> None:
    recorded = {call.removesuffix(" +tags") for call in iam["recorded"]()}
    assert (deployed.calls | repaired.calls) - recorded == set(), "add them to docs/iam/calls.yml, at repair"
    assert {*iam["read"]("calls.yml")["repair"]} <= repaired.calls, "no drift needs them: take them out"
