"""The s3_lease module with what only the run itself knows: who runs it, with what, and the process that it lives in."""

from __future__ import annotations

import os
import runpy
import secrets
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible import constants, context
from ansible.plugins.action import ActionBase

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]
ADVICE = (
    "Run again later, or write -e lock_wait=600 to wait up to 600 s for it."
    " If you know that this run is dead: ansible-playbook playbooks/unlock.yml"
)


class ActionModule(ActionBase):  # type: ignore[misc]  # the base has no types
    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if arguments.get("state") == "absent":
            return result | self._module(arguments, task_vars)
        lock = load("lock")
        run = {
            "run": secrets.token_hex(4),
            "owner": lock.owner(),
            "command": lock.command(context.CLIARGS),
            # This is a worker; what lives as long as the run is its parent.
            "process": os.getppid(),
            # Ansible removes it at the run's end.
            "directory": constants.DEFAULT_LOCAL_TMP,
        }
        answer = self._module({**run, **arguments, "wait": 0}, task_vars)
        wait = int(arguments.get("wait") or 0)
        if answer.get("held") and wait:
            self._display.display(f"{answer['msg']}\nWaiting up to {wait} s for it.")
            answer = self._module({**run, **arguments}, task_vars)
        if answer.get("held"):
            answer["msg"] = f"{answer['msg']} {ADVICE}"
        return result | answer

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name="s3_lease", module_args=arguments, task_vars=task_vars
        )
        return answer
