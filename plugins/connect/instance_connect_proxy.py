#!/usr/bin/env python3
"""OpenSSH's ProxyCommand through an EC2 Instance Connect Endpoint: to a private host, with no bastion and no open port.

    ssh -o ProxyCommand='python instance_connect_proxy.py --endpoint-id eice-… --dns-name … --host %h --port %p' …

Credentials and region come from where every AWS tool finds them (environment,
profile, instance role). Without --endpoint-id and --dns-name, the endpoint of
the host's VPC (--vpc-id) is looked up first, which takes a second longer.

Only ids and addresses stand in the arguments. Errors are one sentence on
standard error, and exit status 1.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import os
import selectors
import socket
import ssl
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from urllib.parse import quote, urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

if TYPE_CHECKING:
    from botocore.session import Session

SERVICE = "ec2-instance-connect"
VALID = 60  # seconds in which the signed URL must be used
FRAME = 65_000  # bytes a frame holds at most
BUFFERED = 1 << 20  # bytes kept in each direction before the other side has to wait
CONNECT_TIMEOUT = 10.0  # seconds
HANDSHAKE_TIMEOUT = 30.0  # seconds: the endpoint first connects to the host
CLOSE_TIMEOUT = 2.0  # seconds without progress that the other side's last words may take


class ProxyError(Exception):
    """What the person at the terminal is told."""


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None = None


class Target(NamedTuple):
    """One tunnel: through which endpoint, to which address; ``duration`` in seconds, None for the service's own."""

    endpoint_id: str
    dns_name: str
    host: str
    port: int
    duration: int | None = None


def presign(target: Target, credentials: Credentials, region: str, moment: float) -> str:
    """The path and query that open ``target``, signed at ``moment`` (seconds since 1970).

    This is botocore's SigV4QueryAuth in fifteen lines: importing botocore takes
    longer than the whole handshake. The tests hold the two together.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))
    scope = f"{stamp[:8]}/{region}/{SERVICE}/aws4_request"
    query = {
        "instanceConnectEndpointId": target.endpoint_id,
        "remotePort": str(target.port),
        "privateIpAddress": target.host,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(VALID),
        "X-Amz-SignedHeaders": "host",
    }
    if target.duration is not None:
        query["maxTunnelDuration"] = str(target.duration)
    if credentials.token:
        query["X-Amz-Security-Token"] = credentials.token
    encoded = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(query.items()))
    empty = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n/openTunnel\n{encoded}\nhost:{target.dns_name}\n\nhost\n{empty}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"/openTunnel?{encoded}&X-Amz-Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"


class Account:
    """The AWS account that the environment or ``profile`` names; botocore is loaded only where it is needed."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        self._profile = profile
        self._region = region
        self._loaded: Session | None = None

    @property
    def session(self) -> Session:
        if self._loaded is None:
            from botocore.session import Session

            self._loaded = Session(profile=self._profile)
        return self._loaded

    def credentials(self) -> Credentials:
        """The first that AWS's usual chain finds; keys in the environment come first there too."""
        key, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
        if key and secret and not self._profile:
            token = os.environ.get("AWS_SESSION_TOKEN") or os.environ.get("AWS_SECURITY_TOKEN")
            return Credentials(key, secret, token)
        found = self.session.get_credentials()
        frozen = found.get_frozen_credentials() if found else None
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise ProxyError("no AWS credentials found: set AWS_PROFILE, or log in")
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    def region(self) -> str:
        named = self._region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        region = named or self.session.get_config_variable("region")
        if not region:
            raise ProxyError("no AWS region: give --region, or set AWS_DEFAULT_REGION")
        return str(region)

    def endpoint(self, endpoint_id: str | None, host: str, vpc_id: str | None = None) -> tuple[str, str]:
        """Id and DNS name of an endpoint: the one with this id, or of this VPC, or of that where ``host`` stands."""
        ec2: Any = self.session.create_client("ec2", region_name=self.region())
        wanted: dict[str, Any] = {"Filters": [{"Name": "state", "Values": ["create-complete"]}]}
        if endpoint_id:
            wanted["InstanceConnectEndpointIds"] = [endpoint_id]
        elif vpc_id:
            wanted["Filters"].append({"Name": "vpc-id", "Values": [vpc_id]})
        else:
            held = [{"Name": "addresses.private-ip-address", "Values": [host]}]
            interfaces = ec2.describe_network_interfaces(Filters=held)["NetworkInterfaces"]
            vpcs = {interface["VpcId"] for interface in interfaces}
            if len(vpcs) != 1:
                what = "no host" if not vpcs else f"hosts in {len(vpcs)} VPCs"
                raise ProxyError(f"{what} in {self.region()} with the address {host}: give --vpc-id")
            wanted["Filters"].append({"Name": "vpc-id", "Values": list(vpcs)})
        found = ec2.describe_instance_connect_endpoints(**wanted)["InstanceConnectEndpoints"]
        if not found:
            raise ProxyError(f"no instance connect endpoint is ready for {host} (its creation takes minutes)")
        return found[0]["InstanceConnectEndpointId"], found[0]["DnsName"]


