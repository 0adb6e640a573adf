"""Who takes the lock, and the process that keeps it: what the action s3_lease and the callback lock share."""

from __future__ import annotations

import getpass
import os
import select
import shlex
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any


def command(options: Mapping[str, Any]) -> str:
    """The run's command line as others may read it: without -e, which may hold secrets."""
    words = [Path(each).name for each in options.get("args") or ()]
    for name in ("tags", "skip_tags"):
        chosen: Sequence[str] = [each for each in options.get(name) or () if each != "all"]
        if chosen:
            words += [f"--{name.replace('_', '-')}", ",".join(chosen)]
    if options.get("subset"):
        words += ["--limit", str(options["subset"])]
    return shlex.join(words)


def owner() -> str:
    """The user and the machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


class Keeper:
    """The process that renews the lease; it lives for as long as the lease is ours."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._end: int | None = None
        if sys.platform == "linux":
            with suppress(ProcessLookupError):
                self._end = os.pidfd_open(process)

    def ended(self, within: float = 0) -> bool:
        """Whether it has ended; waits so long for that (s)."""
        if self._end is not None:
            return bool(select.select([self._end], [], [], within)[0])
        if within:
            select.select([], [], [], within)
        try:
            os.kill(self._process, 0)
        except ProcessLookupError:
            return True
        return sys.platform == "linux"  # it had ended before it could be watched

    def release(self, within: float = 10) -> None:
        """Have it give the lease back, and wait for that."""
        if not self.ended():
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGTERM)
            self.ended(within)
