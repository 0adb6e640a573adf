"""The one process of the lab that keeps an uplink: it fetches packages from the machine's own mirrors, nothing else.

The daemon starts it before it leaves the machine's own network namespace, and
asks it over a Unix socket (``Fetcher.fetch``). What is fetched is decided by the
machine's apt configuration; how, by apt's own transport.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from lab.internet.apt_method import Message, Method, MethodError
from lab.internet.sources import Base, configured, may_lead_to, resolve

PARALLEL = 6
REDIRECTS = 5
_LENGTH = struct.Struct("!I")


@dataclass(frozen=True)
class Reply:
    """``status`` as in HTTP; ``reason`` for people; ``length`` in bytes and ``modified`` (HTTP date) where known."""

    status: int
    reason: str = ""
    length: int | None = None
    modified: str | None = None


class FetchError(OSError):
    """The body ended before its end."""


class Fetcher:
    """The asking side."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def fetch(self, url: str, since: str | None = None) -> Iterator[tuple[Reply, Iterator[bytes]]]:
        """Ask for ``url``; yields the reply and its body's pieces (none unless 200).

        Raises OSError when nobody answers, and FetchError from the body when it breaks off.
        """
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(self.path))
            sock.sendall(json.dumps({"url": url, "since": since}).encode() + b"\n")
            with sock.makefile("rb") as stream:
                line = stream.readline()
                if not line:
                    raise FetchError("the fetcher hung up")
                yield Reply(**json.loads(line)), _pieces(stream)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while True:
        head = stream.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            raise FetchError("the download broke off")
        (size,) = _LENGTH.unpack(head)
        if not size:
            return
        piece = stream.read(size)
        if len(piece) < size:
            raise FetchError("the download broke off")
        yield piece


def failure(message: Message) -> Reply:
    """What apt's failure message means in HTTP: the mirror's own status, or 502 where it never answered."""
    code = message.fields.get("FailReason", "").removeprefix("HttpError")
    status = int(code) if code.isdigit() and code.startswith(("4", "5")) else 502
    return Reply(status, message.fields.get("Message") or "apt's transport gave no reason")


class Server:
    """The answering side."""

    def __init__(self, bases: tuple[Base, ...], spool: Path) -> None:
        self._bases = bases
        self._spool = spool
        self._places = threading.BoundedSemaphore(PARALLEL)
        self._idle: list[tuple[str, Method]] = []
        self._lock = threading.Lock()

    def serve(self, listener: socket.socket) -> None:
        """Answer until the listening socket is closed."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        # A caller that goes away in the middle is no error of ours.
        with connection, contextlib.suppress(OSError, ValueError), connection.makefile("wb") as stream:
            with connection.makefile("rb") as request:
                asked = json.loads(request.readline(16384))
            url = resolve(asked["url"], self._bases)
            if url is None:
                reason = f"{asked['url']} belongs to no package mirror that this machine's apt configuration names"
                _head(stream, Reply(403, reason))
                return
            with self._places:
                self._download(url, asked.get("since"), stream)

    def _download(self, url: str, since: str | None, stream: BinaryIO) -> None:
        for _ in range(REDIRECTS):
            last = self._attempt(url, since, stream)
            if last is None or last.code != 103:
                return
            url = last.fields.get("New-URI", "")
            if not may_lead_to(url, self._bases):
                reason = f"the mirror redirects to {url}, neither a public address nor a mirror in apt's configuration"
                _head(stream, Reply(502, reason))
                return
        _head(stream, Reply(502, f"the mirror redirects too often, at last to {url}"))

    def _attempt(self, url: str, since: str | None, stream: BinaryIO) -> Message | None:
        """Fetch one URL and pass it on; a redirection is returned, everything else is answered."""
        scheme = urlsplit(url).scheme
        target = self._spool / f"{threading.get_ident()}-{os.urandom(6).hex()}"
        method = self._take(scheme)
        following: _Following | None = None
        try:
            for message in method.fetch(url, target, since):
                if message is None or message.code not in (103, 200, 201, 400, 401):
                    pass
                elif message.code == 103:
                    self._give(scheme, method)
                    return message
                elif message.code in (400, 401):
                    self._give(scheme, method)
                    if following is None:
                        _head(stream, failure(message))
                    return None
                elif message.fields.get("IMS-Hit") == "true":
                    _head(stream, Reply(304))
                elif following is None:
                    size = message.fields.get("Size", "")
                    length = int(size) if size.isdigit() else None
                    _head(stream, Reply(200, "", length, message.fields.get("Last-Modified")))
                    following = _Following(target, stream)
                if following:
                    following.copy()
            if following:
                following.end()
            stream.flush()
            self._give(scheme, method)
        except MethodError as error:
            method.close()
            if following is None:
                _head(stream, Reply(502, str(error)))
        except BaseException:
            method.close()  # in the middle of a download: of no more use
            raise
        finally:
            if following:
                following.close()
            target.unlink(missing_ok=True)
        return None

    def _take(self, scheme: str) -> Method:
        with self._lock:
            for entry in self._idle:
                if entry[0] == scheme:
                    self._idle.remove(entry)
                    return entry[1]
        return Method(scheme)

    def _give(self, scheme: str, method: Method) -> None:
        with self._lock:
            self._idle.append((scheme, method))


class _Following:
    """Passes a growing file on, piece by piece."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self._path = path
        self._stream = stream
        self._file: BinaryIO | None = None

    def copy(self) -> None:
        """Pass on what has been added since the last call."""
        if self._file is None:
            if not self._path.exists():
                return
            self._file = self._path.open("rb")
        while piece := self._file.read(1 << 18):
            self._stream.write(_LENGTH.pack(len(piece)) + piece)

    def end(self) -> None:
        self._stream.write(_LENGTH.pack(0))

    def close(self) -> None:
        if self._file:
            self._file.close()


def _head(stream: BinaryIO, reply: Reply) -> None:
    stream.write(json.dumps(asdict(reply)).encode() + b"\n")
    stream.flush()


def start(path: Path) -> subprocess.Popen[bytes]:
    """Start the fetcher in the caller's network namespace, answering at the Unix socket ``path`` (mode 0600).

    It is ready when this returns (its socket listens), and ends when the returned process's ``stdin`` is closed,
    so also with the caller.
    """
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        previous = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(previous)
        listener.listen(64)
        return subprocess.Popen(
            [sys.executable, "-m", "lab.internet.fetcher", str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C in the terminal is the daemon's to handle
        )


def main() -> None:
    listener = socket.socket(fileno=int(sys.argv[1]))
    # Not TMPDIR, which may be root's alone: apt's unprivileged user has to reach it.
    with tempfile.TemporaryDirectory(prefix="madang-fetch-", dir="/var/tmp") as spool:
        if os.geteuid() == 0:
            # The transport gives up root before it fetches, and must still be able to write here.
            with contextlib.suppress(KeyError):
                os.chown(spool, pwd.getpwnam("_apt").pw_uid, -1)
        server = Server(configured(), Path(spool))
        threading.Thread(target=server.serve, args=(listener,), daemon=True).start()
        sys.stdin.buffer.read()  # until whoever started us goes


if __name__ == "__main__":
    main()
