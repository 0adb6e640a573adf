"""How a machine is launched and found again: commands, control groups, process ids."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

from lab.kernel import NETNS

# The launcher records its pid, moves itself into the machine's control groups, and becomes nspawn, which ends when
# the thread that started it does. Arguments: PID-FILE COUNT CGROUP-FILE… COMMAND…
_LAUNCHER = """
echo $$ > "$1"; count=$2; shift 2
while [ "$count" -gt 0 ]; do echo $$ > "$1" || exit 1; shift; count=$((count - 1)); done
exec setpriv --pdeathsig TERM "$@"
"""

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    # The guest's systemd knows only cgroup v2; the machine may still mount v1.
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
    # A NAT instance sets net.ipv4.ip_forward; nspawn leaves it read-only where it did not make the namespace itself.
    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
}


def boot_command(machine_id: str, tree: Path, namespace: str) -> list[str]:
    """Return the command that boots the tree as a machine inside the network namespace."""
    return [
        *(
            "systemd-nspawn",
            "--quiet",
            "--settings=no",
            "--boot",
            "--register=no",
            "--keep-unit",
            "--console=read-only",
        ),
        *("--resolv-conf=off", "--timezone=off", "--link-journal=no", "--capability=CAP_NET_ADMIN"),
        f"--network-namespace-path={NETNS / namespace}",
        f"--machine={machine_id}",
        f"--directory={tree}",
    ]


def launch_command(pid_file: Path, cgroups: Sequence[Path], boot: Sequence[str]) -> list[str]:
    """Wrap the boot command in the launcher; ``cgroups`` are the machine's own, one in each hierarchy."""
    members = [str(cgroup / "cgroup.procs") for cgroup in cgroups]
    return ["/bin/sh", "-c", _LAUNCHER, "launch", str(pid_file), str(len(members)), *members, *boot]


def cgroup_hierarchies(mountinfo: str) -> tuple[Path, ...]:
    """Return where the hierarchies that a machine needs a group of its own in are mounted: v2, v1's systemd, memory."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        controllers = options.split(",")
        if kind == "cgroup2" or (kind == "cgroup" and ("name=systemd" in controllers or "memory" in controllers)):
            found.append(Path(before.split(" ")[4]))
    return tuple(found)


def machine_cgroups(machine_id: str) -> tuple[Path, ...]:
    """Return this machine's control groups, whether they exist or not."""
    mountinfo = Path("/proc/self/mountinfo").read_text()
    return tuple(mount / "madang" / machine_id for mount in cgroup_hierarchies(mountinfo))


def any_machine() -> bool:
    """Tell whether any machine of any lab on this host has control groups, which it has while it runs."""
    return any(child.is_dir() for group in machine_cgroups("any") for child in group.parent.glob("*"))


def make_cgroups(cgroups: Sequence[Path]) -> None:
    """Create the groups, with accounting of memory and processes where the kernel lets a v2 group have it."""
    for cgroup in cgroups:
        cgroup.mkdir(parents=True, exist_ok=True)
        for parent in (cgroup.parent.parent, cgroup.parent):
            with contextlib.suppress(OSError):  # controllers that v1 holds, or that the machine's manager keeps
                (parent / "cgroup.subtree_control").write_text("+memory +pids")


def kill(cgroups: Sequence[Path], seconds: float = 20.0) -> None:
    """Kill every process of the machine, its launcher too, and wait until they are gone.

    The kernel does it for a v2 group as a whole (cgroup.kill, Linux 5.14): no
    process escapes by forking, and none that reuses a pid is hit. Killing
    nspawn alone would leave its machine running.
    """
    for cgroup in cgroups:
        switch = cgroup / "cgroup.kill"
        if not switch.exists():
            continue
        switch.write_text("1")
        deadline = time.monotonic() + seconds
        while "populated 1" in (cgroup / "cgroup.events").read_text() and time.monotonic() < deadline:
            time.sleep(0.005)


def remove_cgroups(cgroups: Sequence[Path]) -> None:
    """Remove the groups and what the guest made below them; groups that still have members stay."""
    for cgroup in cgroups:
        for directory, _, _ in os.walk(cgroup, topdown=False):
            with contextlib.suppress(OSError):
                Path(directory).rmdir()
        with contextlib.suppress(OSError):  # other machines are still in it
            cgroup.parent.rmdir()


def children(pid: int) -> list[int]:
    """Return a process's children; empty once it is gone."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def leader(nspawn_pid: int) -> int | None:
    """Return the pid, as seen from here, of the machine's own process 1; None while there is none."""
    for child in children(nspawn_pid):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{child}/status").read_text()
            inner = re.search(r"^NSpid:(?:\t\d+)+\t1$", status, re.MULTILINE)
            if inner and Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                return child
    return None


def hears(pid: int, number: int) -> bool:
    """Tell whether a process handles a signal. A process 1 that does not, as it still starts, never gets it."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        masks = re.findall(r"^Sig(?:Blk|Cgt):\t([0-9a-f]+)$", status, re.MULTILINE)
        return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)
    return False


def recorded_pid(pid_file: Path, machine_id: str) -> int | None:
    """Return the pid in the file if that process is still this machine's nspawn (pids are used again)."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"systemd-nspawn" in arguments and f"--machine={machine_id}".encode() in arguments:
            return pid
    return None


def enter_command(leader_pid: int, argv: Sequence[str]) -> list[str]:
    """Return the command that runs ``argv`` as root inside the machine whose process 1 is ``leader_pid``."""
    return [
        *("nsenter", f"--target={leader_pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wdns=/"),
        *("--", "env", "-i", "HOME=/root", "USER=root", "LANG=C.UTF-8", f"PATH={ENVIRONMENT['PATH']}"),
        *(f"TERM={os.environ[name]}" for name in ("TERM",) if name in os.environ),
        *argv,
    ]
