"""The EC2 Instance Connect Endpoint's data plane: a WebSocket in, a TCP connection from inside the subnet out.

The connection starts in the endpoint's own network namespace, so that its
security group's egress and the target's ingress decide, as on AWS.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.sync.server import ServerConnection, serve

from lab import kernel
from lab.connect.signature import Refused, verify
from lab.settings import DEFAULT_REGION

LIMIT = 20  # connections an endpoint
FRAME = 65_000  # bytes a frame holds at most
PORTS = (22, 3389)
LONGEST = 3600  # seconds a tunnel may last
CONNECT_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True)
class Wanted:
    """What a request asks for; ``duration`` in seconds."""

    endpoint_id: str
    address: str
    port: int
    duration: int


def parse(target: str) -> Wanted:
    """Read ``/openTunnel?…``; raises Refused, saying what is wrong."""
    parts = urlsplit(target)
    if parts.path != "/openTunnel":
        raise Refused(404, f"There is nothing at {parts.path}; tunnels are opened at /openTunnel.")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    endpoint_id = query.get("instanceConnectEndpointId", "")
    if not endpoint_id.startswith("eice-"):
        raise Refused(400, f"instanceConnectEndpointId is {endpoint_id!r}; it must be eice-….")
    port = _number("remotePort", query.get("remotePort", ""))
    if port not in PORTS:
        raise Refused(400, f"remotePort is {port}; only {' and '.join(map(str, PORTS))} are allowed.")
    duration = _number("maxTunnelDuration", query.get("maxTunnelDuration", str(LONGEST)))
    if not 1 <= duration <= LONGEST:
        raise Refused(400, f"maxTunnelDuration is {duration}; it must be 1 to {LONGEST} seconds.")
    return Wanted(endpoint_id, _private(query.get("privateIpAddress", "")), port, duration)


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, f"{name} is {text!r}; it must be a number.")
    return int(text)


def _private(text: str) -> str:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise Refused(400, f"privateIpAddress is {text!r}; it must be an IPv4 address.") from None
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        raise Refused(400, f"privateIpAddress is {text}; it must be an address of the VPC.")
    return text


class Tunnel:
    """Serves every endpoint on one listening socket, from construction until ``close``.

    ``lookup`` gives the network namespace of an endpoint, None for an unknown
    one; ``secret`` an access key's secret.
    """

    def __init__(
        self,
        listener: socket.socket,
        lookup: Callable[[str], str | None],
        *,
        region: str = DEFAULT_REGION,
        secret: Callable[[str], str | None] = lambda _: "lab",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._lookup = lookup
        self._region = region
        self._secret = secret
        self._now = now
        self._open: dict[ServerConnection, tuple[Wanted, socket.socket | None]] = {}
        self._lock = threading.Lock()
        self._server = serve(
            self._bridge,
            sock=listener,
            process_request=self._admit,
            compression=None,
            ping_interval=None,  # the real one sends none either
            max_size=FRAME,
            server_header="lab",
        )
        threading.Thread(target=self._server.serve_forever, name="connect", daemon=True).start()

    def close(self) -> None:
        """End every tunnel and stop listening."""
        self._server.shutdown()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Connect to the target before the upgrade, so that every failure is an HTTP answer that says why."""
        try:
            host = request.headers.get("Host", "")
            verify(request.path, host, region=self._region, secret=self._secret, now=self._now())
            wanted = parse(request.path)
            self._reserve(connection, wanted)
            target = self._connect(wanted)
        except Refused as refused:
            with self._lock:
                self._open.pop(connection, None)
            return connection.respond(refused.status, f"{refused}\n")
        with self._lock:
            self._open[connection] = (wanted, target)
        return None

    def _reserve(self, connection: ServerConnection, wanted: Wanted) -> None:
        with self._lock:
            # A client that goes away during the handshake never reaches _bridge.
            for gone in [held for held in self._open if held.protocol.state is State.CLOSED]:
                _, target = self._open.pop(gone)
                if target:
                    target.close()
            if sum(held.endpoint_id == wanted.endpoint_id for held, _ in self._open.values()) >= LIMIT:
                raise Refused(429, f"{wanted.endpoint_id} has {LIMIT} connections already, which is its limit.")
            self._open[connection] = (wanted, None)

    def _connect(self, wanted: Wanted) -> socket.socket:
        where = f"{wanted.address} port {wanted.port}"
        namespace = self._lookup(wanted.endpoint_id)
        if namespace is None:
            raise Refused(404, f"The instance connect endpoint {wanted.endpoint_id} does not exist.")
        try:
            target = kernel.connected(namespace, wanted.address, wanted.port, CONNECT_TIMEOUT)
        except FileNotFoundError:
            raise Refused(503, f"{wanted.endpoint_id} is not ready yet.") from None
        except TimeoutError:
            raise Refused(
                504,
                f"{where} does not answer: its security group must admit the endpoint's group on that port,"
                " the endpoint's group must let it out, and the instance must run.",
            ) from None
        except OSError as error:
            what = os.strerror(error.errno) if error.errno else str(error)
            hint = "; nothing listens there yet" if error.errno == errno.ECONNREFUSED else ""
            raise Refused(502, f"{where}: {what}{hint}.") from None
        target.settimeout(None)
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return target

    def _bridge(self, connection: ServerConnection) -> None:
        with self._lock:
            wanted, target = self._open[connection]
        if target is None:
            return
        limit = threading.Timer(
            wanted.duration,
            connection.close,
            (CloseCode.GOING_AWAY, f"The tunnel's {wanted.duration} seconds are over."),
        )
        limit.daemon = True
        limit.start()
        outward = threading.Thread(target=_to_client, args=(target, connection), name="connect-out", daemon=True)
        outward.start()
        try:
            _to_target(connection, target)
        finally:
            limit.cancel()
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)  # wakes the other direction
            outward.join()
            target.close()
            with self._lock:
                self._open.pop(connection, None)


def _to_client(target: socket.socket, connection: ServerConnection) -> None:
    """Everything that the target says, then the normal close."""
    with contextlib.suppress(ConnectionClosed):
        try:
            while data := target.recv(FRAME):
                connection.send(data)
        except OSError as error:
            connection.close(CloseCode.INTERNAL_ERROR, f"The instance broke the connection: {error.strerror}.")
        else:
            connection.close()


def _to_target(connection: ServerConnection, target: socket.socket) -> None:
    with contextlib.suppress(ConnectionClosed):
        try:
            for message in connection:
                if isinstance(message, str):
                    connection.close(CloseCode.UNSUPPORTED_DATA, "A tunnel carries binary frames only.")
                    return
                target.sendall(message)
        except OSError as error:
            connection.close(CloseCode.INTERNAL_ERROR, f"The instance broke the connection: {error.strerror}.")
