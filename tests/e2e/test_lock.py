"""Two runs that want the same environment: the second is told who has it, and is free to go on later."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces
BUCKET = "madang-lab-deploy-123456789012"


def lock(s3: Any) -> dict[str, Any] | None:
    """What the lock says; None where nobody holds it."""
    if "Contents" not in s3.list_objects_v2(Bucket=BUCKET):
        return None
    found: dict[str, Any] = json.load(s3.get_object(Bucket=BUCKET, Key="lock.json")["Body"])
    return found


def test_a_second_run_is_refused_while_a_first_one_runs(deployment: Deployment) -> None:
    s3 = story.client("s3")
    assert lock(s3) is None, "the deployment has given it back"
    first = subprocess.Popen(
        [story.ROOT / ".venv/bin/ansible-playbook", "site.yml", "--tags", "network"],
        cwd=story.ROOT, env=dict(os.environ), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        found = story.eventually(lambda: lock(s3), bool, 120)
        assert found
        first.send_signal(signal.SIGSTOP)  # it keeps the lock, however slowly the second one starts
        second = story.run("ansible-playbook", "site.yml", "--tags", "frontend")
    finally:
        first.send_signal(signal.SIGCONT)
        assert first.wait(300) == 0
    assert second.status == 2, second.output
    said = " ".join(second.output.split())
    assert f"{found['owner']} holds the lock since {found['since'].replace('T', ' ')[:19]} UTC" in said
    assert f"with site.yml --tags network (process {first.pid})" in said
    assert "TASK [frontend" not in second.output
    assert lock(s3) is None, "the first run has given it back"
