"""What stands in the lab's way is said in one sentence, before anything is started."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lab import control, preflight
from lab.settings import Internet, Settings


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings on ports that the kernel just had free."""
    with socket.socket() as a, socket.socket() as b, socket.socket() as c:
        ports = []
        for sock in (a, b, c):
            sock.bind(("127.0.0.1", 0))
            ports.append(sock.getsockname()[1])
    return Settings(tmp_path / "project", tmp_path / "cache", Internet("198.18.0.0/16"), *ports)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


def test_a_socket_can_be_made_in_a_checkout_of_the_longest_path_and_in_no_longer_one(
    settings: Settings, short_path: Path
) -> None:
    longest = short_path / ("x" * (89 - len(str(short_path)) - 1))
    fits, too_long = (dataclasses.replace(settings, root=root) for root in (longest, Path(f"{longest}x")))
    for each in (fits, too_long):
        each.state.mkdir(parents=True)
    assert preflight.path_too_long(fits) is None
    control.Control(fits.state / "control.sock", lambda _: {}).close()
    assert preflight.path_too_long(too_long) == (
        f"The path of this checkout, {longest}x, has 90 bytes, and the sockets in it leave room for 89; "
        "move it to a directory with a shorter path."
    )
    with pytest.raises(OSError, match="too long"):
        control.Control(too_long.state / "control.sock", lambda _: {})


def test_a_temporary_directory_that_leaves_ansible_no_room_for_its_sockets_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(settings, root=Path("/madang"))
    monkeypatch.setattr(preflight.tempfile, "gettempdir", lambda: "/var/" + "x" * 70)
    assert preflight.path_too_long(settings) is None
    monkeypatch.setattr(preflight.tempfile, "gettempdir", lambda: "/var/" + "x" * 71)
    assert preflight.path_too_long(settings) == (
        f"The path of the temporary directory, /var/{'x' * 71}, has 76 bytes, and Ansible's sockets in it leave room "
        "for 75; choose a shorter one: TMPDIR=/tmp."
    )


@pytest.mark.parametrize(
    ("field", "variable"),
    [("api_port", "LAB_API_PORT"), ("connect_port", "LAB_CONNECT_PORT"), ("edge_port", "LAB_EDGE_PORT")],
)
def test_a_taken_port_is_named_with_the_variable_that_chooses_another(
    settings: Settings, listener: socket.socket, field: str, variable: str
) -> None:
    port = listener.getsockname()[1]
    taken = dataclasses.replace(settings, **{field: port})
    assert preflight.port_taken(taken) == (
        f"Port {port} of 127.0.0.1 is taken; end what listens there, or choose another: {variable}=N."
    )


def test_where_a_lab_was_killed_its_leftovers_are_named_as_what_may_hold_a_port(
    settings: Settings, listener: socket.socket
) -> None:
    settings.state.mkdir(parents=True)
    port = listener.getsockname()[1]
    assert preflight.port_taken(dataclasses.replace(settings, edge_port=port)) == (
        f"Port {port} of 127.0.0.1 is taken; end what a lab that was killed has left (make down), "
        "end what listens there, or choose another: LAB_EDGE_PORT=N."
    )


def test_free_ports_are_no_problem(settings: Settings) -> None:
    assert preflight.port_taken(settings) is None


@pytest.mark.parametrize(
    ("meminfo", "available"),
    [
        ("MemTotal:  8 kB\nMemFree:   1 kB\nMemAvailable:    4096 kB\n", 4096 * 1024),
        ("MemTotal:  8 kB\n", 0),
        ("", 0),
    ],
)
def test_available_memory_is_what_the_kernel_calls_so(meminfo: str, available: int) -> None:
    assert preflight.available_memory(meminfo) == available


@pytest.mark.parametrize(
    ("available", "sentence"),
    [
        (preflight.NEEDED_MEMORY, None),
        (
            preflight.GIB * 3 // 2,
            "1.5 GiB of memory are available and the lab needs 3; end other programs or use a larger machine.",
        ),
    ],
)
def test_too_little_memory_is_said_with_both_numbers(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, available: int, sentence: str | None
) -> None:
    monkeypatch.setattr(preflight, "available_memory", lambda _text: available)
    assert preflight.too_little_memory(settings) == sentence


@pytest.mark.parametrize("short", ["project", "cache"])
def test_too_little_disk_names_the_directory_that_exists(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, short: str
) -> None:
    here = tmp_path / short
    here.mkdir()

    def usage(path: Path) -> Usage:
        return Usage(0, 0, preflight.GIB // 2 if path == here else preflight.NEEDED_DISK)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert preflight.too_little_disk(settings) == (
        f"0.5 GiB are free below {here} and the lab needs 6; free some space there."
    )


def test_just_enough_disk_is_enough_also_where_the_directories_do_not_exist_yet(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, preflight.NEEDED_DISK) if path.exists() else 1)
    assert preflight.too_little_disk(settings) is None


def test_the_first_problem_alone_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "CHECKS", (lambda _s: None, lambda _s: "Second.", lambda _s: "Third."))
    assert preflight.problem(settings) == "Second."
    monkeypatch.setattr(preflight, "CHECKS", (lambda _s: None,))
    assert preflight.problem(settings) is None


def test_an_api_only_lab_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_API_ONLY", "1")
    assert preflight.no_hosts_reason() == "LAB_API_ONLY is set"


def test_other_systems_and_ordinary_users_have_no_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_API_ONLY", raising=False)
    monkeypatch.setattr(preflight.os, "geteuid", lambda: 1000)
    assert preflight.no_hosts_reason() == "network namespaces need root"
    monkeypatch.setattr(preflight.sys, "platform", "darwin")
    assert preflight.no_hosts_reason() == "network namespaces are Linux's, and this is darwin"


def alone(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Ask as scripts/setup does: by any Python, which has nothing but its own library."""
    script = "import sys; sys.path.insert(0, '.'); from lab import preflight; preflight.main()"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        cwd=checkout,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(short_path: Path) -> Path:
    """A checkout of the lab's package alone."""
    shutil.copytree(Path(preflight.__file__).parent, short_path / "lab", ignore=shutil.ignore_patterns("__pycache__"))
    return short_path


def test_before_anything_is_installed_the_sentence_is_said_alone(
    checkout: Path, settings: Settings, listener: socket.socket
) -> None:
    ports = {name: str(getattr(settings, field)) for field, name in preflight.PORT_VARIABLES.items()}
    ports["LAB_EDGE_PORT"] = str(listener.getsockname()[1])
    done = alone(checkout, **ports)
    assert done.returncode == 1
    assert done.stderr == (
        f"Port {ports['LAB_EDGE_PORT']} of 127.0.0.1 is taken; "
        "end what listens there, or choose another: LAB_EDGE_PORT=N.\n"
    )


def test_a_running_lab_of_the_same_checkout_is_in_nobodys_way(checkout: Path, listener: socket.socket) -> None:
    (checkout / ".lab").mkdir()
    running = control.Control(checkout / ".lab/control.sock", lambda _: {})
    try:
        assert alone(checkout, LAB_EDGE_PORT=str(listener.getsockname()[1])).returncode == 0
    finally:
        running.close()
