"""Two runs that want the same environment: the second is told who has it, and is free to go on later."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces
BUCKET = "madang-lab-deploy-123456789012"


def lock(s3: Any) -> dict[str, Any] | None:
    """What the lock says; None where nobody holds it."""
    try:
        found: dict[str, Any] = json.load(s3.get_object(Bucket=BUCKET, Key="lock.json")["Body"])
    except s3.exceptions.NoSuchKey:
        return None
    return found


@pytest.fixture
def slow(deployment: Deployment) -> Iterator[str]:
    """A second for each call of EC2's, so that who has the lock has it for long on any machine; DELETE ends it."""
    url = f"{story.status()['endpoint_url']}/_lab/faults"
    order = [{"kind": "latency", "service": "ec2", "seconds": 1.0, "times": 1000}]
    assert urllib3.request("POST", url, json=order, timeout=60).status == 200
    try:
        yield url
    finally:
        urllib3.request("DELETE", url, timeout=60)


def test_a_second_run_is_refused_while_a_first_one_runs(slow: str) -> None:
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
        assert first.poll() is None, "the first run ended before it could be stopped"
        assert lock(s3), "the first run gave the lock back before it could be stopped"
        second = story.run("ansible-playbook", "site.yml", "--tags", "frontend")
    finally:
        urllib3.request("DELETE", slow, timeout=60)
        first.send_signal(signal.SIGCONT)
        ended = first.wait(300)
    assert ended == 0
    assert second.status == 2, second.output
    said = " ".join(second.output.split())
    assert f"{found['owner']} holds the lock since {found['since'].replace('T', ' ')[:19]} UTC" in said
    assert f"with site.yml --tags network (process {first.pid})" in said
    assert "TASK [frontend" not in second.output
    assert lock(s3) is None, "the first run has given it back"
