"""The connection ``warm_local``: the stock ``local``, whose Python modules run in forks of one warm interpreter."""

from __future__ import annotations

DOCUMENTATION = """
    name: warm_local
    short_description: Run tasks on the control machine, without starting Python for each
    description:
      - Runs what the stock connection P(ansible.builtin.local#connection) runs, with the same results.
      - A pipelined Python module for this interpreter runs in a fork of a process that has imported
        boto3 and Ansible's module code once, which takes four fifths off a task that asks AWS one thing.
        Everything else (become, other interpreters, raw commands) goes the stock way.
      - The warm process is started with the first task and ends with the playbook run.
    author: Madang
    extends_documentation_fragment:
      - connection_pipelining
    notes:
      - It listens on a Unix socket in the run's own temporary directory, for this user alone.
"""

import contextlib
import fcntl
import json
import multiprocessing
import os
import re
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible import constants
from ansible.plugins.connection.local import Connection as LocalConnection
from ansible.utils.display import Display

display = Display()

SERVER = Path(__file__).resolve().parent.parent / "warm" / "server.py"
# Systems allow a socket's path 104 to 108 bytes.
LONGEST_SOCKET_PATH = 100
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def python_environment(command: str, interpreter: str) -> dict[str, str] | None:
    """The environment that a pipelined command adds, or None when it is anything but this interpreter reading stdin.

    Ansible writes ``/bin/sh -c 'NAME=value … /path/python && sleep 0'``.
    """
    try:
        outer = shlex.split(command)
        if len(outer) != 3 or outer[0] not in ("/bin/sh", "sh") or outer[1] != "-c":
            return None
        words = shlex.split(outer[2])
    except ValueError:
        return None
    if words[-3:] == ["&&", "sleep", "0"]:
        words = words[:-3]
    if not words or words.pop() != interpreter or not all(_ASSIGNMENT.match(word) for word in words):
        return None
    return dict(word.split("=", 1) for word in words)


class Connection(LocalConnection):  # type: ignore[misc]  # the base has no types
    transport = "warm_local"

    def exec_command(self, cmd, in_data=None, sudoable=True):  # type: ignore[no-untyped-def]  # the base has no types
        """Run ``cmd`` warm when it is a pipelined Python module, else the stock way."""
        if in_data and not self.become:
            environment = python_environment(cmd, sys.executable)
            server = self._server() if environment is not None else None
            if server is not None:
                display.vvv(f"EXEC (warm) {sys.executable}", host=self._play_context.remote_addr)
                return _run(server, {**os.environ, **(environment or {})}, self.cwd or str(Path.cwd()), in_data)
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)

    def _server(self) -> Path | None:
        """The socket of the run's warm process, started when there is none; None when it does not start."""
        # The directory is this run's own, mode 0700, and Ansible removes it at the end.
        directory = Path(constants.DEFAULT_LOCAL_TMP)
        path, failed = directory / "warm.sock", directory / "warm.failed"
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH or failed.exists():
            return None
        with (directory / "warm.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists() and not failed.exists() and not _start(path):
                failed.touch()  # so that the next tasks lose no time on another attempt
                display.warning("The warm interpreter did not start; tasks on this machine run the slower stock way.")
            return path if path.exists() else None


def _start(path: Path) -> bool:
    """Start the server for the playbook run that this worker belongs to, and wait until it listens."""
    ready, told = os.pipe()
    # Not the parent of now: a worker outlives a run that was killed, and then it would be process 1, which never ends.
    run = multiprocessing.parent_process()
    process = subprocess.Popen(
        [sys.executable, str(SERVER), str(path), str(run.pid if run else os.getppid()), str(told)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[told],
        start_new_session=True,
    )
    os.close(told)
    with os.fdopen(ready, "rb") as stream:
        listening = stream.read(1) == b"1"
    if not listening:
        process.wait()
    return listening


def _run(server: Path, environment: dict[str, str], directory: str, source: bytes) -> tuple[int, bytes, bytes]:
    """Run a module's source in a fork of the server; return its exit status and both outputs."""
    request = json.dumps({"environment": environment, "directory": directory, "umask": _umask()}).encode()
    # Files, not pipes: a module's output may be larger than a pipe holds while nobody reads.
    with (
        tempfile.TemporaryFile(dir=server.parent) as stdin,
        tempfile.TemporaryFile(dir=server.parent) as stdout,
        tempfile.TemporaryFile(dir=server.parent) as stderr,
        socket.socket(socket.AF_UNIX) as sock,
    ):
        stdin.write(source)
        stdin.seek(0)
        sock.connect(str(server))
        socket.send_fds(sock, [struct.pack("!I", len(request))], [stdin.fileno(), stdout.fileno(), stderr.fileno()])
        sock.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while len(answer) < 4 and (piece := sock.recv(4 - len(answer))):
                answer += piece
        for stream in (stdout, stderr):
            stream.seek(0)
        status = struct.unpack("!i", answer)[0] if len(answer) == 4 else 1
        return status, stdout.read(), stderr.read()


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
