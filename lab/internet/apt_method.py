"""Apt's own transport as a child process, so that the machine's proxy, certificates and credentials hold unchanged.

Apt's downloading is done by small programs (``/usr/lib/apt/methods/http``) that
speak messages of header lines, each ended by an empty line, on their standard
input and output. They read apt's configuration, drop to apt's unprivileged
user, and reuse their connection.
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICK = 0.02  # seconds between looks at a file that grows


@dataclass(frozen=True)
class Message:
    """``code`` as in apt's method interface: 200 started, 201 done, 400 failed, 103 redirected."""

    code: int
    fields: dict[str, str]


class MethodError(RuntimeError):
    """The transport itself ended or could not be started."""


def parse(text: str) -> Message:
    """One message without its closing empty line."""
    first, *lines = text.strip("\n").split("\n")
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    return Message(int(first.split(" ", 1)[0]), fields)


def _configuration() -> str:
    """Apt's whole configuration in the form that a method reads it."""
    command = ["apt-config", "dump", "--format", "Config-Item: %F=%V%n"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _directory() -> Path:
    command = ["apt-config", "shell", "METHODS", "Dir::Bin::methods/f"]
    shell = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return Path(shell.removeprefix("METHODS=").strip("'") or "/usr/lib/apt/methods")


class Method:
    """One transport process; fetches one URL at a time."""

    def __init__(self, scheme: str) -> None:
        self._process = subprocess.Popen(
            [str(_directory() / scheme)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._buffer = b""
        self._send("601 Configuration\n" + _configuration())

    def _send(self, text: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: opened as a pipe above
        try:
            self._process.stdin.write(text.encode() + b"\n\n")
        except BrokenPipeError as error:
            raise MethodError("apt's transport ended") from error

    def fetch(self, url: str, target: Path, since: str | None) -> Iterator[Message | None]:
        """Download ``url`` into ``target``; yield its messages until the last, and None about every TICK seconds.

        ``since`` is an HTTP date: with it, the last message may say that nothing changed (``IMS-Hit``).
        """
        condition = f"Last-Modified: {since}\n" if since else ""
        self._send(f"600 URI Acquire\nURI: {url}\nFilename: {target}\n{condition}")
        while True:
            message = self._receive()
            yield message
            if message and message.code in (103, 201, 400, 401):
                return

    def _receive(self) -> Message | None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: opened as a pipe above
        descriptor = self._process.stdout.fileno()
        while b"\n\n" not in self._buffer:
            if not select.select([descriptor], [], [], TICK)[0]:
                return None
            data = os.read(descriptor, 65536)
            if not data:
                raise MethodError("apt's transport ended")
            self._buffer += data
        text, self._buffer = self._buffer.split(b"\n\n", 1)
        return parse(text.decode(errors="replace"))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
