"""The callback calm: a task that waits says so, and one that has waited in vain says that it failed."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
WAITS = [
    {"name": "Wait for the third", "set_fact": {"looked": True}, "register": "seen", "until": "seen.attempts == 3",
     "retries": 5, "delay": 0},
    {"name": "Skip it", "debug": {}, "when": "false"},
]  # fmt: skip
IN_VAIN = [{"name": "Wait in vain", "set_fact": {"looked": True}, "until": "false", "retries": 2, "delay": 0}]


class Display:
    """Takes down what is shown."""

    def __init__(self, verbosity: int) -> None:
        self.verbosity, self.lines = verbosity, list[str]()

    def display(self, line: str, color: str | None = None) -> None:
        assert color is None
        self.lines.append(line)


def shown(retries: list[tuple[str, str]], verbosity: int = 0) -> list[str]:
    """What is shown when tasks (by their identifier) look again for a host, one after the other, each three times."""
    callback: Any = runpy.run_path(str(ROOT / "plugins/callback/calm.py"))["CallbackModule"]()
    display = callback._display = Display(verbosity)
    callback._print_task_banner = lambda task: (
        setattr(callback, "_last_task_banner", task._uuid),
        display.lines.append(f"TASK {task._uuid}"),
    )
    callback._dump_results = lambda result: result["msg"]
    for task, host in retries:
        for attempt in (1, 2, 3):
            callback.v2_runner_retry(
                SimpleNamespace(
                    task=SimpleNamespace(_uuid=task, delegate_to=None),
                    host=SimpleNamespace(get_name=lambda host=host: host),
                    result={"retries": 10, "attempts": attempt, "msg": "not yet"},
                )
            )
    return display.lines


def test_each_task_says_once_for_each_host_that_it_waits() -> None:
    assert shown([("1", "db1"), ("1", "db2"), ("2", "db1")]) == [
        *("TASK 1", "waiting: [db1]", "waiting: [db2]"),
        *("TASK 2", "waiting: [db1]"),
    ]


@pytest.mark.parametrize(("verbosity", "more"), [(1, ""), (2, ""), (3, " => not yet")])
def test_with_v_each_attempt_is_told_and_with_vvv_what_it_saw(verbosity: int, more: str) -> None:
    assert shown([("1", "db1")], verbosity) == [
        "TASK 1", *(f"waiting: [db1] (retries left: {left}){more}" for left in (9, 8, 7)),
    ]  # fmt: skip


def run(directory: Path, tasks: list[dict[str, Any]], *arguments: str, **environment: str) -> str:
    """What a run of these tasks says, with the project's own ansible.cfg."""
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    playbook = directory / "play.json"
    playbook.write_text(json.dumps([play]))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
    own = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_HOME": str(directory), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", playbook, *arguments],
        cwd=directory,
        env=inherited | own | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


def test_a_run_that_waits_shows_no_failure(tmp_path: Path) -> None:
    said = run(tmp_path, WAITS)
    assert said.count("waiting: [localhost]\n") == 1
    assert "FAILED" not in said
    assert "ok: [localhost]" in said


def test_the_options_of_the_default_hold(tmp_path: Path) -> None:
    said = run(tmp_path, WAITS, ANSIBLE_DISPLAY_SKIPPED_HOSTS="no")
    assert said.count("TASK [Wait for the third]") == 1
    assert said.index("TASK [Wait for the third]") < said.index("waiting: [localhost]")
    assert "Skip it" not in said
    assert "skipping" not in said


def test_a_run_that_waits_in_vain_says_that_it_failed(tmp_path: Path) -> None:
    said = run(tmp_path, IN_VAIN, "-v")
    assert said.count("waiting: [localhost] (retries left: ") == 2
    # As YAML, which ansible.cfg asks the default for.
    result = said.partition("fatal: [localhost]: FAILED! => \n")[2]
    assert "\n    attempts: 2\n" in result