def connect(url: str, host: str) -> socket.socket:
    """A TCP connection to ``url``'s host, with TLS for ``host`` when its scheme is wss."""
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    address = (parts.hostname or "", parts.port or (443 if secure else 80))
    try:
        sock = socket.create_connection(address, timeout=CONNECT_TIMEOUT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
            sock = context.wrap_socket(sock, server_hostname=host)
    except OSError as error:
        raise ProxyError(f"no connection to {address[0]} port {address[1]}: {error}") from error
    return sock


class Pump:
    """Carries bytes between standard input and output and the WebSocket, in one thread, waiting on neither alone."""

    def __init__(self, sock: socket.socket, protocol: ClientProtocol, stdin: int, stdout: int) -> None:
        self._sock = sock
        self._protocol = protocol
        self._stdin = stdin
        self._stdout = stdout
        self._outward = bytearray()  # to the socket
        self._inward = bytearray()  # to standard output
        self._ended = False  # by our side
        self._deadline: float | None = None  # once either side is closing

    def handshake(self) -> None:
        """Upgrade the connection; raises ProxyError with the server's own reason."""
        self._sock.settimeout(HANDSHAKE_TIMEOUT)
        self._protocol.send_request(self._protocol.connect())
        self._sock.sendall(b"".join(self._protocol.data_to_send()))
        while self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None:
            self._feed(self._sock.recv(FRAME))
        error = self._protocol.handshake_exc
        if isinstance(error, InvalidStatus):
            body = (error.response.body or b"").decode(errors="replace").strip()
            raise ProxyError(body or f"the endpoint answered HTTP {error.response.status_code}")
        if error:
            raise ProxyError(f"the endpoint did not open a tunnel: {error}")

    def run(self) -> None:
        """Until either side ends; raises ProxyError when the endpoint ends it otherwise than normally."""
        self._sock.setblocking(False)
        blocking = {descriptor: os.get_blocking(descriptor) for descriptor in (self._stdin, self._stdout)}
        try:
            for descriptor in blocking:
                os.set_blocking(descriptor, False)
            self._loop()
        finally:
            for descriptor, before in blocking.items():  # a terminal is shared with whoever comes after us
                os.set_blocking(descriptor, before)
        self._verdict()

    def _loop(self) -> None:
        while not self._done():
            self._outward += b"".join(self._protocol.data_to_send())
            readable, writable = self._wait()
            if self._sock in writable:
                self._write_socket()
            if self._sock in readable:
                self._read_socket()
            if self._stdin in readable:
                self._read_input()
            if self._stdout in writable:
                self._write_output()
            if self._protocol.state is State.CLOSING and (self._deadline is None or readable or writable):
                self._deadline = time.monotonic() + CLOSE_TIMEOUT

    def _done(self) -> bool:
        if self._deadline is not None and time.monotonic() > self._deadline:
            return True
        return self._protocol.state is State.CLOSED and not self._inward

    def _wait(self) -> tuple[set[object], set[object]]:
        """What can be read and written now, of what we want to."""
        wanted: dict[object, int] = {}
        if len(self._inward) < BUFFERED and self._protocol.state is not State.CLOSED:
            wanted[self._sock] = selectors.EVENT_READ
        if self._outward and self._protocol.state is not State.CLOSED:
            wanted[self._sock] = wanted.get(self._sock, 0) | selectors.EVENT_WRITE
        if self._protocol.state is State.OPEN and len(self._outward) < BUFFERED:
            wanted[self._stdin] = selectors.EVENT_READ
        if self._inward:
            wanted[self._stdout] = wanted.get(self._stdout, 0) | selectors.EVENT_WRITE
        with selectors.PollSelector() as selector:
            for what, events in wanted.items():
                selector.register(what, events)  # type: ignore[arg-type] # sockets and descriptors, as filled above
            ready = selector.select(1.0 if self._deadline else None)
        readable = {key.fileobj for key, events in ready if events & selectors.EVENT_READ}
        writable = {key.fileobj for key, events in ready if events & selectors.EVENT_WRITE}
        return set(readable), set(writable)

    def _write_socket(self) -> None:
        try:
            del self._outward[: self._sock.send(self._outward)]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self._protocol.receive_eof()

    def _read_socket(self) -> None:
        try:
            # More than a TLS record holds (16 KiB): nothing stays behind where poll cannot see it.
            self._feed(self._sock.recv(1 << 18))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self._protocol.receive_eof()

    def _feed(self, data: bytes) -> None:
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                raise ProxyError(f"the endpoint says: {bytes(event.data).decode(errors='replace')}")
            if isinstance(event, Frame) and event.opcode in (Opcode.BINARY, Opcode.CONT):
                self._inward += event.data

    def _read_input(self) -> None:
        try:
            data = os.read(self._stdin, FRAME)
        except BlockingIOError:
            return
        if data:
            self._protocol.send_binary(data)
        else:
            self._close()

    def _write_output(self) -> None:
        try:
            del self._inward[: os.write(self._stdout, self._inward)]
        except BlockingIOError:
            pass
        except BrokenPipeError:  # ssh has ended
            self._inward.clear()
            self._close()

    def _close(self) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._ended = True

    def _verdict(self) -> None:
        code = self._protocol.close_rcvd.code if self._protocol.close_rcvd else None
        if code == 1000 or self._ended:
            return
        if self._protocol.close_rcvd:
            reason = self._protocol.close_rcvd.reason or "no reason given"
            raise ProxyError(f"the endpoint closed the tunnel ({code}): {reason}")
        raise ProxyError("the connection to the endpoint broke")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="SSH to a private host through an EC2 Instance Connect Endpoint")
    parser.add_argument(
        "--endpoint-id", "--instance-connect-endpoint-id", help="eice-…; found by the host's VPC without"
    )
    parser.add_argument("--vpc-id", help="the host's VPC; found by its address without, where only one VPC has that")
    parser.add_argument("--dns-name", help="the endpoint's own; looked up without")
    parser.add_argument("--endpoint-url", help="connect here instead of wss://DNS-NAME (the lab: ws://127.0.0.1:8567)")
    parser.add_argument("--region")
    parser.add_argument("--profile")
    parser.add_argument("--host", required=True, help="the instance's private IPv4 address")
    parser.add_argument("--port", type=int, default=22)
    parser.add_argument("--max-tunnel-duration", type=int, metavar="SECONDS", help="1 to 3600")
    return parser.parse_args(argv)


