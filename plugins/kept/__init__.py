"""What one run of Ansible keeps for the next: directories in its home, named by the code that they were made from."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ansible import constants
from ansible.release import __version__

UNUSED = 7 * 86400
# What a role may bring along that a packed module or a compiled template is made from.
OF_ROLES = ("library", "module_utils", "filter_plugins", "test_plugins")


def sources() -> Iterator[Path]:
    """The files of code that counts: those of the configured paths and of the roles, and each collection's manifest."""
    configured = (
        *constants.DEFAULT_MODULE_PATH,
        *constants.DEFAULT_MODULE_UTILS_PATH,
        *constants.DEFAULT_FILTER_PLUGIN_PATH,
        *constants.DEFAULT_TEST_PLUGIN_PATH,
    )
    own = [Path(path) for path in configured]
    for roles in map(Path, constants.DEFAULT_ROLES_PATH):
        own += [path for name in OF_ROLES for path in roles.glob(f"*/{name}")]
    for directory in own:
        yield from sorted(directory.rglob("*.py"))
    for path in dict.fromkeys((*constants.COLLECTIONS_PATHS, *sys.path)):
        yield from sorted(Path(path).glob("ansible_collections/*/*/MANIFEST.json"))


@functools.cache
def fingerprint() -> str:
    """What these files are now; looked at once in a run."""
    digest = hashlib.sha256(sys.version.encode())
    for file in sources():
        found = file.stat()
        digest.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def key(version: str) -> str:
    """A name for what this version of something makes of the code as it is now."""
    return hashlib.sha256(f"{version} {fingerprint()}".encode()).hexdigest()[:16]


def prune(kept: Path, now: float) -> None:
    """Remove what no run has used for a week."""
    for directory in kept.iterdir():
        if now - directory.stat().st_mtime > UNUSED:
            shutil.rmtree(directory, ignore_errors=True)


def directory(kind: str, version: str = __version__) -> Path:
    """Where this run finds and keeps what is called ``kind``; the directory is the user's alone.

    ``version`` is that of whatever makes it. Raises OSError where nothing can be kept.
    """
    kept = Path(constants.ANSIBLE_HOME) / kind
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    if kept.stat().st_uid != os.getuid():
        # Whoever owns it could have other code run in its place.
        raise PermissionError(f"{kept} belongs to somebody else")
    found = kept / key(version)
    found.mkdir(mode=0o700, exist_ok=True)
    found.touch()
    prune(kept, time.time())
    return found
