"""What runs in the lab's internet for a user who is not root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab import cli, control, outside
from lab.settings import Internet, Settings


def test_a_lab_that_root_started_enters_the_internet_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert outside.inside(["curl", "x"]) == ["ip", "netns", "exec", "lab-internet", "curl", "x"]


@pytest.mark.namespaces
def test_a_lab_that_sudo_started_leaves_root_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "65534")
    monkeypatch.setenv("SUDO_GID", "65533")
    line = outside.inside(["sh", "-c", "id -u; id -g; id -G; grep NoNewPrivs /proc/self/status"])
    assert line[:4] == ["ip", "netns", "exec", "lab-internet"]
    done = subprocess.run(line[4:], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["65534", "65533", "65533", "NoNewPrivs:", "1"]


def test_a_command_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "TIMEOUT", 0.01)
    monkeypatch.setattr(outside, "inside", list)
    assert outside.run(["sleep", "60"]) == {"error": "sleep did not end within 0 s, so it was ended."}


def test_without_a_terminal_the_daemon_is_asked_instead_of_sudo(
    short_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(short_path, short_path, Internet("198.18.0.0/16"))
    asked: list[Any] = []

    def answer(request: Any) -> dict[str, Any]:
        asked.append(request)
        return {"status": 3, "output": "out\n", "errors": "err\n"}

    settings.state.mkdir(exist_ok=True)
    monkeypatch.setattr(cli, "needs_sudo", lambda *_: True)
    monkeypatch.setattr(sys, "stdin", Path(os.devnull).open())  # noqa: SIM115 - the interpreter's own stays open too
    server = control.Control(settings.state / "control.sock", answer)
    try:
        with pytest.raises(SystemExit) as ended:
            cli.execute(settings, cli.parser().parse_args(["exec", "internet", "--", "curl", "x"]))
    finally:
        server.close()
    assert ended.value.code == 3
    assert asked == [{"call": "internet", "command": ["curl", "x"]}]
    assert capsys.readouterr() == ("out\n", "err\n")
