"""Runs a role on this machine, as a play of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Play:
    """What a play said, and how many tasks changed or failed."""

    output: str
    changed: int
    failed: int


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Play]:
    """Run a role with these variables."""
    directory = tmp_path_factory.mktemp("play")
    (directory / "ansible.cfg").touch()
    environment = {
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
        "ANSIBLE_LOCAL_TEMP": str(directory / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
    }
    playbook, given = directory / "play.json", directory / "variables.json"

    def run(role: str, *arguments: str, **variables: Any) -> Play:
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "roles": [role]}]))
        given.write_text(json.dumps({"ansible_python_interpreter": sys.executable, **variables}, default=str))
        program = str(Path(sys.executable).parent / "ansible-playbook")
        done = subprocess.run(
            [program, "-i", "localhost,", "-c", "local", "-e", f"@{given}", *arguments, str(playbook)],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        recap = re.search(r"changed=(\d+).*failed=(\d+)", output)
        assert recap, output
        return Play(output, int(recap[1]), int(recap[2]))

    return run
