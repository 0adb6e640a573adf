"""Which of Ansible's commands the warm interpreter takes, and which go the stock way."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
python_environment: Callable[[str, str], dict[str, str] | None] = runpy.run_path(
    str(ROOT / "plugins/connection/warm_local.py")
)["python_environment"]
PYTHON = "/opt/venv/bin/python"


@pytest.mark.parametrize(
    ("command", "environment"),
    [
        (f"/bin/sh -c '{PYTHON} && sleep 0'", {}),
        (f"/bin/sh -c '{PYTHON}'", {}),
        (f"sh -c '{PYTHON} && sleep 0'", {}),
        (f"/bin/sh -c 'AWS_REGION=eu-west-1 {PYTHON} && sleep 0'", {"AWS_REGION": "eu-west-1"}),
        (f"/bin/sh -c 'A=1 B_2=x=y {PYTHON} && sleep 0'", {"A": "1", "B_2": "x=y"}),
        (f"/bin/sh -c 'EMPTY= {PYTHON} && sleep 0'", {"EMPTY": ""}),
        (f"/bin/sh -c 'WORDS='\"'\"'two words'\"'\"' {PYTHON} && sleep 0'", {"WORDS": "two words"}),
    ],
)
def test_a_pipelined_module_is_taken_with_the_environment_it_asks_for(
    command: str, environment: dict[str, str]
) -> None:
    assert python_environment(command, PYTHON) == environment


@pytest.mark.parametrize(
    "command",
    [
        "/bin/sh -c '/usr/bin/python3 && sleep 0'",
        f"/bin/sh -c '{PYTHON} -c pass && sleep 0'",
        f"/bin/sh -c '{PYTHON} /tmp/AnsiballZ_x.py && sleep 0'",
        f"/bin/sh -c 'sudo {PYTHON} && sleep 0'",
        f"/bin/sh -c 'cd /tmp && {PYTHON} && sleep 0'",
        f"/bin/sh -c '1A=x {PYTHON} && sleep 0'",
        f"/bin/sh -c '{PYTHON}; reboot'",
        f"/bin/sh -c '{PYTHON} && sleep 1'",
        f"/bin/bash -c '{PYTHON} && sleep 0'",
        f"/bin/sh -x '{PYTHON} && sleep 0'",
        f"/bin/sh -c '{PYTHON} && sleep 0' more",
        "/bin/sh -c 'echo ~ && sleep 0'",
        "/bin/sh -c ''",
        "/bin/sh -c 'unbalanced",
        PYTHON,
        "",
    ],
)
def test_anything_else_goes_the_stock_way(command: str) -> None:
    assert python_environment(command, PYTHON) is None
