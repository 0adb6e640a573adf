"""Package files on disk: whole or absent, bounded, the longest unused out first."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

BOUND = 4 * 1024**3  # bytes
_ABANDONED = 24 * 3600  # seconds after which a part belongs to nobody


class Store:
    """Files by URL under ``root``. A file's mtime is the mirror's Last-Modified, its atime its last use."""

    def __init__(self, root: Path, bound: int = BOUND) -> None:
        self._files = root / "files"
        self._parts = root / "parts"
        self._bound = bound
        self._lock = threading.Lock()
        self._files.mkdir(parents=True, exist_ok=True)
        self._parts.mkdir(exist_ok=True)
        for part in self._parts.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _ABANDONED:
                    part.unlink()
        self._size = sum(status.st_size for _, status in self._listed())

    def path(self, url: str) -> Path:
        """Where ``url`` is kept."""
        digest = hashlib.sha256(url.encode()).hexdigest()
        return self._files / digest[:2] / digest

    def open(self, url: str) -> int | None:
        """A descriptor of the stored file, marked as used now; None when it is not there."""
        path = self.path(url)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        os.utime(descriptor, ns=(time.time_ns(), os.fstat(descriptor).st_mtime_ns))
        return descriptor

    def part(self) -> tuple[int, Path]:
        """A new file to download into: its descriptor (read and write) and path."""
        descriptor, name = tempfile.mkstemp(dir=self._parts)
        return descriptor, Path(name)

    def keep(self, part: Path, url: str, modified: float | None) -> None:
        """Make a finished part the file of ``url``, at once and for everyone; ``modified`` in seconds since 1970."""
        now = time.time()
        os.utime(part, (now, now if modified is None else modified))
        path = self.path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._size += part.stat().st_size  # a file replaced is counted twice until the next look at them all
            part.replace(path)
            if self._size > self._bound:
                self._evict(keep=path)

    def _evict(self, keep: Path) -> None:
        listed = sorted(self._listed(), key=lambda entry: entry[1].st_atime_ns)
        self._size = sum(status.st_size for _, status in listed)
        for path, status in listed:
            if self._size <= self._bound:
                return
            if path != keep:
                path.unlink(missing_ok=True)
                self._size -= status.st_size

    def _listed(self) -> Iterator[tuple[Path, os.stat_result]]:
        for directory, _, names in self._files.walk():
            for name in names:
                with suppress(FileNotFoundError):
                    yield directory / name, (directory / name).stat()
