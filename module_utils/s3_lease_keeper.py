"""A process that keeps a lease alive for as long as another process lives.

It lives exactly as long as the lease is its run's. Told to end (SIGTERM) it gives the lease back. When the run's
process is gone without a word, it leaves the lease to end by itself, since what that run began may still be going on.
When the lease is lost, it says how in a file, and ends.
"""

from __future__ import annotations

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
# How often a run's process is looked at where the kernel does not tell of its end (s).
GLANCE = 1.0

Event = Literal["told", "gone", "time"]


def start(store: Callable[[], Store], lease: Lease, process: int, last_words: Path) -> int:
    """Fork the keeper and return its process id; ``store`` makes it a client of its own."""
    # Before the fork, so that no order to end comes too early.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        keeper = os.fork()
        if keeper == 0:
            _become_keeper(store, lease, process, last_words)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return keeper


def _become_keeper(store: Callable[[], Store], lease: Lease, process: int, last_words: Path) -> None:
    """Never returns."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.closerange(3, 1024)
        os.chdir("/")
        with Watch(process) as watch:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            lost = keep(store(), lease, watch.wait)
        if lost:
            last_words.write_text(lost)
    except BaseException as error:
        with suppress(OSError):
            last_words.write_text(f"what renews it failed: {type(error).__name__}: {error}")
    finally:
        os._exit(0)


def keep(store: Store, lease: Lease, wait: Callable[[float], Event]) -> str:
    """Renew until there is nothing more to renew; how the lease was lost, or nothing."""
    interval = lease.seconds / RENEWALS
    renewed_at = time.monotonic()
    problem = ""
    while True:
        event = wait(interval)
        if event == "gone":
            return ""
        if event == "told":
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
            # The bucket goes last when a run destroys its environment.
            if error_code(error) == "NoSuchBucket":
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
    """Waits for the order to end, for the end of a process, or for time to pass."""

    def __init__(self, process: int) -> None:
        self._process = process

    def __enter__(self) -> Watch:
        self._ordered, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._gone = None
        with suppress(ProcessLookupError):
            self._gone = os.pidfd_open(self._process) if sys.platform == "linux" else None
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)

    def wait(self, seconds: float) -> Event:
        """What happened, after this time at the latest."""
        until = time.monotonic() + seconds
        while True:
            left = max(until - time.monotonic(), 0)
            watched: list[Any] = [self._ordered] if self._gone is None else [self._ordered, self._gone]
            readable, _, _ = select.select(watched, [], [], left if self._gone is not None else min(left, GLANCE))
            if self._ordered in readable:
                return "told"
            if self._gone in readable or (self._gone is None and not _lives(self._process)):
                return "gone"
            if time.monotonic() >= until:
                return "time"


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
