"""The callback ``plan``: in check mode, says at the end what a run would create, change and delete."""

from __future__ import annotations

DOCUMENTATION = """
    name: plan
    type: aggregate
    short_description: What a run in check mode would do, at its end
    description:
      - Collects every result that a task in check mode reports as a change, and prints a summary at the end of the run
        by what would be created, changed (what, from, to) and deleted. Says nothing outside of check mode.
      - Set E(MADANG_PLAN_FILE) to a path to have the same as JSON too.
    author: Madang
"""

import json
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]


def _named(args: Any, *, secret: bool) -> dict[str, Any]:
    """A task's arguments; of one with secrets, those that name the thing."""
    return {key: value for key, value in args.items() if not secret or key in ("name", "path", "dest", "state")}


class CallbackModule(CallbackBase):  # type: ignore[misc]  # the base has no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "plan"

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Any] = []
        self._later: list[str] = []
        self._play = ""
        self._failed = False
        if not context.CLIARGS.get("check"):
            self.disabled = True

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play.get_name()

    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._later.append(self._play)

    def v2_runner_on_ok(self, result: Any) -> None:
        if not result.task.loop:
            self._take(result, result.result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._take(result, result.result)

    def v2_runner_on_failed(self, _result: Any, ignore_errors: bool = False) -> None:
        self._failed = self._failed or not ignore_errors

    def v2_runner_on_unreachable(self, _result: Any) -> None:
        self._failed = True

    def v2_playbook_on_stats(self, _stats: Any) -> None:
        plan = load("plan")
        self._display.display(
            plan.render(self._entries, self._later, complete=not self._failed, colour=sys.stdout.isatty())
        )
        path = os.environ.get("MADANG_PLAN_FILE")
        if path:
            Path(path).write_text(json.dumps(plan.as_json(self._entries, self._later), indent=2) + "\n")

    def _take(self, result: Any, values: Any) -> None:
        if not values.get("changed") or values.get("skipped"):
            return
        task = result.task
        secret = bool(values.get("_ansible_no_log") or task.no_log)
        self._entries += load("plan").entries(
            action=task.action,
            task=task.get_name().split(" : ")[-1],
            host=result.host.get_name(),
            label=str(values.get("_ansible_item_label") or ""),
            # Of what may hold secrets only the name is shown.
            args=_named(result.task_fields.get("args") or {}, secret=secret),
            result={} if secret else values,
        )
