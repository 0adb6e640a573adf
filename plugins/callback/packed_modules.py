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
      - What is kept counts for this ansible-core, for the collections as they are installed, and for the modules,
        module_utils, filters and tests of the configured paths and of the roles as they are now. What has not been
        used for a week goes.
    author: Madang
"""

import contextlib
import runpy
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ansible import constants
from ansible.plugins.callback import CallbackBase

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]


class CallbackModule(CallbackBase):  # type: ignore[misc]  # the base has no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "packed_modules"

    def __init__(self) -> None:
        super().__init__()
        # Where it cannot be written, each run packs for itself, as without this callback.
        with contextlib.suppress(OSError):
            packed = Path(constants.DEFAULT_LOCAL_TMP) / "ansiballz_cache"
            packed.symlink_to(load("kept").directory("packed_modules"))
