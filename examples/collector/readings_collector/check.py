"""Health: ``python -m readings_collector.check [SECONDS]`` exits 0 if a round worked within the last SECONDS (60)."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from readings_collector.settings import success_file


def age(path: Path | None, now: float) -> float | None:
    """Return the seconds since the last round that worked, or None if there was none."""
    if path is None:
        return None
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:
        return None


def main(arguments: list[str]) -> int:
    """Return the exit status; say on standard output what was found."""
    limit = float(arguments[0]) if arguments else 60.0
    path = success_file()
    seconds = age(path, time.time())
    if seconds is None:
        print(f"no round has worked yet ({path or 'RUNTIME_DIRECTORY is not set'})")
        return 1
    print(f"the last round that worked was {seconds:.0f} s ago")
    return 0 if seconds <= limit else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
