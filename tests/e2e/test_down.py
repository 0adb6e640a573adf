"""The end of the story. It stands last (conftest.py), since it ends the lab."""

from __future__ import annotations

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment, traces

pytestmark = pytest.mark.namespaces


def test_down_leaves_nothing_behind(deployment: Deployment) -> None:
    assert traces()["namespaces"]
    done = story.run("make", "down")
    assert done.status == 0, done.output
    assert traces() == {"namespaces": [], "mounts": [], "tables": [], "links": [], "processes": []}
    assert not (story.ROOT / ".lab").exists()
