"""Files that are being downloaded while several guests already read them."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from lab.internet.fetcher import Fetcher, FetchError, Reply
from lab.internet.store import Store

FRESH = 60.0  # seconds for which an index is served without asking the mirror again

_POOL = re.compile(r"/pool/.*\.(deb|udeb|dsc|tar\.\w+|diff\.\w+)$")
_BY_HASH = re.compile(r"/by-hash/(?P<kind>\w+)/(?P<digest>[0-9a-f]+)$")


def immutable(url: str) -> bool:
    """Whether what stands at ``url`` never changes: package files, and indices named by their hash."""
    return bool(_POOL.search(url) or _BY_HASH.search(url))


def expected_sha256(url: str) -> str | None:
    """The SHA-256 that a by-hash URL promises."""
    match = _BY_HASH.search(url)
    return match["digest"] if match and match["kind"] == "SHA256" else None


def seconds(http_date: str | None) -> float | None:
    """An HTTP date in seconds since 1970; None when there is none or it cannot be read."""
    try:
        return parsedate_to_datetime(http_date).timestamp() if http_date else None
    except ValueError:
        return None


class Download:
    """One file on its way from the mirror; ``reply`` is known once ``wait_for_head`` returned."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.reply: Reply | None = None
        self._written = 0
        self._finished = False
        self._error: Exception | None = None
        self._changed = threading.Condition()

    def wait_for_head(self) -> Reply:
        with self._changed:
            self._changed.wait_for(lambda: self.reply is not None)
        assert self.reply is not None  # noqa: S101 - for the type checker: what was just waited for
        return self.reply

    def available(self, offset: int) -> int:
        """Bytes written beyond ``offset``, waiting for the first; 0 at the end. Raises FetchError when it broke off."""
        with self._changed:
            self._changed.wait_for(lambda: self._written > offset or self._finished)
            if self._written <= offset and self._error:
                raise FetchError(str(self._error))
            return max(0, self._written - offset)

    def wait_for_end(self) -> int:
        """The whole length."""
        with self._changed:
            self._changed.wait_for(lambda: self._finished)
            if self._error:
                raise FetchError(str(self._error))
            return self._written

    def begin(self, reply: Reply) -> None:
        with self._changed:
            self.reply = reply
            self._changed.notify_all()

    def write(self, piece: bytes) -> None:
        view = memoryview(piece)
        while view:
            view = view[os.write(self.descriptor, view) :]
        with self._changed:
            self._written += len(piece)
            self._changed.notify_all()

    def finish(self, error: Exception | None = None) -> None:
        with self._changed:
            self._finished, self._error = True, error
            if self.reply is None:
                self.reply = Reply(502, f"no package can be fetched: {error}")
            self._changed.notify_all()


@dataclass(frozen=True)
class Body:
    """A readable file, whole or still growing. ``close`` it."""

    descriptor: int
    modified: str | float | None
    download: Download | None = None

    @property
    def length(self) -> int:
        """In bytes; waits for the end of a download whose length the mirror did not say."""
        if self.download is None:
            return os.fstat(self.descriptor).st_size
        said = self.download.wait_for_head().length
        return self.download.wait_for_end() if said is None else said

    @property
    def modified_at(self) -> float | None:
        return self.modified if isinstance(self.modified, float) else seconds(self.modified)

    def read(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``offset``, waiting for the first; empty at the end."""
        if self.download:
            size = min(size, self.download.available(offset))
        return os.pread(self.descriptor, size, offset)

    def close(self) -> None:
        os.close(self.descriptor)


class Library:
    """The files of the mirrors: from the store where they are known, else fetched once for all who ask."""

    def __init__(self, store: Store, fetcher: Fetcher, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._fetcher = fetcher
        self._clock = clock
        self._checked: dict[str, float] = {}
        self._running: dict[str, Download] = {}
        self._lock = threading.Lock()

    def get(self, url: str) -> Body | Reply:
        """The file at ``url`` (the mirror's own URL), or the reply that says why there is none."""
        with self._lock:
            if not (download := self._running.get(url)):
                stored = self._stored(url)
                if stored and (immutable(url) or self._clock() - self._checked.get(url, -FRESH) < FRESH):
                    return stored
                download = self._start(url, stored)
            descriptor = os.dup(download.descriptor)
        reply = download.wait_for_head()
        if reply.status == 200:
            return Body(descriptor, reply.modified, download)
        os.close(descriptor)
        # A mirror out of reach is no reason to refuse what is here already.
        kept = self._stored(url) if reply.status == 304 or reply.status >= 500 else None
        return kept or reply

    def _stored(self, url: str) -> Body | None:
        descriptor = self._store.open(url)
        return None if descriptor is None else Body(descriptor, os.fstat(descriptor).st_mtime)

    def _start(self, url: str, stored: Body | None) -> Download:
        """Begin a download in a thread of its own; the caller holds the lock."""
        since = None
        if stored:
            since = http_date(stored.modified_at or 0)
            stored.close()
        descriptor, part = self._store.part()
        download = self._running[url] = Download(descriptor)

        def run() -> None:
            error: Exception | None = None
            try:
                digest = hashlib.sha256()
                with self._fetcher.fetch(url, since) as (reply, pieces):
                    if reply.status == 200:
                        download.begin(reply)
                        for piece in pieces:
                            digest.update(piece)
                            download.write(piece)
                        if expected_sha256(url) in (None, digest.hexdigest()):
                            self._store.keep(part, url, seconds(reply.modified))
                    if reply.status in (200, 304):
                        self._checked[url] = self._clock()
                    download.begin(reply)
            except Exception as problem:  # carried to whoever waits for the file
                error = problem
            with self._lock:
                del self._running[url]
            download.finish(error)
            part.unlink(missing_ok=True)
            os.close(descriptor)

        threading.Thread(target=run, name="download", daemon=True).start()
        return download


def http_date(moment: float) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(moment))
