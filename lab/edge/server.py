"""The edge: CloudFront's data plane on nginx, made to agree with the API's distributions."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.edge import cache, functions
from lab.edge.backend import Place
from lab.edge.config import FRONT, Rendered, render
from lab.edge.front import Surroundings
from lab.edge.model import Distribution, Function, Invalidation
from lab.edge.nginx import Nginx, check, end_leftovers
from lab.kernel import NETNS
from lab.network import names
from lab.settings import Settings

_LOG = logging.getLogger(__name__)
_IP_FREEBIND = 15  # linux/in.h; Python's socket module has no name for it
_DRAIN = 3.0  # seconds that the workers of a configuration before may take with requests before their backends go


class Edge:
    """Serves distributions at an already listening loopback socket, and inside the lab's internet.

    ``listening_socket`` is bound to 127.0.0.1:settings.edge_port, in whatever namespace; nginx itself runs where the
    caller is (the lab's internet), its VPC origins' part in their interfaces' namespaces. All methods block until what
    they promise is so, and may be called from any thread.
    """

    def __init__(
        self,
        settings: Settings,
        listening_socket: socket.socket,
        *,
        namespace_of: Callable[[str], str] = names.interface,
    ) -> None:
        self._settings = settings
        self._namespace_of = namespace_of
        self._lock = threading.Lock()
        self._directory = _directory(settings)
        self._distributions: tuple[Distribution, ...] = ()
        self._rendered = Rendered({}, {})
        self._broken: dict[str, str | None] = {}
        self._interfaces: dict[str, Nginx] = {}
        self._prepare()
        # Python blocks and nginx must not: it takes an inherited socket as it is.
        listening_socket.setblocking(False)
        self._own_sockets = [] if settings.api_only else self._internet_sockets()
        self._front = Nginx(self._directory, FRONT, None, [listening_socket, *self._own_sockets])
        self.converge(())

    def converge(self, distributions: Sequence[Distribution]) -> bool:
        """Serve these distributions; return whether anything changed. No request is lost on the way.

        Returns when they are being served, but for VPC origins whose interface has no namespace yet: call again.
        """
        with self._lock:
            around = self._surroundings()
            broken = self._check_functions(distributions)
            wanted = render(distributions, around, broken)
            # Workers of the configuration before may still ask the backends that go: these stay until they are gone.
            kept = {backend.name for backend in wanted.backends}
            lingering = [backend for backend in self._rendered.backends if backend.name not in kept]
            changed = self._apply(render(distributions, around, broken, lingering) if lingering else wanted)
            if lingering:
                self._front.drained(_DRAIN)
                self._apply(wanted)
            self._forget(wanted)
            self._rendered = wanted
            self._distributions = tuple(distributions)
            return changed

    def purge(self, invalidation: Invalidation) -> int:
        """Remove from the cache what an invalidation names; return how many entries (with variants) went."""
        with self._lock:
            return cache.purge(self._directory / "cache", invalidation)

    def stop(self) -> None:
        """End all of the edge's processes; the listening socket stays the caller's."""
        with self._lock:
            self._front.stop()
            for process in self._interfaces.values():
                process.stop()
            self._interfaces.clear()
            for sock in self._own_sockets:
                sock.close()

    @property
    def access_log(self) -> Path:
        """One line a request, its fields separated by tabs (docs/lab.md names them)."""
        return self._directory / "logs" / "access.log"

    def _prepare(self) -> None:
        sweep(self._settings)
        # A cache of another run would answer for distributions that are gone.
        for name in ("cache", "run", "temp", "js"):
            shutil.rmtree(self._directory / name, ignore_errors=True)
        for name in ("", "cache", "run", "temp", "js", "logs"):
            directory = self._directory / name
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o755)
        if not self._settings.api_only:
            _make_certificate(self._directory)

    def _internet_sockets(self) -> list[socket.socket]:
        """Where the lab's internet finds the edge; opened here so that the address may come later."""
        ports = [80, 443] if (self._directory / "tls.crt").exists() else [80]
        opened = []
        for port in ports:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            sock.bind((self._settings.internet.edge, port))
            sock.listen(511)
            sock.setblocking(False)
            opened.append(sock)
        return opened

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            Place(self._settings, _token(self._settings.state / "edge-token")),
            user="www-data" if os.geteuid() == 0 else None,
            tls=(self._directory / "tls.crt").exists(),
        )

    def _check_functions(self, distributions: Sequence[Distribution]) -> dict[str, str]:
        """Why functions cannot run, by their modules' names; each different code is looked at once."""
        found: dict[str, str] = {}
        for distribution in distributions:
            for behaviour in distribution.behaviours:
                for function in (behaviour.viewer_request, behaviour.viewer_response):
                    if function is None:
                        continue
                    name = functions.module_name(function)
                    if name not in self._broken:
                        self._broken[name] = self._check_function(name, function)
                    if reason := self._broken[name]:
                        found[name] = reason
        return found

    def _check_function(self, name: str, function: Function) -> str | None:
        module = self._directory / "js" / name
        configuration = self._directory / "check.conf"
        module.write_text(functions.module(function))
        configuration.write_text(functions.check_config(function))
        complaint = check(self._directory, configuration.name)
        if complaint is None:
            return None
        reason = functions.reason(complaint)
        _LOG.warning("function %s cannot run in the edge, its behaviours answer 503: %s", function.name, reason)
        with (self._directory / "logs" / "error.log").open("a") as log:
            log.write(f"[lab] function {function.name} cannot run, its behaviours answer 503: {reason}\n")
        return reason

    def _apply(self, rendered: Rendered) -> bool:
        """Bring the processes to this configuration: backends come before the front, and go after it."""
        for name, text in rendered.modules.items():
            path = self._directory / "js" / name
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
        changed = False
        for interface_id in sorted(rendered.interfaces()):
            namespace = self._namespace_of(interface_id)
            if not (NETNS / namespace).exists():
                _LOG.info("edge: %s has no namespace yet", interface_id)
                continue
            process = self._interfaces.setdefault(interface_id, Nginx(self._directory, interface_id, namespace))
            changed |= process.apply(rendered.processes[interface_id])
        changed |= self._front.apply(rendered.processes[FRONT])
        for interface_id in sorted(set(self._interfaces) - rendered.interfaces()):
            self._interfaces.pop(interface_id).stop(gracefully=True)
            changed = True
        return changed

    def _forget(self, rendered: Rendered) -> None:
        """Remove what no configuration names any more: njs modules, and sockets that an ended process left."""
        for path in (self._directory / "js").iterdir():
            if path.name not in rendered.modules and path.name not in self._broken:
                path.unlink()


def sweep(settings: Settings) -> None:
    """End what a lab that was killed left of its edge."""
    end_leftovers(_directory(settings))


def _directory(settings: Settings) -> Path:
    return settings.state / "edge"


def _token(path: Path) -> str:
    """The secret by which the API's S3 knows the edge; whoever comes first makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text().strip()


def _make_certificate(directory: Path) -> None:
    """A self-signed certificate for the lab's internet, made once; without openssl the edge has no port 443."""
    if (directory / "tls.crt").exists() or shutil.which("openssl") is None:
        return
    subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "3650", "-subj", "/CN=cloudfront.net", "-addext", "subjectAltName=DNS:*.cloudfront.net"),
            *("-keyout", "tls.key", "-out", "tls.crt"),
        ),
        cwd=directory,
        capture_output=True,
        check=True,
    )
    (directory / "tls.key").chmod(0o600)
