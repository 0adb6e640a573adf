"""What the command asks of the running daemon: one JSON line each way over a Unix socket."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]


class NotRunning(RuntimeError):
    """No daemon listens on the control socket."""


def ask(path: Path, call: str, timeout: float = 60.0, **arguments: Any) -> dict[str, Any]:
    """Ask the daemon for ``call`` and return its answer; raise NotRunning when there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        try:
            sock.connect(str(path))
        except OSError as error:
            raise NotRunning("The lab is not running. Start it with: make up") from error
        sock.sendall(json.dumps({"call": call, **arguments}).encode() + b"\n")
        with sock.makefile("rb") as stream:
            line = stream.readline()
    if not line:
        raise NotRunning("The lab ended while it was asked; its log is .lab/daemon.log")
    answer: dict[str, Any] = json.loads(line)
    return answer


class Control:
    """Serves ``answer`` on a socket that only this user may open."""

    def __init__(self, path: Path, answer: Answer) -> None:
        path.unlink(missing_ok=True)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request = json.loads(self.rfile.readline() or b"{}")
                self.wfile.write(json.dumps(answer(request)).encode() + b"\n")

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._server.daemon_threads = True
        path.chmod(0o600)
        if "SUDO_UID" in os.environ:  # whoever asked for the lab may ask it
            os.chown(path, int(os.environ["SUDO_UID"]), -1)
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
