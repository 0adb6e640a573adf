from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.machines import nspawn

HYBRID = """\
30 25 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
32 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
33 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
34 30 0:31 / /sys/fs/cgroup/unified rw,relatime shared:5 - cgroup2 cgroup2 rw
"""
UNIFIED = "34 30 0:31 / /sys/fs/cgroup rw,relatime shared:5 - cgroup2 cgroup2 rw\n"


def test_a_machine_boots_in_its_interfaces_namespace_and_sees_nothing_of_the_hosts_resolver() -> None:
    command = nspawn.boot_command("i-1", Path("/state/i-1/root"), "lab-eni-1")
    assert command[0] == "systemd-nspawn"
    assert {
        "--boot",
        "--machine=i-1",
        "--directory=/state/i-1/root",
        "--network-namespace-path=/run/netns/lab-eni-1",
        "--resolv-conf=off",
        "--timezone=off",
        "--settings=no",
    } <= set(command)


@pytest.mark.parametrize(
    ("mountinfo", "mounts"),
    [
        (HYBRID, ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"]),
        (UNIFIED, ["/sys/fs/cgroup"]),
        ("", []),
    ],
)
def test_a_machine_gets_a_group_of_its_own_in_each_hierarchy_that_systemd_uses(
    mountinfo: str, mounts: list[str]
) -> None:
    assert nspawn.cgroup_hierarchies(mountinfo) == tuple(Path(mount) for mount in mounts)


def test_the_launcher_records_its_pid_and_joins_the_groups_before_it_becomes_the_machine(tmp_path: Path) -> None:
    groups = [tmp_path / "one", tmp_path / "two"]
    for group in groups:
        group.mkdir()
    command = nspawn.launch_command(tmp_path / "pid", groups, ["sh", "-c", "echo $$ $1", "sh", "with space"])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    pid, argument = done.stdout.split(maxsplit=1)
    assert argument == "with space\n"
    for written in (tmp_path / "pid", *(group / "cgroup.procs" for group in groups)):
        assert written.read_text() == f"{pid}\n"


def test_a_machine_that_cannot_join_its_groups_is_not_started(tmp_path: Path) -> None:
    command = nspawn.launch_command(tmp_path / "pid", [tmp_path / "missing"], ["touch", str(tmp_path / "started")])
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    assert not (tmp_path / "started").exists()


def test_a_recorded_pid_that_now_is_another_process_is_not_taken_for_the_machine(tmp_path: Path) -> None:
    record = tmp_path / "pid"
    record.write_text(f"{os.getpid()}\n")
    assert nspawn.recorded_pid(record, "i-1") is None
    record.write_text("")
    assert nspawn.recorded_pid(record, "i-1") is None
    assert nspawn.recorded_pid(tmp_path / "none", "i-1") is None


def test_only_this_machines_own_launcher_is_recognised(tmp_path: Path) -> None:
    record = tmp_path / "pid"
    for name, recognised in (("systemd-nspawn", True), ("less", False)):
        with waiting([name, "-c", "echo started; read x", "--machine=i-1"]) as pid:
            record.write_text(f"{pid}\n")
            assert nspawn.recorded_pid(record, "i-1") == (pid if recognised else None)
            assert nspawn.recorded_pid(record, "i-2") is None


@contextlib.contextmanager
def waiting(arguments: list[str]) -> Iterator[int]:
    """A shell that was called with these arguments and waits; yields its pid."""
    process = subprocess.Popen(arguments, executable="/bin/sh", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        yield process.pid
    finally:
        process.communicate()


def test_a_system_that_still_starts_does_not_hear_the_order_to_halt() -> None:
    assert not nspawn.hears(os.getpid(), signal.SIGRTMIN + 3)
    before = signal.signal(signal.SIGRTMIN + 3, lambda *_: None)
    try:
        assert nspawn.hears(os.getpid(), signal.SIGRTMIN + 3)
    finally:
        signal.signal(signal.SIGRTMIN + 3, before)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN + 3])
    try:
        assert nspawn.hears(os.getpid(), signal.SIGRTMIN + 3)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGRTMIN + 3])


def test_a_command_inside_gets_a_clean_environment() -> None:
    command = nspawn.enter_command(42, ["mysql", "-e", "SELECT 1"])
    assert command[:2] == ["nsenter", "--target=42"]
    assert command[command.index("env") + 1] == "-i"
    assert command[-3:] == ["mysql", "-e", "SELECT 1"]
