"""One nginx: started, tested, reloaded and stopped; knows when a reload has really happened."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.edge.config import generation_of
from lab.kernel import NETNS, inside

_UNIX_LISTEN = re.compile(r"listen unix:(\S+);")
_PATIENCE = 15.0  # seconds for a start or a reload; both take a fraction of one


class EdgeError(RuntimeError):
    """nginx is missing, refuses its configuration, or does not come up; the message carries its own words."""


def binary() -> str:
    """Debian's nginx, also where /usr/sbin is not on PATH."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise EdgeError("nginx is not installed: apt-get install nginx-light libnginx-mod-http-js")
    return found


def command_line(arguments: Sequence[str], sockets: Sequence[socket.socket]) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of an nginx that stands in its directory and inherits listening ``sockets``."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    if sockets:
        environment["NGINX"] = "".join(f"{sock.fileno()};" for sock in sockets)
    # All paths are relative to the directory: its workers need no way through the directories above, which are private.
    return [binary(), "-p", "./", *arguments], environment


def check(directory: Path, configuration: str, sockets: Sequence[socket.socket] = ()) -> str | None:
    """What ``nginx -t`` says against a configuration file of the directory; None when nothing."""
    command, environment = command_line(["-t", "-c", configuration], sockets)
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        pass_fds=[sock.fileno() for sock in sockets],
        capture_output=True,
        text=True,
        check=False,
    )
    return None if done.returncode == 0 else done.stderr


class Nginx:
    """An nginx process in a namespace of its own choice (None: where this process is)."""

    def __init__(
        self, directory: Path, name: str, namespace: str | None = None, sockets: Sequence[socket.socket] = ()
    ) -> None:
        self.name = name
        self._directory = directory
        self._namespace = namespace
        self._sockets = tuple(sockets)
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration = ""

    @property
    def pid(self) -> int | None:
        """The master's pid while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def apply(self, configuration: str) -> bool:
        """Serve this configuration; return whether anything had to be done. Returns when it is being served."""
        if self.pid and not self._is_stranded():
            if configuration == self._configuration:
                return False
            self._write(configuration)
            self._reload(self.pid, configuration)
        else:
            self.stop()
            self._write(configuration)
            self._start(configuration)
        self._configuration = configuration
        return True

    def _write(self, configuration: str) -> None:
        current = self._directory / f"{self.name}.conf"
        following = self._directory / f"{self.name}.conf.next"
        following.touch()
        following.chmod(0o600)  # the edge's token is in it
        following.write_text(configuration)
        complaint = inside(self._namespace, lambda: check(self._directory, following.name, self._sockets))
        if complaint is not None:
            raise EdgeError(f"nginx refuses {following}: {complaint.strip()}")
        following.replace(current)

    def _start(self, configuration: str) -> None:
        command, environment = command_line(["-c", f"{self.name}.conf"], self._sockets)

        def spawn() -> subprocess.Popen[bytes]:
            with (self._directory / "logs" / "nginx.out").open("ab") as out:
                return subprocess.Popen(
                    command,
                    cwd=self._directory,
                    env=environment,
                    pass_fds=[sock.fileno() for sock in self._sockets],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )

        # A file that a killed nginx left would be an address in use.
        for path in _UNIX_LISTEN.findall(configuration):
            (self._directory / path).unlink(missing_ok=True)
        self._process = inside(self._namespace, spawn)
        self._wait(lambda: self._generation() == generation_of(configuration), "start")

    def _reload(self, pid: int, configuration: str) -> None:
        old = _workers(pid)
        os.kill(pid, signal.SIGHUP)
        self._wait(
            lambda: (
                self._generation() == generation_of(configuration)
                and not any(_accepts(worker) for worker in old)
                and bool(set(_workers(pid)) - set(old))
            ),
            "take its new configuration",
        )

    def drained(self, seconds: float) -> bool:
        """Wait until the workers of the configuration before are gone; False when some are not after ``seconds``."""
        pid = self.pid
        return pid is None or _await(lambda: all(_accepts(worker) for worker in _workers(pid)), seconds)

    def stop(self, *, gracefully: bool = False) -> None:
        """End it: at once, or when its requests are done (and after five seconds in any case)."""
        if self._process is None:
            return
        for number, seconds in ((signal.SIGQUIT, 5 if gracefully else 0), (signal.SIGTERM, 3), (signal.SIGKILL, 3)):
            if self.pid and (seconds or number != signal.SIGQUIT):
                self._process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=seconds)
        # Workers whose master was killed would go on serving; they are in its process group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None
        self._configuration = ""

    def _is_stranded(self) -> bool:
        """Whether its namespace was made anew since it started."""
        if self._namespace is None or self.pid is None:
            return False
        try:
            return (NETNS / self._namespace).stat().st_ino != Path(f"/proc/{self.pid}/ns/net").stat().st_ino
        except FileNotFoundError:
            return True

    def _generation(self) -> str | None:
        connection = _UnixConnection(self._directory / "run" / f"{self.name}.control")
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        def settled() -> bool:
            if self._process is None or self._process.poll() is not None:
                raise EdgeError(f"nginx ({self.name}) ended when it should {what}: {self._words()}")
            return done()

        if not _await(settled, _PATIENCE):
            raise EdgeError(f"nginx ({self.name}) did not {what} within {_PATIENCE:.0f} s: {self._words()}")

    def _words(self) -> str:
        lines: list[str] = []
        for log in ("nginx.out", "error.log"):
            with contextlib.suppress(OSError):
                lines += (self._directory / "logs" / log).read_text(errors="replace").splitlines()[-3:]
        return " / ".join(lines) or "its logs are empty"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=2)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        # A path may be longer than a socket's address: through the directory's own descriptor it never is.
        directory = os.open(self._path.parent, os.O_PATH)
        try:
            self.sock.connect(f"/proc/self/fd/{directory}/{self._path.name}")
        finally:
            os.close(directory)


def _await(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _workers(master: int) -> list[int]:
    """The master's worker processes (not the cache's), shutting down or not."""
    try:
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in children if "worker process" in _title(int(child))]


def _accepts(worker: int) -> bool:
    """Whether a worker still takes new connections."""
    title = _title(worker)
    return "worker process" in title and "shutting down" not in title


def end_leftovers(directory: Path) -> None:
    """End nginx processes that a lab which was killed left standing in this directory."""
    left = [pid for pid in _all_pids() if _is_nginx(pid) and _stands_in(pid, directory)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if _await(lambda: not any(_title(pid) for pid in left), 3):
            return


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _is_nginx(pid: int) -> bool:
    """By its program, since its title is another until it has started."""
    try:
        return Path(f"/proc/{pid}/comm").read_text() == "nginx\n"
    except OSError:
        return False


def _stands_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == directory.resolve()
    except OSError:
        return False
