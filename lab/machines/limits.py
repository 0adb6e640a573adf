"""The kernel limit that many machines at once meet first, raised while a lab runs."""

from __future__ import annotations

import contextlib
from pathlib import Path

# Every systemd holds several; at the usual 128, the fortieth machine fails to boot.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
WANTED = 8192


def raise_inotify(record: Path) -> None:
    """Raise the limit where it is lower, and remember in the directory ``record`` what it was."""
    before = int(INOTIFY.read_text())
    if before < WANTED:
        record.mkdir(parents=True, exist_ok=True)
        note = record / INOTIFY.name
        if not note.exists():
            note.write_text(f"{before}\n")
        INOTIFY.write_text(f"{WANTED}\n")


def restore(record: Path) -> None:
    """Set the limit back to what ``raise_inotify`` found, if it raised it."""
    note = record / INOTIFY.name
    with contextlib.suppress(FileNotFoundError):
        INOTIFY.write_text(note.read_text())
        note.unlink()
