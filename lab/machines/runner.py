"""Boots, stops, reboots and terminates machines, so that those that should run do."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import kernel
from lab.machines import image, limits, nspawn
from lab.machines.disk import Disk, first_files
from lab.machines.model import DesiredState, Machine
from lab.settings import Settings

log = logging.getLogger(__name__)

STOP_SECONDS = 20.0
TERMINATE_SECONDS = 5.0
_LEADER_SECONDS = 10.0
_POLL_SECONDS = 0.01

# nspawn's own exit status when its machine rebooted and whoever started it should do so again (EXIT_FORCE_RESTART).
_REBOOTED = 133
# What systemd takes as orders to halt, which nspawn passes on, and to reboot cleanly (systemd(1), Signals).
_HALT = signal.SIGRTMIN + 3
_REBOOT = signal.SIGRTMIN + 5


class MachineError(RuntimeError):
    """A machine is not in the state that the request needs."""


def _namespace(interface_id: str) -> str:
    return f"lab-{interface_id}"


class Runner:
    """The machines of one lab. ``namespace`` names the network namespace of an interface, made by the network part.

    Machines end when this process does. Use one Runner a lab, and close() it.
    """

    def __init__(self, settings: Settings, *, namespace: Callable[[str], str] = _namespace) -> None:
        self._settings = settings
        self._namespace = namespace
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: set[str] = set()
        # How often each had been asked to reboot when it last began to.
        self._reboots: dict[str, int] = {}
        self._lock = threading.Lock()
        # nspawn ends with the thread that started it, so one thread starts all and lives as long as the Runner.
        self._launcher = ThreadPoolExecutor(1, thread_name_prefix="launcher")
        self._workers = ThreadPoolExecutor(16, thread_name_prefix="machine")

    def converge(self, machines: Sequence[Machine]) -> dict[str, DesiredState]:
        """Make the machines match, in parallel, and return the state that each is now in.

        A machine whose ``reboots`` grew is asked to reboot, and one that
        rebooted is started again. One that ended by itself
        (``poweroff`` inside, a crash) is reported ``stopped`` and not started
        again until it was asked to stop.
        One whose network namespace does not exist yet, or whose boot failed
        (see the log), is left out. Machines that are not in ``machines`` any
        more are terminated.
        """
        with self._lock:
            self._collect_ended()
            known = {machine.id for machine in machines}
            gone = [machine_id for machine_id in self._on_disk() if machine_id not in known]
            list(self._workers.map(self._guarded_terminate, gone))
            states = self._workers.map(self._guarded_converge, machines)
            return {machine.id: state for machine, state in zip(machines, states, strict=True) if state}

    def alive(self, machine_id: str) -> bool:
        """Tell whether the machine's process runs now."""
        process = self._processes.get(machine_id)
        return process is not None and process.poll() is None

    def reboot(self, machine_id: str) -> None:
        """Ask the machine to reboot, as RebootInstances does; returns at once.

        The converge() after it went down starts it again. Raises MachineError when it is not running.
        """
        process = self._processes.get(machine_id)
        leader = nspawn.leader(process.pid) if process else None
        if leader is None:
            raise MachineError(f"{machine_id} is not running, so it cannot reboot; start it first.")
        os.kill(leader, _REBOOT)

    def console(self, machine_id: str) -> Path:
        """Return the machine's console log."""
        return self._disk(machine_id).console

    def close(self, seconds: float = TERMINATE_SECONDS) -> None:
        """Stop every machine, killing those that take longer than ``seconds``; disks stay. Ends the Runner."""
        with self._lock:
            list(self._workers.map(lambda machine_id: self._stop(machine_id, seconds), list(self._processes)))
            self._workers.shutdown()
            self._launcher.shutdown()
            _restore_limits()

    def _guarded_converge(self, machine: Machine) -> DesiredState | None:
        try:
            return self._converge(machine)
        except (kernel.KernelError, OSError, MachineError, image.ImageError) as error:
            log.error("Machine %s (%s): %s", machine.id, machine.name, error)
            return None

    def _guarded_terminate(self, machine_id: str) -> None:
        try:
            self._terminate(machine_id)
        except (kernel.KernelError, OSError) as error:
            log.error("Machine %s could not be removed: %s", machine_id, error)

    def _converge(self, machine: Machine) -> DesiredState | None:
        if machine.desired == "terminated":
            self._terminate(machine.id)
            return "terminated"
        if machine.desired == "stopped":
            self._stop(machine.id, STOP_SECONDS)
            self._ended.discard(machine.id)
            return "stopped"
        if machine.id in self._ended:
            return "stopped"
        if machine.id in self._processes:
            self._reboot_if_asked(machine)
            return "running"
        return self._boot(machine)

    def _reboot_if_asked(self, machine: Machine) -> None:
        """One that only just starts does not hear it; the next converge() asks again."""
        leader = nspawn.leader(self._processes[machine.id].pid)
        if machine.reboots > self._reboots[machine.id] and leader and nspawn.hears(leader, _REBOOT):
            self.reboot(machine.id)
            self._reboots[machine.id] = machine.reboots

    def _boot(self, machine: Machine) -> DesiredState | None:
        namespace = self._namespace(machine.interface_id)
        if not (kernel.NETNS / namespace).exists():
            return None
        disk = self._disk(machine.id)
        if not disk.mounted():
            disk.mount(image.ensure(self._settings, log.info), first_files(machine))
        limits.raise_inotify()
        cgroups = nspawn.machine_cgroups(machine.id)
        nspawn.make_cgroups(cgroups)
        boot = nspawn.boot_command(machine.id, disk.tree, namespace)
        command = nspawn.launch_command(disk.pid_file, cgroups, boot)
        process = self._launcher.submit(_launch, command, disk.console).result()
        self._processes[machine.id] = process
        self._reboots[machine.id] = machine.reboots
        if not _await_leader(process):
            self._stop(machine.id, 0)
            last = "\n".join(disk.console.read_text(errors="replace").splitlines()[-5:])
            raise MachineError(f"did not boot. The console's last lines ({disk.console}):\n{last}")
        return "running"

    def _stop(self, machine_id: str, seconds: float) -> None:
        process = self._processes.get(machine_id)
        if process is None:
            return
        _end(process, seconds)
        self._release(machine_id, process)

    def _release(self, machine_id: str, process: subprocess.Popen[bytes]) -> None:
        """Kill what still runs of a machine, and give back what it held, save its disk's content."""
        disk = self._disk(machine_id)
        cgroups = nspawn.machine_cgroups(machine_id)
        nspawn.kill(cgroups)
        process.wait()
        disk.unmount()
        nspawn.remove_cgroups(cgroups)
        disk.pid_file.unlink(missing_ok=True)
        self._processes.pop(machine_id, None)

    def _terminate(self, machine_id: str) -> None:
        self._stop(machine_id, TERMINATE_SECONDS)
        self._ended.discard(machine_id)
        self._disk(machine_id).remove()

    def _collect_ended(self) -> None:
        for machine_id, process in list(self._processes.items()):
            if process.poll() is None:
                continue
            self._release(machine_id, process)
            if process.returncode != _REBOOTED:
                log.warning("Machine %s ended by itself (exit status %s)", machine_id, process.returncode)
                self._ended.add(machine_id)

    def _disk(self, machine_id: str) -> Disk:
        return Disk(self._settings.state / "machines" / machine_id)

    def _on_disk(self) -> list[str]:
        return [disk.directory.name for disk in _disks(self._settings)]


