"""A process that keeps a lease alive for as long as its run lives.

It lives exactly as long as the lease is its run's. Told to end (SIGTERM) it gives the lease back. When the run's
process is gone without a word, it does so as soon as the tasks are gone too that the run had begun. When the lease is
lost, it says how in a file, and ends. Where this process dies too, as with its machine, the lease ends by itself.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from ansible.module_utils.aws_outcome import error_code
from ansible.module_utils.s3_lease import Held, Lease, Store, renew, told

# Renewals that a lease's length allows to fail, one after another.
RENEWALS = 10
# How often it is looked whether a run lives, where the kernel does not tell of its end (s).
GLANCE = 1.0
# In the run's directory: how the lease was lost, and the file that all the run's processes hold a flock on.
LOST, ALIVE = "lock.lost", "lock.alive"

Event = Literal["told", "gone", "time"]


def start(store: Callable[[], Store], lease: Lease, process: int, directory: Path) -> int:
    """Fork the keeper and return its process id; ``store`` makes it a client of its own."""
    # Before the fork, so that no order to end comes too early.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        keeper = os.fork()
        if keeper == 0:
            _become_keeper(store, lease, process, directory)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return keeper


def _become_keeper(store: Callable[[], Store], lease: Lease, process: int, directory: Path) -> None:
    """Never returns."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.closerange(3, 1024)
        os.chdir("/")
        with Watch(process, directory / ALIVE) as watch:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            lost = keep(store(), lease, watch.wait)
        if lost:
            (directory / LOST).write_text(lost)
    except BaseException as error:
        with suppress(OSError):
            (directory / LOST).write_text(f"what renews it failed: {type(error).__name__}: {error}")
    finally:
        os._exit(0)


def keep(store: Store, lease: Lease, wait: Callable[[float], Event]) -> str:
    """Renew until there is nothing more to renew; how the lease was lost, or nothing."""
    interval = lease.seconds / RENEWALS
    renewed_at = time.monotonic()
    problem = ""
    while True:
        event = wait(interval)
        if event != "time":
            give_back(store, lease)
            return ""
        if problem and time.monotonic() - renewed_at > lease.seconds:
            return f"it could not be renewed for {lease.seconds} s: {problem}"
        try:
            lease, renewed_at, problem = renew(store, lease), time.monotonic(), ""
        except Held as other:
            return told(other.lease, store.now())
        except LookupError:
            return "somebody broke it (playbooks/unlock.yml)"
        except Exception as error:  # whatever it is, the next renewal may succeed
            # The bucket goes last when a run destroys its environment; nothing is left to renew or to lose.
            if error_code(error) == "NoSuchBucket":
                while wait(interval) == "time":
                    pass
                return ""
            problem = str(error)


def give_back(store: Store, lease: Lease) -> None:
    """Remove it; where that fails, it ends by itself."""
    with suppress(Exception):
        if not store.remove(lease):
            # The answer to a renewal was lost, and its ETag with it.
            found = store.look()
            if found and found.run == lease.run:
                store.remove(found)


class Watch:
    """Waits for the order to end, for the end of a run, or for time to pass."""

    def __init__(self, process: int, alive: Path) -> None:
        self._process = process
        self._alive = alive

    def __enter__(self) -> Watch:
        self._ordered, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Now: the directory goes when the run ends well.
        self._shared = self._alive.open("a")
        self._end = None
        self._ended = False
        if sys.platform == "linux":
            try:
                self._end = os.pidfd_open(self._process)
            except ProcessLookupError:
                self._ended = True
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)

    def wait(self, seconds: float) -> Event:
        """What happened, after this time at the latest."""
        until = time.monotonic() + seconds
        while True:
            left = max(until - time.monotonic(), 0)
            watched: list[Any] = [self._ordered] if self._end is None else [self._ordered, self._end]
            readable, _, _ = select.select(watched, [], [], left if self._end is not None else min(left, GLANCE))
            if self._ordered in readable:
                return "told"
            if self._end in readable:
                self._end, self._ended = None, True
            if self._end is None and not self._lives():
                return "gone"
            if time.monotonic() >= until:
                return "time"

    def _lives(self) -> bool:
        """Whether the run's process lives, or a worker that it has left behind."""
        if not self._ended:
            try:
                os.kill(self._process, 0)
            except ProcessLookupError:
                self._ended = True
        if not self._ended:
            return True
        try:
            fcntl.flock(self._shared, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
