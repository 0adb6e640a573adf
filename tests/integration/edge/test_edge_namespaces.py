"""The edge where it stands in the lab: in the internet's namespace, its VPC origins' part in their interfaces' own."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from edge_scene import ALL_VIEWER, DISABLED, Answer, ScratchOrigin, Seen, behaviour, bucket, distribution, host, visit

from lab.edge.model import CustomOrigin, Distribution, Origin
from lab.edge.server import Edge
from lab.kernel import inside, run
from lab.settings import Internet, Settings

pytestmark = pytest.mark.namespaces

ENI_ADDRESS, HOST_ADDRESS = "10.77.0.2", "10.77.0.3"


def in_namespace(name: str, *command: str) -> None:
    run(["ip", "netns", "exec", name, *command])


@dataclass
class Scene:
    """``internet``, ``eni`` and ``host`` are namespaces; the last two share a link."""

    settings: Settings
    edge: Edge
    prefix: str
    s3: ScratchOrigin
    backend: ScratchOrigin

    def name(self, what: str) -> str:
        return f"{self.prefix}{what}"

    def link(self) -> None:
        """Make the interface's namespace, with its link to the host's."""
        run(["ip", "netns", "add", self.name("eni")])
        run(
            [
                *("ip", "link", "add", "eth0", "netns", self.name("eni"), "type", "veth"),
                *("peer", "name", "eth0", "netns", self.name("host")),
            ]
        )
        for what, address in (("eni", ENI_ADDRESS), ("host", HOST_ADDRESS)):
            in_namespace(self.name(what), "ip", "address", "add", f"{address}/24", "dev", "eth0")
            in_namespace(self.name(what), "ip", "link", "set", "eth0", "up")

    def unlink(self) -> None:
        """Remove the interface's namespace; a process in it would keep the link, which is therefore cut first."""
        in_namespace(self.name("host"), "ip", "link", "delete", "eth0")
        run(["ip", "netns", "delete", self.name("eni")])

    def visit(self, path: str, **more: object) -> Seen:
        return visit(self.settings.edge_port, path, **more)  # type: ignore[arg-type]

    def backend_origin(self, **more: object) -> Origin:
        return host(HOST_ADDRESS, self.backend.port, "eni", **more)

    def product(self, **more: object) -> Distribution:
        site, backend = bucket(), self.backend_origin(**more)
        api = behaviour(backend, "/api/*", cache_policy=DISABLED, origin_request_policy=ALL_VIEWER)
        return distribution(api, behaviour(site), origins=(site, backend))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    prefix = f"labt-{os.getpid()}-"
    internet = Internet("198.18.0.0/16")
    with contextlib.ExitStack() as cleanup:
        for what in ("internet", "host"):
            run(["ip", "netns", "add", prefix + what])
            cleanup.callback(run, ["ip", "netns", "delete", prefix + what])
            in_namespace(prefix + what, "ip", "link", "set", "lo", "up")
        for address in (internet.edge, internet.readings):
            in_namespace(f"{prefix}internet", "ip", "address", "add", f"{address}/32", "dev", "lo")
        listener = cleanup.enter_context(socket.create_server(("127.0.0.1", 0)))
        s3 = inside(f"{prefix}internet", ScratchOrigin)
        cleanup.callback(s3.close)
        backend = inside(f"{prefix}host", lambda: ScratchOrigin("0.0.0.0"))  # noqa: S104  # a namespace without a way out
        cleanup.callback(backend.close)
        settings = Settings(
            tmp_path, tmp_path / "cache", internet, api_port=s3.port, edge_port=listener.getsockname()[1]
        )
        edge = inside(f"{prefix}internet", lambda: Edge(settings, listener, namespace_of=lambda eni: prefix + eni))
        cleanup.callback(edge.stop)
        made = Scene(settings, edge, prefix, s3, backend)
        made.link()
        cleanup.callback(run, ["ip", "netns", "delete", f"{prefix}eni"])
        yield made


def test_a_vpc_origin_is_asked_from_its_interface_and_a_bucket_from_the_internet(scene: Scene) -> None:
    scene.backend.answers["/api/who"] = lambda asked: Answer(body=b"backend " + asked.peer.encode())
    scene.s3.answers["/a.js"] = lambda asked: Answer(body=b"s3 " + asked.peer.encode())
    scene.edge.converge([scene.product()])
    assert scene.visit("/api/who").body == f"backend {ENI_ADDRESS}".encode()
    assert scene.visit("/a.js").body == b"s3 127.0.0.1"
    (asked,) = scene.backend.asked
    assert asked.header("Host") == f"127.0.0.1:{scene.settings.edge_port}"
    assert asked.header("X-Lab-Edge-Token") is None