def machine_command(settings: Settings, machine_id: str, argv: Sequence[str]) -> list[str]:
    """Return the command that runs ``argv`` as root inside a running machine; works in any process of the host.

    Raises MachineError when the machine is not running.
    """
    disk = Disk(settings.state / "machines" / machine_id)
    pid = nspawn.recorded_pid(disk.pid_file, machine_id)
    leader = nspawn.leader(pid) if pid else None
    if leader is None:
        raise MachineError(f"{machine_id} is not running.")
    return nspawn.enter_command(leader, argv)


def sweep(settings: Settings) -> None:
    """Remove what a lab that was killed left behind: processes, mounts, control groups, disks, raised limits."""
    for disk in _disks(settings):
        cgroups = nspawn.machine_cgroups(disk.directory.name)
        nspawn.kill(cgroups)
        disk.remove()
        nspawn.remove_cgroups(cgroups)
    shutil.rmtree(settings.state / "machines", ignore_errors=True)
    _restore_limits()


def _restore_limits() -> None:
    if not nspawn.any_machine():  # another lab's, a test's perhaps
        limits.restore_inotify()


def _disks(settings: Settings) -> list[Disk]:
    return [Disk(path) for path in sorted((settings.state / "machines").glob("*")) if path.is_dir()]


def _launch(command: Sequence[str], console: Path) -> subprocess.Popen[bytes]:
    with console.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=nspawn.ENVIRONMENT,
            start_new_session=True,  # Ctrl-C at the daemon must not reach the machines
        )


def _await_leader(process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _LEADER_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if nspawn.leader(process.pid):
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask nspawn to shut its machine down, and give it ``seconds``; in vain while the machine only just starts."""
    leader = nspawn.leader(process.pid)
    if seconds > 0 and leader and nspawn.hears(leader, _HALT):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
