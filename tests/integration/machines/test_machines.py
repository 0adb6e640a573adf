from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from machine_world import World

from lab import kernel
from lab.machines import limits, nspawn
from lab.machines.model import Machine
from lab.machines.runner import MachineError, Runner, machine_command, sweep

pytestmark = pytest.mark.namespaces

SCRIPT = b'#!/bin/sh\necho "ran on $(hostname)" > /root/user-data-ran\n'


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def remains(world: World, machine: Machine) -> list[str]:
    """What of the machine is still there: mounts, processes, control groups, its directory."""
    found = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if machine.id in line]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes()
        except OSError:
            continue
        if f"--machine={machine.id}".encode() in command:
            found.append(str(process))
    found += [str(cgroup) for cgroup in nspawn.machine_cgroups(machine.id) if cgroup.exists()]
    directory = world.settings.state / "machines" / machine.id
    return found + ([str(directory)] if directory.exists() else [])


def test_two_instances_boot_with_their_key_hostname_and_user_data_and_leave_nothing(
    world: World, runner: Runner
) -> None:
    machines = [world.machine(1, SCRIPT), world.machine(2, SCRIPT)]
    assert runner.converge(machines) == {machine.id: "running" for machine in machines}
    for machine in machines:
        world.await_banner(machine)
        short = machine.hostname.split(".")[0]
        assert world.ssh(machine, "cloud-init status --wait") == "status: done"
        assert world.ssh(machine, "hostname; hostname -f; id -un").split() == [short, machine.hostname, "admin"]
        assert world.ssh(machine, "sudo cat /root/user-data-ran") == f"ran on {short}"
        assert world.ssh(machine, "systemctl is-system-running --wait") == "running"
        assert world.ssh(machine, "cat /etc/resolv.conf").startswith("nameserver 169.254.169.253\n")
    ids = {world.ssh(machine, "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub") for machine in machines}
    assert len(ids) == 2

    ended = tuple(replace(machine, desired="terminated") for machine in machines)
    assert runner.converge(ended) == {machine.id: "terminated" for machine in machines}
    assert [remains(world, machine) for machine in machines] == [[], []]
    assert set(runner.converge(ended).values()) == {"terminated"}


def test_metadata_is_refused_without_a_token_and_given_with_one(world: World) -> None:
    machine = world.machine(1)
    url = "http://169.254.169.254/latest"
    curl = ("curl", "--silent", "--noproxy", "*", "--max-time", "5")
    assert world.beside(machine, *curl, "--write-out", "%{http_code}", f"{url}/meta-data/instance-id") == "401"
    lifetime = ("-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60")
    token = world.beside(machine, *curl, *lifetime, f"{url}/api/token")
    header = ("-H", f"X-aws-ec2-metadata-token: {token}")
    assert world.beside(machine, *curl, *header, f"{url}/meta-data/instance-id") == machine.id


def test_a_stopped_instance_keeps_its_disk_and_runs_user_data_only_once(world: World, runner: Runner) -> None:
    machine = world.machine(1, b"#!/bin/sh\necho ran >> /root/runs\n")
    runner.converge([machine])
    world.await_banner(machine)
    world.ssh(machine, "cloud-init status --wait; echo kept > note")

    assert runner.converge([replace(machine, desired="stopped")]) == {machine.id: "stopped"}
    assert remains(world, machine) == [str(world.settings.state / "machines" / machine.id)]

    assert runner.converge([machine]) == {machine.id: "running"}
    world.await_banner(machine)
    assert world.ssh(machine, "cloud-init status --wait; cat note; sudo cat /root/runs").split("\n") == [
        "status: done",
        "kept",
        "ran",
    ]


def test_a_reboot_brings_the_same_instance_back(world: World, runner: Runner) -> None:
    machine = world.machine(1)
    runner.converge([machine])
    world.await_banner(machine)
    world.ssh(machine, "cloud-init status --wait; echo kept > note; sudo touch /run/x")
    runner.reboot(machine.id)
    wait_until(lambda: not runner.alive(machine.id))
    assert runner.converge([machine]) == {machine.id: "running"}
    world.await_banner(machine)
    assert world.ssh(machine, "cat note; test -e /run/x || echo fresh").split() == ["kept", "fresh"]


def test_an_instance_that_the_api_was_asked_to_reboot_reboots_once(world: World, runner: Runner) -> None:
    machine = world.machine(1)
    runner.converge([machine])
    world.await_banner(machine)
    world.ssh(machine, "cloud-init status --wait; sudo touch /run/x")
    asked = replace(machine, reboots=1)
    assert runner.converge([asked]) == {machine.id: "running"}
    wait_until(lambda: not runner.alive(machine.id))
    assert runner.converge([asked]) == {machine.id: "running"}
    world.await_banner(machine)
    assert world.ssh(machine, "test -e /run/x || echo fresh") == "fresh"
    world.ssh(machine, "cloud-init status --wait")
    runner.converge([asked])
    assert world.ssh(machine, "systemctl is-system-running --wait") == "running"


def test_an_instance_that_powers_itself_off_is_stopped_until_it_is_started_again(world: World, runner: Runner) -> None:
    machine = world.machine(1)
    runner.converge([machine])
    world.await_banner(machine)
    world.inside(machine, "systemctl", "--no-block", "poweroff")
    wait_until(lambda: not runner.alive(machine.id))
    assert runner.converge([machine]) == {machine.id: "stopped"}
    assert runner.converge([machine]) == {machine.id: "stopped"}
    runner.converge([replace(machine, desired="stopped")])
    assert runner.converge([machine]) == {machine.id: "running"}