def tunnel(asked: argparse.Namespace, stdin: int, stdout: int) -> None:
    """Open the tunnel and carry everything until it ends."""
    account = Account(asked.profile, asked.region)
    endpoint_id, dns_name = asked.endpoint_id, asked.dns_name
    if not (endpoint_id and dns_name):
        endpoint_id, dns_name = account.endpoint(endpoint_id, asked.host, asked.vpc_id)
    target = Target(endpoint_id, dns_name, asked.host, asked.port, asked.max_tunnel_duration)
    url = asked.endpoint_url or f"wss://{dns_name}"
    sock = connect(url, dns_name)
    with sock:
        path = presign(target, account.credentials(), account.region(), time.time())
        scheme = urlsplit(url).scheme
        pump = Pump(sock, ClientProtocol(parse_uri(f"{scheme}://{dns_name}{path}")), stdin, stdout)
        pump.handshake()
        pump.run()


def fail(reason: object) -> NoReturn:
    sys.stderr.write(f"instance connect: {' '.join(str(reason).split())}\n")
    sys.exit(1)


def main() -> None:
    try:
        tunnel(arguments(), sys.stdin.fileno(), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit(130)
    except ProxyError as error:
        fail(error)
    except Exception as error:  # from botocore or the network: still one sentence, never a traceback into ssh
        fail(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
