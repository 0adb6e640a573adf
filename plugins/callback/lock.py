"""The callback ``lock``: gives the lock back when the run ends, and ends a run that has lost it."""

from __future__ import annotations

DOCUMENTATION = """
    name: lock
    type: aggregate
    short_description: Gives the lock back at the run's end, and ends a run that has lost it
    description:
      - The module C(s3_lease) takes the lock, and a process that it starts renews it. This callback has that process
        give the lock back when the run ends, be it well, by a failure, by Ctrl-C or by SIGTERM.
      - When that process has ended by itself, another run has the lock; this run then ends before its next task.
    author: Madang
"""

import atexit
import fcntl
import os
import runpy
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible import constants
from ansible.plugins.callback import CallbackBase

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]
FAILED = 2


class CallbackModule(CallbackBase):  # type: ignore[misc]  # the base has no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "lock"

    def __init__(self) -> None:
        super().__init__()
        self._keeper: Any = None
        self._alive: Any = None
        self._run = os.getpid()

    def v2_runner_on_ok(self, result: Any) -> None:
        if result.task.action != "s3_lease" or not result.result.get("keeper"):
            return
        self._keeper = load("lock").Keeper(result.result["keeper"])
        # Every worker inherits it; the last of them tells the keeper that nothing of this run lives any more.
        self._alive = (Path(constants.DEFAULT_LOCAL_TMP) / "lock.alive").open("a")
        fcntl.flock(self._alive, fcntl.LOCK_SH)
        atexit.register(self._release)
        before = signal.getsignal(signal.SIGTERM)

        def end(number: int, frame: Any) -> None:
            self._release()
            if callable(before):
                before(number, frame)

        signal.signal(signal.SIGTERM, end)

    def v2_playbook_on_task_start(self, _task: Any, **_: Any) -> None:
        if self._keeper is None or not self._keeper.ended():
            return
        self._keeper = None
        told = Path(constants.DEFAULT_LOCAL_TMP) / "lock.lost"
        how = told.read_text() if told.exists() else "the process that renews it has ended"
        self._display.error(f"This run has lost the lock: {how}. It ends here; run it again when the lock is free.")
        raise SystemExit(FAILED)

    def v2_playbook_on_stats(self, _stats: Any) -> None:
        self._release()

    def _release(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None and os.getpid() == self._run:
            keeper.release()
