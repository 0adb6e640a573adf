"""Commands and sockets inside network namespaces."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

NETNS = Path("/run/netns")


class KernelError(RuntimeError):
    """A command that should have changed or read the kernel's state failed."""


def run(arguments: Sequence[str], *, stdin: str | None = None) -> str:
    """Run a command and return its standard output; raise KernelError with its own words when it fails."""
    done = subprocess.run(arguments, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KernelError(f"{' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@contextlib.contextmanager
def entered(namespace: str) -> Iterator[None]:
    """Put the *current thread* into a network namespace, and back."""
    with Path("/proc/thread-self/ns/net").open("rb") as own, (NETNS / namespace).open("rb") as other:
        os.setns(other.fileno(), os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(own.fileno(), os.CLONE_NEWNET)


def inside[T](namespace: str | None, act: Callable[[], T]) -> T:
    """Call ``act`` in a thread of its own inside ``namespace`` (None: here), so that no other code sees the switch."""
    if namespace is None:
        return act()
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            with entered(namespace):
                results.append(act())
        except BaseException as error:  # carried to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=body, name=f"netns-{namespace}")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def listening(namespace: str | None, address: str, port: int) -> socket.socket:
    """A TCP socket that listens at ``address:port`` of ``namespace``, usable from any thread."""
    return inside(namespace, lambda: socket.create_server((address, port), backlog=128))


def bound_udp(namespace: str | None, address: str, port: int) -> socket.socket:
    """A UDP socket bound to ``address:port`` of ``namespace``."""

    def bind() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, port))
        return sock

    return inside(namespace, bind)


def connected(namespace: str | None, address: str, port: int, timeout: float) -> socket.socket:
    """A TCP connection made from inside ``namespace``; raises OSError as connect(2) does."""
    return inside(namespace, lambda: socket.create_connection((address, port), timeout=timeout))
