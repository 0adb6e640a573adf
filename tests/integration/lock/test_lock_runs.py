"""Runs of Ansible that want one environment's lock: refused, waiting, dying, losing it, breaking it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
import yaml
from botocore.exceptions import ClientError

from tests.conftest import ROOT

BUCKET = "madang-lab-deploy-123456789012"
# It works until it is told to end, and for so long at most.
WORKING = "touch begun; for i in $(seq 1200); do [ ! -e end ] || exit 0; sleep 0.1; done; exit 1"
WORK: list[dict[str, Any]] = [
    {"import_playbook": str(ROOT / "playbooks/lock.yml")},
    {
        "name": "Work",
        "hosts": "localhost",
        "tags": "always",
        "tasks": [
            {"name": "Work", "ansible.builtin.shell": {"cmd": WORKING, "chdir": "{{ place }}"}},
            {"name": "Fail", "ansible.builtin.fail": {"msg": "broken"}, "when": "fails is defined"},
            {"name": "Do more", "ansible.builtin.file": {"path": "{{ place }}/more", "state": "touch", "mode": "0600"}},
        ],
    },
]


def eventually(holds: Callable[[], Any], seconds: float = 120) -> None:
    """Ask until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Run:
    """A run that works until it is told to end."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.place = directory / f"place-{len(list(directory.glob('place-*')))}"
        self.place.mkdir()
        self._said = self.place / "output"
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("ansible-playbook"), directory / "work.yml", "-e", f"place={self.place}",
             *arguments],
            cwd=ROOT, stdout=self._said.open("w"), stderr=subprocess.STDOUT, env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip

    @property
    def output(self) -> str:
        return " ".join(self._said.read_text().split())

    @property
    def works(self) -> bool:
        return (self.place / "begun").exists()

    @property
    def did_more(self) -> bool:
        return (self.place / "more").exists()

    def end(self) -> int:
        """Let it end; its exit status."""
        (self.place / "end").touch()
        return self.process.wait(120)


@pytest.fixture
def begin(api: str, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Begins a run, with or without waiting until it works."""
    (tmp_path / "work.yml").write_text(yaml.safe_dump(WORK))
    (tmp_path / "group_vars").symlink_to(ROOT / "group_vars")
    runs = []

    def start(*arguments: str, works: bool = True) -> Run:
        run = Run(tmp_path, *arguments)
        runs.append(run)
        if works:
            eventually(lambda: run.works or run.process.poll() is not None)
            assert run.works, run.output
        return run

    yield start
    for run in runs:
        run.process.kill()
        run.end()


def helpers(run: int) -> list[int]:
    """The processes of a run's warm interpreter: itself, the modules that it runs, and the lock's keeper."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended just now
            arguments = path.read_bytes().split(b"\0")
            if arguments[1:2] == [str(ROOT / "plugins/warm/server.py").encode()] and arguments[3] == str(run).encode():
                found.append(int(path.parent.name))
    return found


def lock() -> dict[str, Any] | None:
    """What the lock says; None where there is none."""
    try:
        answer = boto3.client("s3").get_object(Bucket=BUCKET, Key="lock.json")
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket")
        return None
    found: dict[str, Any] = json.load(answer["Body"])
    return found


def put_lock(**changes: Any) -> None:
    """Write a lock as another's run does."""
    record = {
        "owner": "lee@ci", "command": "site.yml", "process": 7, "run": "1ee1ee1e", "since": "2026-01-01T12:00:00+00:00",
        "seconds": 300, "renewals": 0, **changes,
    }  # fmt: skip
    boto3.client("s3").put_object(Bucket=BUCKET, Key="lock.json", Body=json.dumps(record).encode())


