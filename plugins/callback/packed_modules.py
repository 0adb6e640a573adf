"""The callback ``packed_modules``: keeps the modules that Ansible has packed, for the next run."""

from __future__ import annotations

DOCUMENTATION = """
    name: packed_modules
    type: aggregate
    short_description: Keeps the modules that Ansible has packed for the next run
    description:
      - Before Ansible sends a module anywhere it parses it, and all code that it imports, and packs both. Each run
        does so once for each of its modules, which is a quarter of the processor time of a run that changes nothing.
      - This callback has every run pack into one directory, C(packed_modules) in Ansible's home (C(~/.ansible)),
        so that a module is packed again only when its code has changed.
      - No argument of a task stands there, only code; the directory is the user's alone.
      - What is kept counts for this ansible-core, for the collections as they are installed, and for the modules and
        module_utils of the configured paths and of the roles as they are now. What has not been used for a week goes.
    author: Madang
"""

import contextlib
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible import constants
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__

UNUSED = 7 * 86400


def sources() -> Iterator[Path]:
    """The files that say which code a module is packed from: those of the configured paths and of the roles, and each
    collection's manifest."""
    own = [Path(path) for path in (*constants.DEFAULT_MODULE_PATH, *constants.DEFAULT_MODULE_UTILS_PATH)]
    for roles in map(Path, constants.DEFAULT_ROLES_PATH):
        own += [*roles.glob("*/library"), *roles.glob("*/module_utils")]
    for directory in own:
        yield from sorted(directory.rglob("*.py"))
    for path in dict.fromkeys((*constants.COLLECTIONS_PATHS, *sys.path)):
        yield from sorted(Path(path).glob("ansible_collections/*/*/MANIFEST.json"))


def key(version: str, files: Iterable[Path]) -> str:
    """A name for what is packed from these files as they are now."""
    digest = hashlib.sha256(f"{version} {sys.version}".encode())
    for file in files:
        found = file.stat()
        digest.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def prune(kept: Path, now: float) -> None:
    """Remove what no run has used for a week."""
    for directory in kept.iterdir():
        if now - directory.stat().st_mtime > UNUSED:
            shutil.rmtree(directory, ignore_errors=True)


def keep(packed: Path, home: Path, name: str) -> None:
    """Have what Ansible packs into ``packed`` stand in the directory ``name`` of what is kept."""
    kept = home / "packed_modules"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    if kept.stat().st_uid != os.getuid():
        return  # whoever owns it could have other code run in its place
    directory = kept / name
    directory.mkdir(mode=0o700, exist_ok=True)
    directory.touch()
    prune(kept, time.time())
    packed.symlink_to(directory)


class CallbackModule(CallbackBase):  # type: ignore[misc]  # the base has no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "packed_modules"

    def __init__(self) -> None:
        super().__init__()
        # Where it cannot be written, each run packs for itself, as without this callback.
        with contextlib.suppress(OSError):
            packed = Path(constants.DEFAULT_LOCAL_TMP) / "ansiballz_cache"
            keep(packed, Path(constants.ANSIBLE_HOME), key(__version__, sources()))
