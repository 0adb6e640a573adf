"""What the service role refuses, before it asks the host anything: one play tries everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SECRET = {"name": "password", "variable": "PASSWORD_FILE", "content": "a word"}

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a name that systemd would refuse": (
        {"service_name": "My Service"},
        'service_name is "My Service"; write lower-case',
    ),
    "a name too long": ({"service_name": "a" * 32}, "at most 31"),
    "no sources": ({"service_source": "examples/nowhere"}, 'service_source is "examples/nowhere"'),
    "no lock file": ({"service_requirements": "locked.txt"}, "uv pip compile --universal --generate-hashes"),
    "an unknown runtime": ({"service_runtime": "cobol"}, "value of service_runtime must be one of: python"),
    "a setting's name with a hyphen": ({"service_environment": {"A-B": 1}}, "service_environment has the names A-B"),
    "a secret's name with a slash": (
        {"service_credentials": [SECRET | {"name": "../password"}]},
        "service_credentials has the names ../password",
    ),
    "a secret twice": ({"service_credentials": [SECRET, SECRET]}, "service_credentials has a name twice"),
    "an empty secret": ({"service_credentials": [SECRET | {"content": ""}]}, "has no content for password"),
    "two kinds of health": (
        {"service_health_url": "http://127.0.0.1/", "service_health_command": "true"},
        "service_health_url and service_health_command are both set",
    ),
    "no release to return to": ({"service_keep_releases": 1}, "service_keep_releases is 1; write 2 or more"),
    "no command": ({"service_command": None}, "service_command"),
}


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the role said to each case. The host has no Python, so asking it anything fails otherwise."""
    directory = tmp_path_factory.mktemp("validation")
    good = {"service_name": "web", "service_source": "examples/backend", "service_command": "python3 -m readings_api"}
    tasks = [
        {
            "block": [
                {
                    "ansible.builtin.include_role": {"name": "service"},
                    "vars": {name: value for name, value in (good | wrong).items() if value is not None},
                }
            ],
            "rescue": [
                {
                    "ansible.builtin.copy": {
                        "content": "{{ ansible_failed_result.msg }}",
                        "dest": str(directory / f"{number}.said"),
                        "mode": "0600",
                    },
                    "delegate_to": "localhost",
                }
            ],
        }
        for number, (wrong, _) in enumerate(CASES.values())
    ]
    hosts = {
        "web-host": {"ansible_connection": "local", "ansible_python_interpreter": "/nowhere/python"},
        "localhost": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
    }
    (directory / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    (directory / "play.json").write_text(json.dumps([{"hosts": "web-host", "gather_facts": False, "tasks": tasks}]))
    (directory / "ansible.cfg").touch()
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(directory / "hosts.json"), "play.json"],
        cwd=directory,
        env=os.environ | {"ANSIBLE_CONFIG": str(directory / "ansible.cfg"), "ANSIBLE_ROLES_PATH": str(ROOT / "roles")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "failed=0" in done.stdout, done.stdout + done.stderr
    return {
        case: (directory / f"{number}.said").read_text() if (directory / f"{number}.said").exists() else "(nothing)"
        for number, case in enumerate(CASES)
    }


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_the_variable_and_what_to_write(messages: dict[str, str], case: str) -> None:
    assert CASES[case][1] in messages[case]


def test_no_message_holds_a_secret(messages: dict[str, str]) -> None:
    assert [case for case, message in messages.items() if SECRET["content"] in message] == []
