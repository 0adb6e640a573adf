"""What must be so before the lab starts; each check answers with one sentence, or None.

``python3 -m lab.preflight`` says the sentence before anything is installed: the standard library is all that it needs.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lab import control
from lab.settings import Settings, from_environment

GIB = 1024**3
NEEDED_MEMORY = 3 * GIB
NEEDED_DISK = 6 * GIB
# Linux allows the path of a Unix socket 107 bytes.
LONGEST_PATH = 107
PORT_VARIABLES = {"api_port": "LAB_API_PORT", "connect_port": "LAB_CONNECT_PORT", "edge_port": "LAB_EDGE_PORT"}


def path_too_long(settings: Settings) -> str | None:
    """Name the directory in which a socket of the lab's, or of Ansible's own, would have too long a path."""
    length = len(os.fsencode(settings.root))
    checkout = LONGEST_PATH - (len(os.fsencode(settings.control_socket)) - length)
    if length > checkout:
        return (
            f"The path of this checkout, {settings.root}, has {length} bytes, and the sockets in it leave room "
            f"for {checkout}; move it to a directory with a shorter path."
        )
    temporary = LONGEST_PATH - len("/pymp-00000000/listener-00000000")
    if (length := len(os.fsencode(tempfile.gettempdir()))) > temporary:
        return (
            f"The path of the temporary directory, {tempfile.gettempdir()}, has {length} bytes, and Ansible's sockets "
            f"in it leave room for {temporary}; choose a shorter one: TMPDIR=/tmp."
        )
    return None


def port_taken(settings: Settings) -> str | None:
    """Name the first port of the lab's that another process listens on."""
    for field, variable in PORT_VARIABLES.items():
        port = getattr(settings, field)
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    return f"Port {port} of 127.0.0.1 cannot be used ({error.strerror}); choose another: {variable}=N."
                killed = "end what a lab that was killed has left (make down), " if settings.state.exists() else ""
                return (
                    f"Port {port} of 127.0.0.1 is taken; {killed}end what listens there, or choose another: "
                    f"{variable}=N."
                )
    return None


def available_memory(meminfo: str) -> int:
    """Bytes that /proc/meminfo's text calls available."""
    for line in meminfo.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def too_little_memory(_settings: Settings) -> str | None:
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    available = available_memory(meminfo.read_text())
    if available < NEEDED_MEMORY:
        return (
            f"{available / GIB:.1f} GiB of memory are available and the lab needs {NEEDED_MEMORY // GIB}; "
            "end other programs or use a larger machine."
        )
    return None


def too_little_disk(settings: Settings) -> str | None:
    for path in (settings.root, settings.cache):
        existing = next(p for p in (path, *path.parents) if p.exists())
        free = shutil.disk_usage(existing).free
        if free < NEEDED_DISK:
            return (
                f"{free / GIB:.1f} GiB are free below {existing} and the lab needs {NEEDED_DISK // GIB}; "
                "free some space there."
            )
    return None


CHECKS: tuple[Callable[[Settings], str | None], ...] = (
    path_too_long,
    port_taken,
    too_little_memory,
    too_little_disk,
)


def problem(settings: Settings) -> str | None:
    """The first thing that stands in the way, as one sentence that says what to do; None when nothing does."""
    return next((sentence for check in CHECKS if (sentence := check(settings))), None)


def no_hosts_reason() -> str | None:
    """Why this machine can boot no hosts (then the lab runs API-only), or None when it can."""
    if os.environ.get("LAB_API_ONLY"):
        return "LAB_API_ONLY is set"
    if sys.platform != "linux":
        return f"network namespaces are Linux's, and this is {sys.platform}"
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ("ip", "nft", "systemd-nspawn", "mmdebstrap", "nginx"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    # In a mount namespace of its own, so that a refused attempt leaves nothing behind.
    attempt = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", "mount -t tmpfs none /mnt && ip link set lo up"],
        capture_output=True,
        text=True,
        check=False,
    )
    if attempt.returncode:
        return f"this machine refuses network namespaces ({attempt.stderr.strip().splitlines()[-1]})"
    return None


def main() -> None:
    """Exit with the sentence, unless nothing stands in the way or this checkout's lab has what it needs already."""
    settings = from_environment(Path(__file__).resolve().parent.parent)
    try:
        control.ask(settings.control_socket, "status")
    except control.NotRunning as error:
        # A lab that only root may ask is `lab up`'s to find.
        if not isinstance(error.__cause__, PermissionError):
            sys.exit(problem(settings))


if __name__ == "__main__":
    main()
