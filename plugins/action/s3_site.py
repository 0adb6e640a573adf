"""Shows how far a long publish is while the s3_site module runs, and in check mode what it would do.

A module cannot speak before it ends, so it writes lines to a file, which this plugin reads meanwhile.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

# A publish that is done by then needs no progress (s).
QUIET = 3.0
SHOWN = ("added", "changed", "removed", "kept", "pruned")  # of the counts that the module returns

display = Display()


class Follower:
    """Shows the lines that a file gains; the ones of the first seconds only when more follow."""

    def __init__(self, path: Path, quiet: float = QUIET) -> None:
        self._path = path
        self._quiet = quiet
        self._ended = threading.Event()
        self._shown = 0
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        wait = self._quiet
        while not self._ended.wait(wait):
            wait = 0.5
            self._show()

    def _show(self) -> None:
        with self._path.open(encoding="utf-8") as file:
            file.seek(self._shown)
            # A line without its end is still being written.
            while (line := file.readline()).endswith("\n"):
                self._shown = file.tell()
                display.display(f"  {line.rstrip()}")


def planned(answer: Mapping[str, Any]) -> str:
    """What the module would do, by what it returned in check mode."""
    counts = [f"{answer['counts'][name]} {name}" for name in SHOWN if answer["counts"][name]]
    what = f"would make release {answer['release']} current: {', '.join(counts) or 'no file changes'}"
    paths = ", ".join(answer["invalidation_paths"])
    return f"{what}; to invalidate: {paths}" if paths else what


class ActionModule(ActionBase):  # type: ignore[misc]  # the base has no types
    """The s3_site module, with progress where it runs on this machine, and the plan in check mode."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        here = self._connection.transport in ("local", "warm_local")
        if not here or "progress_file" in arguments or self._task.async_val:
            return result | self._module(arguments, task_vars)
        with tempfile.NamedTemporaryFile(prefix="s3_site-progress-") as file, Follower(Path(file.name)):
            return result | self._module({**arguments, "progress_file": file.name}, task_vars)

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name="s3_site", module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val
        )
        if self._task.check_mode and answer.get("changed"):
            display.display(f"  {planned(answer)}")
        answer.get("invocation", {}).get("module_args", {}).pop("progress_file", None)
        return answer
