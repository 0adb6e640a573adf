"""The kernel limit that many machines at once meet first, raised while any lab on this machine has machines."""

from __future__ import annotations

import contextlib
from pathlib import Path

# Every systemd holds several; at the usual 128, the fortieth machine fails to boot.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
WANTED = 8192

# What the limit was before the first of the labs raised it. Several may run: tests beside the user's own.
_RECORD = Path("/run/madang/inotify-max-user-instances")


def raise_inotify() -> None:
    """Raise the limit where it is lower, and remember what it was."""
    before = int(INOTIFY.read_text())
    if before < WANTED:
        _RECORD.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError), _RECORD.open("x") as record:
            record.write(f"{before}\n")
        INOTIFY.write_text(f"{WANTED}\n")


def restore_inotify() -> None:
    """Set the limit back to what it was, if a lab raised it."""
    with contextlib.suppress(FileNotFoundError):
        INOTIFY.write_text(_RECORD.read_text())
        _RECORD.unlink()