def test_what_the_hosts_firewall_drops_is_a_504_and_what_it_refuses_a_502(scene: Scene) -> None:
    scene.edge.converge([scene.product(connection_timeout=1, connection_attempts=1)])
    rule = "table inet t {{\nchain in {{\ntype filter hook input priority 0; policy accept;\ntcp dport {} {}\n}}\n}}"
    for verdict, status, path in (("drop", 504, "/api/a"), ("reject with tcp reset", 502, "/api/b")):
        text = "flush ruleset\n" + rule.format(scene.backend.port, verdict)
        inside(scene.name("host"), lambda text=text: run(["nft", "-f", "-"], stdin=text))
        seen = scene.visit(path)
        assert seen.status == status
        assert f"{HOST_ADDRESS}, from eni".encode() in seen.body


def test_a_vpc_origin_comes_to_life_once_its_namespace_is_there(scene: Scene) -> None:
    scene.backend.answers["/api/x"] = Answer(body=b"here")
    scene.unlink()
    scene.edge.converge([scene.product()])
    assert scene.visit("/api/early").status == 502
    scene.link()
    scene.edge.converge([scene.product()])
    assert scene.visit("/api/x").body == b"here"


def test_a_vpc_origin_follows_its_namespace_when_that_is_made_anew(scene: Scene) -> None:
    scene.backend.answers["/api/x"] = scene.backend.answers["/api/y"] = Answer(body=b"here")
    scene.edge.converge([scene.product()])
    assert scene.visit("/api/x").body == b"here"
    scene.unlink()
    scene.link()
    scene.edge.converge([scene.product()])
    assert scene.visit("/api/y").body == b"here"


def test_an_interface_that_is_no_longer_needed_has_no_process_left(scene: Scene) -> None:
    scene.edge.converge([scene.product()])
    assert run(["ip", "netns", "pids", scene.name("eni")]).split()
    site = bucket()
    scene.edge.converge([distribution(behaviour(site), origins=(site,))])
    assert run(["ip", "netns", "pids", scene.name("eni")]).split() == []


def test_over_plain_http_the_internet_is_redirected_and_over_tls_served(scene: Scene) -> None:
    scene.s3.answers["/a.js"] = Answer(body=b"a")
    scene.edge.converge([scene.product()])
    address = scene.settings.internet.edge
    plain = inside(
        scene.name("internet"), lambda: visit(80, "/a.js?x=1", headers={"Host": "d1.cloudfront.net"}, address=address)
    )
    assert (plain.status, plain.header("Location")) == (301, "https://d1.cloudfront.net/a.js?x=1")
    assert plain.cache == "Redirect from cloudfront"
    trusting = ssl.create_default_context(cafile=scene.settings.state / "edge" / "tls.crt")

    def over_tls() -> bytes:
        with (
            socket.create_connection((address, 443), timeout=5) as tcp,
            trusting.wrap_socket(tcp, server_hostname="d1.cloudfront.net") as tls,
        ):
            tls.sendall(b"GET /a.js HTTP/1.1\r\nHost: d1.cloudfront.net\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: tls.recv(65536), b""))

    assert inside(scene.name("internet"), over_tls).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_custom_origin_is_asked_from_inside_the_internet(scene: Scene) -> None:
    address = scene.settings.internet.readings
    outside = inside(scene.name("internet"), lambda: ScratchOrigin(address))
    try:
        outside.answers["/v1/readings"] = Answer(body=b"[]")
        custom = Origin("outside", address, "", CustomOrigin(outside.port, 443, "http-only"))
        scene.edge.converge([distribution(behaviour(custom), origins=(custom,))])
        assert scene.visit("/v1/readings").body == b"[]"
    finally:
        outside.close()


def test_replacing_a_backend_behind_a_new_vpc_origin_loses_no_request(scene: Scene) -> None:
    scene.backend.answers["/api/x"] = Answer(body=b"one")
    second = inside(scene.name("host"), lambda: ScratchOrigin("0.0.0.0"))  # noqa: S104  # a namespace without a way out
    try:
        second.answers["/api/x"] = Answer(body=b"two")
        scene.edge.converge([scene.product()])
        assert scene.visit("/api/x").body == b"one"
        moved = scene.product()
        target = replace(scene.backend_origin().target, http_port=second.port)
        origins = (moved.origins[0], replace(moved.origins[1], target=target))
        scene.edge.converge([replace(moved, origins=origins)])
        assert scene.visit("/api/x").body == b"two"
    finally:
        second.close()
