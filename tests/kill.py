"""Kills a command on its way, as a laptop's battery would."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

import urllib3

from tests.conftest import ROOT


def asked(url: str) -> Mapping[str, Mapping[str, int]]:
    """How often an API was asked for what, by service and action, since that was last forgotten."""
    counts: Mapping[str, Mapping[str, int]] = urllib3.request("GET", f"{url}/_lab/requests", timeout=60).json()
    return counts


def forget(url: str) -> None:
    """Forget what an API was asked for."""
    urllib3.request("DELETE", f"{url}/_lab/requests", timeout=60)


def kill_at(url: str, service: str, action: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command in the checkout, and kill it with all that it started once it has asked the API for the action."""
    forget(url)
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
        while not asked(url).get(service, {}).get(action):
            assert process.poll() is None, f"it ended before {action}: {process.communicate()[0][-3000:]}"
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
