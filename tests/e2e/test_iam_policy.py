"""The policies of docs/iam allow what all the runs of this story called, and nothing that none of them did."""

from __future__ import annotations

import json
import runpy
import urllib.request

import pytest

from lab.settings import ACCESS_KEY_ID
from tests.e2e import story
from tests.e2e.conftest import Deployment
from tests.e2e.test_production import CALLER

pytestmark = pytest.mark.namespaces

iam = runpy.run_path(str(story.ROOT / "scripts/iam_policy.py"))


def seen() -> set[str]:
    """What those who deploy have called since the lab started."""
    with urllib.request.urlopen(f"{story.status()['endpoint_url']}/_lab/calls", timeout=30) as answer:  # noqa: S310 — loopback
        calls: set[str] = iam["calls_of"](json.load(answer), [ACCESS_KEY_ID, CALLER])
    return calls


def test_every_call_is_in_the_policy(deployment: Deployment) -> None:
    assert seen() - iam["recorded"]() == set(), "record them: scripts/iam_policy.py record RUN --caller KEY, then write"


def test_nothing_is_in_the_policies_that_no_run_calls(deployment: Deployment, request: pytest.FixtureRequest) -> None:
    ran = {item.path.name for item in request.session.items}
    whole = {path.name for path in (story.ROOT / "tests/e2e").glob("test_*.py")} <= ran
    # A part of the story makes a part of the calls; what puts things right is proved by tests/integration/plan.
    proved = {call for run, calls in iam["read"]("calls.yml").items() if whole and run != "repair" for call in calls}
    seldom = iam["read"]("statements.yml")["seldom"]
    assert proved - seen() <= set(seldom), "no run of the whole story calls them: take them out of docs/iam/calls.yml"
