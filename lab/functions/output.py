"""What a function writes: read as it comes, and complete whenever it is taken."""

from __future__ import annotations

import os
import select
import threading
from typing import IO


class Output:
    """The lines that come out of a pipe. A thread keeps reading, so that whoever writes never waits for a reader."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        os.set_blocking(stream.fileno(), False)
        self._lock = threading.Lock()
        self._read = bytearray()
        self._thread = threading.Thread(target=self._follow, name="function-output", daemon=True)

    def follow(self) -> None:
        """Begin to read."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait until the pipe's other end is closed."""
        self._thread.join(seconds)

    def take(self) -> list[str]:
        """All lines that were written before this call, and not taken yet."""
        with self._lock:
            self._drain()  # the thread may not have come to what was written just now
            taken = self._read.decode(errors="replace").splitlines()
            self._read.clear()
        return taken

    def _follow(self) -> None:
        poll = select.poll()
        poll.register(self._stream.fileno(), select.POLLIN)
        while poll.poll():
            with self._lock:
                if not self._drain():
                    return

    def _drain(self) -> bool:
        """Read what is there; return whether more may come."""
        try:
            while data := os.read(self._stream.fileno(), 65536):
                self._read += data
        except BlockingIOError:
            return True
        return False
