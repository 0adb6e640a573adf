"""Kills a command on its way, as a laptop's battery would."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import urllib3

from tests.conftest import ROOT


def asked(url: str) -> Mapping[str, Mapping[str, int]]:
    """How often an API was asked for what, by service and action, since that was last forgotten."""
    counts: Mapping[str, Mapping[str, int]] = urllib3.request("GET", f"{url}/_lab/requests", timeout=60).json()
    return counts


def forget(url: str) -> None:
    """Forget what an API was asked for."""
    urllib3.request("DELETE", f"{url}/_lab/requests", timeout=60)


def family(pid: int) -> Iterator[int]:
    """A process and all below it; Ansible's workers have sessions of their own, which a signal to a group misses."""
    yield pid
    with contextlib.suppress(OSError):  # it ended meanwhile
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from family(int(child))


def kill_at(url: str, service: str, action: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command in the checkout, and kill it with all that it started once it has asked the API for the action."""

    def often() -> int:
        return asked(url).get(service, {}).get(action, 0)

    # What was asked before is not forgotten: others count it too.
    before = often()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        while often() == before:
            assert process.poll() is None, f"it ended before {action}: {process.communicate()[0][-3000:]}"
            time.sleep(0.02)
    finally:
        for pid in list(family(process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(timeout=60)
