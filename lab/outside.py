"""Runs commands in the lab's internet for the user who started the lab: only root may enter a namespace.

Sudo asks for its password once and on a terminal; what Ansible runs has none.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import Any

from lab.network import names

TIMEOUT = 300.0  # seconds


def run(command: Sequence[str]) -> dict[str, Any]:
    """Run a command: its ``status``, ``output`` and ``errors``, or an ``error``."""
    try:
        done = subprocess.run(
            inside(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False,
            cwd="/",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"error": f"{command[0]} did not end within {TIMEOUT:.0f} s, so it was ended."}
    return {"status": done.returncode, "output": done.stdout, "errors": done.stderr}


def inside(command: Sequence[str]) -> list[str]:
    """The command line that enters the namespace, and leaves root where the lab was started by sudo."""
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    leave = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs", "--"] if user else []
    return ["ip", "netns", "exec", names.INTERNET, *leave, *command]