def test_a_second_run_is_refused_or_waits_and_the_lock_is_free_at_the_end(begin: Callable[..., Run]) -> None:
    first = begin()
    found = lock()
    assert found is not None
    assert (found["command"], found["process"]) == ("work.yml", first.process.pid)
    second = begin(works=False)
    assert second.process.wait(120) == 2
    assert f"{found['owner']} holds the lock since {found['since'][:10]} {found['since'][11:19]} UTC" in second.output
    assert f"with work.yml (process {first.process.pid})" in second.output
    assert "-e lock_wait=600" in second.output
    third = begin("-e", "lock_wait=60", works=False)
    eventually(lambda: "Waiting up to 60 s for it." in third.output)
    assert not third.works
    assert first.end() == 0, first.output
    assert third.end() == 0, third.output
    assert lock() is None
    assert not second.works
    assert "changed=2" in first.output, "taking the lock is no change"


def test_a_killed_runs_lock_is_free_when_the_task_that_it_had_begun_has_ended(begin: Callable[..., Run]) -> None:
    killed = begin("-e", "lock_seconds=15")
    before = lock()
    killed.process.kill()
    killed.process.wait()
    eventually(lambda: (lock() or {}).get("renewals", 0) > before["renewals"] + 1 if before else False)
    killed.end()
    eventually(lambda: lock() is None, 15)


def test_a_dead_machines_lock_ends_by_itself_and_another_run_proceeds(begin: Callable[..., Run]) -> None:
    killed = begin("-e", "lock_seconds=15")
    killed.process.kill()
    killed.process.wait()
    for process in helpers(killed.process.pid):
        os.kill(process, signal.SIGKILL)
    found = lock()
    assert found is not None
    following = begin("-e", "lock_wait=60")
    assert lock() != found
    assert following.end() == 0, following.output
    assert lock() is None


@pytest.mark.parametrize("ends", ["a failure", signal.SIGINT, signal.SIGTERM], ids=str)
def test_a_run_that_ends_badly_gives_the_lock_back(ends: Any, begin: Callable[..., Run]) -> None:
    run = begin("-e", "fails=true")
    assert lock()
    if ends == "a failure":
        run.end()
    else:
        run.process.send_signal(ends)
    assert run.process.wait(120) != 0
    assert lock() is None, run.output
    assert not run.did_more


@pytest.mark.parametrize(
    ("loses", "how"),
    [
        (put_lock, "lee@ci holds the lock since 2026-01-01 12:00:00 UTC"),
        (lambda: boto3.client("s3").delete_object(Bucket=BUCKET, Key="lock.json"), "somebody broke it"),
    ],
    ids=["taken", "broken"],
)
def test_a_run_that_has_lost_the_lock_ends_before_its_next_task(
    loses: Callable[[], None], how: str, begin: Callable[..., Run], api: str
) -> None:
    run = begin("-e", "lock_seconds=15")

    def looks() -> int:
        counts = urllib3.request("GET", f"{api}/_lab/requests").json()
        return int(counts["s3"]["GetObject"])

    before = looks()
    loses()
    after = lock()
    eventually(lambda: looks() > before + 1)  # the keeper's, after a renewal that S3 refused
    assert run.end() == 2
    assert f"This run has lost the lock: {how}" in run.output
    assert not run.did_more
    assert lock() == after


def test_a_run_that_touches_nothing_needs_no_lock(begin: Callable[..., Run]) -> None:
    for arguments in (("--check",), ("--tags", "verify")):
        run = begin(*arguments, works=False)
        assert run.end() == 0, run.output
        assert lock() is None
    with pytest.raises(ClientError):
        boto3.client("s3").head_bucket(Bucket=BUCKET)


def test_a_lock_is_broken_by_who_names_its_run(begin: Callable[..., Run]) -> None:
    def unlock(*arguments: str) -> tuple[int, str]:
        command = [Path(sys.executable).with_name("ansible-playbook"), "playbooks/unlock.yml", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "ANSIBLE_NOCOLOR": "1"}, capture_output=True, text=True
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    run = begin(works=False)
    assert run.end() == 0, run.output
    assert "Nobody holds the lock." in unlock()[1]
    put_lock()
    for arguments in ((), ("-e", "confirm=lee@ci")):
        status, said = unlock(*arguments)
        assert status == 2
        assert "lee@ci holds the lock since 2026-01-01 12:00:00 UTC" in said
        assert "write -e confirm=1ee1ee1e." in said
    assert lock()
    assert unlock("-e", "confirm=1ee1ee1e")[0] == 0
    assert lock() is None
