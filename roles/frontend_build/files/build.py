"""Install what package-lock.json says, where that is not installed yet, and build. Works in the sources' directory.

Used as ``build.py NPM SCRIPT RECORD INSTALLS``: the file RECORD says INSTALLS where the installation is the right one.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path


def main(npm: str, script: str, record: str, installs: str) -> int:
    """Return the exit status of the first command that fails."""
    # What a run that was killed had begun goes on without it; the next run's waits here until that has ended.
    fcntl.flock(os.open(".", os.O_RDONLY), fcntl.LOCK_EX)
    recorded = Path(record)
    if not recorded.is_file() or recorded.read_text() != installs:
        status = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], check=False).returncode
        if status:
            return status
        recorded.write_text(installs)
    return subprocess.run([npm, "run", script], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
