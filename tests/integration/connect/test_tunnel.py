"""The tunnel's rules: who gets where, how it ends, and what people are told."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lab import kernel

pytestmark = pytest.mark.namespaces


@pytest.fixture
def desktop(place):
    """Call it with a function of a connected socket: it serves port 3389 of the host with it, one thread each."""
    with contextlib.ExitStack() as stack:

        def listen(serve):
            listener = kernel.listening(place.host, place.address, 3389)
            stack.callback(listener.close)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)

            def accept():
                with contextlib.suppress(OSError):
                    while True:
                        threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()

            def handle(sock):
                with sock, contextlib.suppress(OSError):
                    serve(sock)

            threading.Thread(target=accept, daemon=True).start()

        yield listen


def echo(sock):
    while data := sock.recv(65536):
        sock.sendall(data)


def finish(process, data=b""):
    """Output, the sentence on standard error, and the exit status."""
    out, err = process.communicate(data, timeout=60)
    return out, err.decode(), process.returncode


def signed(proxy, place, moment=None, duration=None, endpoint_id=None, port=3389):
    """A URL to the tunnel server, as the client signs it."""
    target = proxy.Target(endpoint_id or place.endpoint_id, place.dns_name, place.address, port, duration)
    return proxy.presign(target, proxy.Credentials("AKID", "lab"), "ap-northeast-2", moment or time.time())


def opened(place, path):
    parts = urlsplit(place.url)
    sock = socket.create_connection((parts.hostname, parts.port), timeout=10)
    return websockets.sync.client.connect(f"ws://{place.dns_name}{path}", sock=sock, compression=None)


def refusal(place, path):
    with pytest.raises(InvalidStatus) as refused:
        opened(place, path)
    return refused.value.response.status_code, refused.value.response.body.decode()


def test_bytes_of_every_value_pass_both_ways_and_the_hosts_end_is_a_clean_end(place, desktop):
    def upper(sock):
        received = b""
        while len(received) < 256 * 400:
            received += sock.recv(65536)
        sock.sendall(received[::-1])

    desktop(upper)
    data = bytes(range(256)) * 400
    process = place.start(port=3389)
    process.stdin.write(data)
    process.stdin.flush()
    assert process.stdout.read() == data[::-1]  # until end of file: our side never closed
    assert finish(process) == (b"", "", 0)


def test_everything_sent_before_our_end_arrives(place, desktop):
    arrived, done = [], threading.Event()

    def collect(sock):
        while data := sock.recv(65536):
            arrived.append(data)
        done.set()

    desktop(collect)
    data = os.urandom(8_000_000)
    assert finish(place.start(port=3389), data) == (b"", "", 0)
    assert done.wait(10)
    assert b"".join(arrived) == data


def test_a_reader_that_pauses_stops_the_sender_and_loses_nothing(place, desktop):
    sent, stuck = [], threading.Event()

    def flood(sock):
        sock.setblocking(False)
        while select.select([], [sock], [], 1.0)[1]:  # until everything on the way is full
            sent.append(sock.send(b"x" * 65536))
        stuck.set()

    desktop(flood)
    process = place.start(port=3389)
    assert stuck.wait(30)
    assert 1_000_000 < sum(sent) < 100_000_000
    assert len(process.stdout.read()) == sum(sent)
    assert finish(process) == (b"", "", 0)


def test_a_port_where_nothing_listens_is_told_from_one_that_does_not_answer(place):
    assert finish(place.start(port=3389)) == (
        b"",
        "instance connect: 10.0.11.5 port 3389: Connection refused; nothing listens there yet.\n",
        1,
    )
    rules = "table inet shut { chain in { type filter hook input priority 0; tcp dport 3389 drop; }; }"
    kernel.run(["ip", "netns", "exec", place.host, "nft", rules])
    try:
        out, err, code = finish(place.start(port=3389))
    finally:
        kernel.run(["ip", "netns", "exec", place.host, "nft", "delete table inet shut"])
    assert (out, code) == (b"", 1)
    assert "10.0.11.5 port 3389 does not answer: its security group must admit the endpoint's group" in err


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"port": 80}, "remotePort is 80; only 22 and 3389 are allowed."),
        ({"endpoint_id": "eice-none"}, "The instance connect endpoint eice-none does not exist."),
        ({"endpoint_id": "eice-unready"}, "eice-unready is not ready yet."),
        ({"host": "127.0.0.1"}, "privateIpAddress is 127.0.0.1; it must be an address of the VPC."),
    ],
)
def test_what_cannot_be_reached_is_said_in_one_sentence(place, wanted, reason):
    assert finish(place.start(**wanted)) == (b"", f"instance connect: {reason}\n", 1)


def test_an_expired_url_is_refused(place, proxy):
    status, body = refusal(place, signed(proxy, place, moment=time.time() - 61))
    assert status == 403
    assert "The request has expired" in body


def test_an_unsigned_request_is_refused_before_anything_is_looked_at(place):
    assert refusal(place, "/openTunnel?remotePort=80")[0] == 403
    assert refusal(place, "/")[0] == 403


def test_the_twenty_first_connection_is_refused_until_another_ends(place, proxy, desktop):
    desktop(echo)
    with contextlib.ExitStack() as stack:
        tunnels = [stack.enter_context(opened(place, signed(proxy, place))) for _ in range(20)]
        status, body = refusal(place, signed(proxy, place))
        assert (status, "20 connections already" in body) == (429, True)
        tunnels.pop().close()
        deadline = time.monotonic() + 10
        while len(tunnels) < 20:
            try:
                tunnels.append(stack.enter_context(opened(place, signed(proxy, place))))
            except InvalidStatus:
                assert time.monotonic() < deadline
        tunnels[-1].send(b"hello")
        assert tunnels[-1].recv() == b"hello"


@pytest.mark.parametrize(("message", "code"), [("a text", 1003), (b"x" * 65_001, 1009)])
def test_only_binary_frames_of_at_most_65000_bytes_are_carried(place, proxy, desktop, message, code):
    desktop(echo)
    with opened(place, signed(proxy, place)) as tunnel:
        tunnel.send(b"y" * 65_000)
        with pytest.raises(ConnectionClosed) as closed:
            tunnel.send(message)
            while True:
                tunnel.recv(timeout=10)
    assert closed.value.rcvd.code == code


def test_the_server_sends_frames_of_at_most_65000_bytes(place, proxy, desktop):
    desktop(lambda sock: sock.sendall(b"z" * 1_000_000))
    with opened(place, signed(proxy, place)) as tunnel:
        sizes = [len(message) for message in tunnel]
    assert sum(sizes) == 1_000_000
    assert max(sizes) <= 65_000


def test_a_tunnel_ends_when_its_time_is_over_and_the_client_says_so(place, desktop):
    desktop(echo)
    process = place.start("--max-tunnel-duration", "1", port=3389)
    assert process.wait(20) == 1
    err = process.stderr.read().decode()
    assert err == "instance connect: the endpoint closed the tunnel (1001): The tunnel's 1 seconds are over.\n"


def test_when_the_lab_ends_the_client_says_so_and_goes(place, desktop):
    desktop(lambda sock: (sock.sendall(b"hello"), echo(sock)))
    process = place.start(port=3389)
    assert process.stdout.read(5) == b"hello"
    place.tunnel.close()
    assert finish(process)[1:] == (
        "instance connect: the endpoint closed the tunnel (1001): no reason given\n",
        1,
    )


def test_without_a_server_one_sentence_says_so(place):
    place.tunnel.close()
    _, err, code = finish(place.start())
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("instance connect: no connection to 127.0.0.1 port ")


def test_no_secret_stands_in_the_clients_arguments(place, desktop):
    desktop(lambda sock: (sock.sendall(b"hello"), echo(sock)))
    process = place.start(port=3389)
    assert process.stdout.read(5) == b"hello"
    with open(f"/proc/{process.pid}/cmdline", "rb") as file:  # noqa: PTH123 - a kernel file
        line = file.read()
    assert b"Signature" not in line
    assert b"lab\0" not in line
    finish(process)


def test_with_keys_in_the_environment_the_slow_part_of_the_sdk_is_never_loaded(place, desktop):
    desktop(lambda sock: sock.sendall(b"hello"))
    script = (
        "import runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0])['tunnel'](runpy.run_path(sys.argv[0])['arguments'](), 0, 1)\n"
        "sys.exit('botocore was loaded' if 'botocore' in sys.modules else 0)"
    )
    command = [sys.executable, "-c", script, *place.command(port=3389)[1:]]
    done = subprocess.run(command, env=place.environment, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