def test_a_crashed_instance_is_noticed(world: World, runner: Runner) -> None:
    machine = world.machine(1)
    runner.converge([machine])
    record = world.settings.state / "machines" / machine.id / "pid"
    os.kill(int(record.read_text()), signal.SIGKILL)
    wait_until(lambda: not runner.alive(machine.id))
    assert runner.converge([machine]) == {machine.id: "stopped"}
    with pytest.raises(MachineError, match="not running"):
        runner.reboot(machine.id)


def test_an_instance_that_the_api_has_forgotten_is_terminated(world: World, runner: Runner) -> None:
    machine = world.machine(1)
    runner.converge([machine])
    assert runner.converge([]) == {}
    assert remains(world, machine) == []


def test_an_instance_waits_for_its_network(world: World, runner: Runner) -> None:
    machine = replace(world.machine(1), interface_id="eni-unmade")
    assert runner.converge([machine]) == {}
    assert remains(world, machine) == []


def test_one_that_cannot_boot_is_left_out_and_does_not_keep_the_others_from_booting(
    world: World, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = world.machine(1), world.machine(2)
    (world.settings.state / "machines" / broken.id).mkdir(parents=True)
    (world.settings.state / "machines" / broken.id / "upper").mkdir()  # a disk whose image is lost
    assert runner.converge([broken, sound]) == {sound.id: "running"}
    assert broken.id in caplog.text


def test_a_command_runs_inside_as_root_with_the_machines_own_eyes(world: World, runner: Runner) -> None:
    machine = world.machine(1)
    with pytest.raises(MachineError, match="not running"):
        machine_command(world.settings, machine.id, ["true"])
    runner.converge([machine])
    world.await_banner(machine)
    assert world.inside(machine, "id", "-un") == "root"
    assert world.inside(machine, "hostname", "-f") == machine.hostname
    assert world.inside(machine, "cat", "/proc/1/comm") == "systemd"
    assert "10.99.1.10" in world.inside(machine, "ip", "-4", "-brief", "address", "show", "eth0")


def test_an_instance_can_forward_and_translate_as_nat_instances_do(world: World, runner: Runner) -> None:
    machine = world.machine(1)
    runner.converge([machine])
    world.await_banner(machine)
    assert world.ssh(machine, "sudo sysctl -n -w net.ipv4.ip_forward=1") == "1"
    table = "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }"
    assert "masquerade" in world.ssh(
        machine, f"sudo nft '{table}; add rule ip nat post oifname eth0 masquerade'; sudo nft list ruleset"
    )


def test_a_service_gets_its_secrets_as_systemd_credentials(world: World, runner: Runner) -> None:
    machine = world.machine(1)
    runner.converge([machine])
    world.await_banner(machine)
    options = "-p DynamicUser=yes -p ProtectSystem=strict -p PrivateTmp=yes -p LoadCredential=password:/etc/secret"
    shown = world.ssh(
        machine,
        "echo hush | sudo install -m 600 /dev/stdin /etc/secret; "
        f"sudo systemd-run --quiet --pipe {options} sh -c 'cat $CREDENTIALS_DIRECTORY/password'",
    )
    assert shown == "hush"


DAEMON = """
import sys, time
from machine_world import World
from pathlib import Path
from lab.machines.runner import Runner
world = World(Path(sys.argv[1]), Path(sys.argv[2]))
machine = world.machine(1)
runner = Runner(world.settings, namespace=world.namespace)
assert runner.converge([machine]) == {machine.id: "running"}
world.await_banner(machine)  # before that, its systemd does not hear that it should end
print(machine.id, *world.namespaces, flush=True)
time.sleep(600)
"""


def test_machines_end_with_the_daemon_and_a_sweep_removes_what_is_left(
    cache: Path, tmp_path: Path, world: World
) -> None:
    place = tmp_path / "killed"
    place.mkdir()
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{here}:{here.parents[2]}"}
    command = [sys.executable, "-c", DAEMON, str(place), str(cache)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as daemon:
        assert daemon.stdout is not None
        machine_id, *namespaces = daemon.stdout.readline().split()
        daemon.kill()
    killed = replace(world.machine(1), id=machine_id)
    settings = replace(world.settings, root=place)
    try:
        wait_until(lambda: not [line for line in remains(world, killed) if line.startswith("/proc")])
        assert remains(world, killed), "a killed daemon leaves its mounts; else this test tests nothing"
    finally:
        sweep(settings)
        for namespace in namespaces:
            kernel.run(["ip", "netns", "delete", namespace])
    assert remains(world, killed) == []
    assert not (settings.state / "machines").exists()


def test_the_limit_on_watches_is_raised_while_machines_run(world: World, runner: Runner) -> None:
    runner.converge([world.machine(1)])
    assert int(limits.INOTIFY.read_text()) >= limits.WANTED


def test_a_sweep_ends_machines_that_still_run(world: World, runner: Runner) -> None:
    machine = world.machine(1)
    runner.converge([machine])
    sweep(world.settings)
    assert remains(world, machine) == []
