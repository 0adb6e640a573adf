"""The end of the story. It stands last (conftest.py), since it ends the lab."""

from __future__ import annotations

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
