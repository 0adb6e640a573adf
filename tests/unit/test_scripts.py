"""The scripts behind make, with everything that they would install or start replaced by a note of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT

# What the scripts may use as it is. Nothing else is on their PATH, so that nothing of this machine is changed.
TOOLS = ("bash", "cat", "dirname", "env", "grep", "ln", "mkdir", "mktemp", "sha256sum", "touch")
NOTE = 'printf "%s\\n" "${0##*/} $*" >>"$NOTES"\n'
# An ordinary user whom sudo lets be root, on Debian, with no package installed.
STUBS: Mapping[str, str] = {
    "id": "case $1 in -u) echo 1000 ;; -g) echo 1000 ;; esac",
    "sudo": f'{NOTE}case $1 in -n) exit 0 ;; esac; shift; exec "$@"',
    "apt-get": f'{NOTE}echo "E: apt\'s own words" >&2; exit "${{APT:-0}}"',
    "dpkg-query": "exit 1",
    "tee": "cat >/dev/null",
    "chmod": "",
    "rm": "",
    "find": NOTE,
    "python3": f"""case $* in *version_info*) exit "${{OLD:-0}}" ;; esac
{NOTE}case $* in *preflight) [ -z "${{PROBLEM:-}}" ] || {{ echo "$PROBLEM" >&2; exit 1; }} ;; esac""",
    "uv": f"""{NOTE}case $1 in
venv)
	mkdir -p .venv/bin
	ln -sf "$(command -v uv)" .venv/bin/python
	exit "${{VENV:-0}}"
	;;
pip) exit "${{SYNC:-0}}" ;;
esac""",
}


@dataclass
class Machine:
    """A checkout of the scripts alone, with a PATH of its own; ``calls`` is what was asked of the stubs."""

    checkout: Path
    commands: Path
    calls: list[str] = field(default_factory=list)

    def stub(self, name: str, body: str) -> None:
        path = self.commands / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        notes = self.checkout.parent / "notes"
        notes.write_text("")
        mine = {name: str(self.checkout.parent) for name in ("HOME", "TMPDIR")}
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env={"PATH": str(self.commands), **mine, "NOTES": str(notes), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        self.calls = notes.read_text().splitlines()
        return done


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    found = Machine(tmp_path / "checkout", tmp_path / "commands")
    found.commands.mkdir()
    for name in TOOLS:
        (found.commands / name).symlink_to(str(shutil.which(name)))
    for name, body in STUBS.items():
        found.stub(name, body)
    shutil.copytree(ROOT / "scripts", found.checkout / "scripts")
    for name in ("requirements.lock", "pyproject.toml", ".python-version"):
        shutil.copy(ROOT / name, found.checkout / name)
    return found


def test_setup_looks_at_the_machine_then_for_python_then_installs_and_does_nothing_twice(machine: Machine) -> None:
    assert machine.run("scripts/setup").returncode == 0
    order = [call for call in machine.calls if not call.startswith("sudo ")]
    assert order[0] == "python3 -m lab.preflight"
    assert order[1].startswith("uv venv ")
    assert order[2] == "apt-get -q update"
    assert " install chromium " in order[3]
    assert [call.split()[:3] for call in order[4:6]] == [["uv", "pip", "sync"], ["uv", "pip", "install"]]
    machine.stub("dpkg-query", "echo installed")
    assert machine.run("scripts/setup").returncode == 0
    assert machine.calls == ["python3 -m lab.preflight"]


@pytest.mark.parametrize(
    ("environment", "sentence", "installed"),
    [
        ({"OLD": "1"}, "Madang needs Python 3.12 or newer, and python3 here is too old", []),
        ({"PROBLEM": "Port 8080 is taken."}, "Port 8080 is taken.", []),
        ({"VENV": "2"}, "Madang needs Python 3.12 or newer and none was found;", []),
        ({"APT": "100"}, "apt could not read the package lists;", ["apt-get -q update"]),
        ({"SYNC": "1"}, "The locked Python packages could not be installed;", ["apt-get -q update", "apt-get -q -y"]),
    ],
)
def test_what_setup_cannot_do_is_one_sentence_and_nothing_follows(
    machine: Machine, environment: dict[str, str], sentence: str, installed: list[str]
) -> None:
    done = machine.run("scripts/setup", **environment)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(sentence)
    assert "Traceback" not in done.stderr
    apt = [call for call in machine.calls if call.startswith("apt-get")]
    assert len(apt) == len(installed)
    assert all(call.startswith(begins) for call, begins in zip(apt, installed, strict=True))
    assert not (machine.checkout / ".venv/.locked").exists()


def test_without_python3_setup_says_so_before_anything_else(machine: Machine) -> None:
    (machine.commands / "python3").unlink()
    done = machine.run("scripts/setup")
    assert done.returncode == 1
    assert done.stderr.startswith("Madang needs Python 3; install it")
    assert len(done.stderr.splitlines()) == 1
    assert machine.calls == []


@pytest.mark.parametrize(
    ("arguments", "ran"), [((), "python -m tests.run"), (("tests/e2e",), "python -m pytest tests/e2e")]
)
def test_the_tests_are_roots_and_what_they_leave_is_the_users(
    machine: Machine, arguments: tuple[str, ...], ran: str
) -> None:
    (machine.checkout / ".venv/bin").mkdir(parents=True)
    python = machine.checkout / ".venv/bin/python"
    python.write_text(f"#!/bin/sh\n{NOTE}exit 3\n")
    python.chmod(0o755)
    done = machine.run("scripts/test", *arguments)
    assert done.returncode == 3, done.stderr
    assert f"sudo --preserve-env .venv/bin/{ran}" in machine.calls
    assert machine.calls[machine.calls.index(ran) + 1].startswith("sudo --preserve-env find . ")
    assert " -user root " in machine.calls[-1]
    assert "chown --no-dereference 1000:1000" in machine.calls[-1]
    # Who cannot become root runs what needs no hosts, and has nothing to give back.
    machine.stub("sudo", "exit 1")
    assert machine.run("scripts/test", *arguments).returncode == 3
    assert machine.calls == [ran]


def test_a_scenario_starts_the_lab_as_root_and_remembers_whose_it_is(machine: Machine) -> None:
    start = machine.checkout / "tests/molecule/start_lab"
    start.parent.mkdir(parents=True)
    shutil.copy(ROOT / "tests/molecule/start_lab", start)
    lab = machine.checkout / ".venv/bin/lab"
    lab.parent.mkdir(parents=True)
    lab.write_text(f'#!/bin/sh\n{NOTE}[ "$1" = down ] || echo "==> ${{SAYS:-Starting the lab}}"\n')
    lab.chmod(0o755)
    ours = machine.checkout.parent / "ours"
    for says, status, calls in (
        ("The lab runs already", 0, ["lab up"]),
        ("No hosts here: this is the API-only lab", 1, ["lab up", "lab down"]),
    ):
        assert machine.run(str(start), str(ours), SAYS=says).returncode == status
        assert [call for call in machine.calls if not call.startswith("sudo")] == calls
        assert not ours.exists()
    assert machine.run(str(start), str(ours)).returncode == 0
    assert any(call.startswith("sudo --preserve-env ") and call.endswith("/lab up") for call in machine.calls)
    assert ours.exists()


def test_every_target_of_make_has_a_rule_and_a_line_in_its_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()
    assert sorted(named) == sorted(re.findall(r"^([a-z0-9-]+):.* ## \S", makefile, re.MULTILINE))
