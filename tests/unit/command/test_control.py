"""The socket over which the command asks the daemon."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from lab import control


def test_the_answer_comes_back_for_the_call_and_its_arguments(short_path: Path) -> None:
    path = short_path / "control.sock"
    server = control.Control(path, lambda request: {"asked": dict(request)})
    try:
        assert control.ask(path, "status", name="ö") == {"asked": {"call": "status", "name": "ö"}}
        assert control.ask(path, "other") == {"asked": {"call": "other"}}
    finally:
        server.close()


def test_only_the_user_who_runs_the_lab_may_ask_it(short_path: Path) -> None:
    path = short_path / "control.sock"
    server = control.Control(path, lambda _request: {})
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        server.close()


def test_whoever_started_the_lab_with_sudo_may_ask_it(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Path, int, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((path, user, group)))
    monkeypatch.setenv("SUDO_UID", "12345")
    path = short_path / "control.sock"
    control.Control(path, lambda _request: {}).close()
    assert given == [(path, 12345, -1)]


def test_a_socket_that_a_killed_lab_left_is_replaced(short_path: Path) -> None:
    path = short_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(control.NotRunning, match="Start it with: make up"):
        control.ask(path, "status")
    server = control.Control(path, lambda _request: {"new": True})
    try:
        assert control.ask(path, "status") == {"new": True}
    finally:
        server.close()


def test_without_a_lab_the_command_says_how_to_start_one(short_path: Path) -> None:
    with pytest.raises(control.NotRunning, match=r"is not running\. Start it with: make up"):
        control.ask(short_path / "control.sock", "status")


def test_a_lab_that_ends_while_it_is_asked_is_told_from_none(short_path: Path) -> None:
    path = short_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def end() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                stream.readline()

        thread = threading.Thread(target=end)
        thread.start()
        with pytest.raises(control.NotRunning, match="ended while it was asked"):
            control.ask(path, "status")
        thread.join()
