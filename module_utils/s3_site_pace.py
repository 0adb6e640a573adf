"""How many requests are under way at once: as many as pay, in bounded memory, fewer when S3 asks for it."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

MIB = 1024 * 1024
IN_FLIGHT = 48 * MIB  # bytes of file content in memory
FEW = 4  # requests under way that make the most of the machine when each is answered at once
BUSY = 0.0001  # seconds for which one request keeps a processor busy
LINGER = 10.0  # seconds that requests under way are given to end after another one has failed for good

Item = TypeVar("Item")


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
        self.last_success = 0.0
        self._quickest = math.inf
        self._halved = 0.0
        self.waiting = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def enter(self, size: int) -> int:
        """Wait for a place and for memory; the returned weight goes to ``leave``."""
        weight = min(size, IN_FLIGHT)
        with self._lock:
            while self.under_way >= self.limit or weight > self.content:
                self.waiting += 1
                self._changed.wait()
                self.waiting -= 1
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

    def paying(self) -> int:
        """How many requests under way make the most of this machine, by the quickest answer until now.

        The further away S3 is, the more of them wait while one is worked on. More than that only take turns at
        Python, and hold each other up: with 128 instead of 4, a server on the same machine is sent half as much.
        """
        wanted = self.most if self._quickest is math.inf else math.ceil(self._quickest / BUSY)
        return max(1, min(self.most, max(FEW, wanted)))


class Workers:
    """Does a piece of work for many items, as many at once as pay."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._stopping = threading.Event()

    def each(self, items: Iterable[Item], work: Callable[[Item], object]) -> None:
        """Do ``work`` for all items. The first failure stops the rest and is raised."""
        left = deque(items)
        failures: list[BaseException] = []
        self._stopping.clear()

        def run(number: int) -> None:
            while number < self._gate.paying() and not self._stopping.is_set():
                try:
                    item = left.popleft()
                except IndexError:
                    return
                try:
                    work(item)
                except BaseException as failure:  # raised below, where somebody waits for it
                    failures.append(failure)
                    self._stopping.set()

        threads = [
            threading.Thread(target=run, args=(number,), daemon=True)
            for number in range(min(self._gate.paying(), len(left)))
        ]
        try:
            for thread in threads:
                thread.start()
            give_up = math.inf
            for thread in threads:
                while thread.is_alive() and time.monotonic() < give_up:
                    thread.join(0.5)
                    if failures:
                        give_up = min(give_up, time.monotonic() + LINGER)
        except BaseException:  # an interrupt: the threads would go on
            self._stopping.set()
            raise
        if failures:
            raise failures[0]

    def pause(self, seconds: float) -> bool:
        """Wait, and say whether to go on: not when other work has failed for good."""
        return not self._stopping.wait(seconds)
