"""The end of the story. It stands last (conftest.py), since it ends the lab."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment, traces

pytestmark = pytest.mark.namespaces


def test_down_leaves_nothing_behind(deployment: Deployment) -> None:
    assert all(traces()[kind] for kind in ("namespaces", "mounts", "tables", "cgroups", "processes"))
    assert story.status()["guard"] == []
    done = story.run("make", "down")
    assert done.status == 0, done.output
    # What only notices that the lab has gone ends a moment later.
    story.eventually(traces, lambda found: not any(found.values()))
    assert not (story.ROOT / ".lab").exists()


def test_down_leaves_nothing_of_a_lab_that_was_killed(deployment: Deployment) -> None:
    assert story.run(story.LAB, "up").status == 0
    os.kill(story.status()["pid"], signal.SIGKILL)
    # nginx would serve on, at the port that the next lab needs.
    assert any("nginx" in each for each in traces()["processes"])
    refused = story.run(story.LAB, "up")
    assert refused.status == 1
    assert "a lab that was killed has left (make down)" in refused.output
    done = story.run("make", "down")
    assert done.status == 0, done.output
    story.eventually(traces, lambda found: not any(found.values()))
    assert not (story.ROOT / ".lab").exists()
