"""One lab a machine: its kernel objects have fixed names, so two would take each other's away."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

PATH = Path("/run/madang/lab.lock")


class Taken(RuntimeError):
    """Another checkout's lab holds the machine."""


def take(root: Path, path: Path = PATH) -> IO[str]:
    """Hold the machine for the lab of the checkout ``root`` until the result is closed; raise Taken otherwise."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    stream = path.open("a+")
    os.set_inheritable(stream.fileno(), False)
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.seek(0)
        holder = stream.read().strip() or "another checkout"
        stream.close()
        raise Taken(
            f"The lab of {holder} runs on this machine, and there is place for one; end it there: make down"
        ) from None
    stream.truncate(0)
    stream.write(f"{root}\n")
    stream.flush()
    return stream
