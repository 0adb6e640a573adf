"""How many requests are under way at once: as many as pay, in bounded memory, fewer when S3 asks for it."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

MIB = 1024 * 1024
IN_FLIGHT = 48 * MIB  # bytes of file content in memory
FEW = 4  # requests under way that make the most of the machine when each is answered at once
BUSY = 0.0001  # seconds for which one request keeps a processor busy
LINGER = 10.0  # seconds that requests under way are given to end after another one has failed for good


class StoppedError(Exception):
    """A request is not made any more, since another one has failed for good."""


class Gate:
    """Lets requests through: at most so many at once, and so many bytes of content.

    The number halves when S3 throttles (once a second at most, since what is under way throttles together) and grows
    by one for each round of successes: the way TCP finds its speed.
    """

    def __init__(self, most: int, content: int = IN_FLIGHT) -> None:
        self.most = most
        self.limit = float(most)
        self.under_way = 0
        self.content = content
        self.waiting = 0
        self.last_success = 0.0
        self._all_content = content
        self._quickest = math.inf
        self._halved = 0.0
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def enter(self, size: int) -> int:
        """Wait for a place and for memory; the returned weight goes to ``leave``. Raises StoppedError."""
        weight = min(size, self._all_content)
        with self._lock:
            while not self._stopped.is_set() and (self.under_way >= self.limit or weight > self.content):
                self.waiting += 1
                self._changed.wait()
                self.waiting -= 1
            if self._stopped.is_set():
                raise StoppedError
            self.under_way += 1
            self.content -= weight
        return weight

    def leave(self, weight: int, seconds: float | None = None) -> None:
        """Give the place and the memory back after a request, which took so many seconds if it succeeded."""
        with self._lock:
            self.under_way -= 1
            self.content += weight
            if seconds is not None:
                self.last_success = time.monotonic()
                self.limit = min(self.most, self.limit + 1 / self.limit)
                self._quickest = min(self._quickest, seconds)
            if self.waiting:
                self._changed.notify_all()

    def throttled(self) -> None:
        """Count a request that S3 refused because it is asked too much."""
        with self._lock:
            now = time.monotonic()
            if now - self._halved > 1:
                self._halved = now
                self.limit = max(1.0, self.limit / 2)

    def pause(self, seconds: float) -> None:
        """Wait before a request is made again. Raises StoppedError."""
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """Let no request through any more."""
        with self._lock:
            self._stopped.set()
            self._changed.notify_all()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def paying(self) -> int:
        """How many requests under way make the most of this machine.

        The further away S3 is, the more of them wait while one is worked on; the usual answer takes at least twice as
        long as the quickest. More than that only take turns at Python, and hold each other up: with 128 instead of 4,
        a server on the same machine is sent half as much.
        """
        wanted = self.most if self._quickest is math.inf else math.ceil(2 * self._quickest / BUSY)
        return max(1, min(self.most, max(FEW, wanted)))


def each[Item](gate: Gate, items: Iterable[Item], work: Callable[[Item], object]) -> None:
    """Do ``work`` for all items, as many at once as pay. The first failure stops the gate and is raised."""
    left = deque(items)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        while number < gate.paying() and not gate.is_stopped:
            try:
                item = left.popleft()
            except IndexError:
                return
            try:
                work(item)
            except BaseException as failure:  # raised below, where somebody waits for it
                failures.append(failure)
                gate.stop()

    threads: list[threading.Thread] = []
    try:
        for number in range(min(gate.paying(), len(left))):
            threads.append(threading.Thread(target=run, args=(number,), daemon=True))
            try:
                threads[-1].start()
            except RuntimeError:  # the machine gives no more of them
                threads.pop()
                if not threads:
                    raise
                break
        _await(threads, gate)
    except BaseException:  # an interrupt: the threads would go on
        gate.stop()
        _await(threads, gate)
        raise
    if failures:
        raise failures[0]


def _await(threads: Iterable[threading.Thread], gate: Gate) -> None:
    """Wait for the ends of all threads, but not for long once the gate is stopped."""
    give_up = math.inf
    for thread in threads:
        while thread.is_alive() and time.monotonic() < give_up:
            thread.join(0.5)
            if gate.is_stopped:
                give_up = min(give_up, time.monotonic() + LINGER)
