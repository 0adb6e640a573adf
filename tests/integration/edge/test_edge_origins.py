"""Origins that are dead, slow, or not to be had."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from edge_scene import (
    ALL_VIEWER,
    DISABLED,
    OPTIMIZED,
    Answer,
    ScratchOrigin,
    Seen,
    behaviour,
    bucket,
    distribution,
    host,
)
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from lab.edge.model import CachePolicy, CustomError, CustomOrigin, Origin
from lab.edge.server import Edge
from lab.settings import Settings

Get = Callable[..., Seen]


@pytest.mark.parametrize("policy", [OPTIMIZED, DISABLED])
def test_a_dead_origin_answers_502_and_that_is_kept_ten_seconds(
    edge: Edge, get: Get, origin: ScratchOrigin, policy: CachePolicy
) -> None:
    site = bucket()
    edge.converge([distribution(behaviour(site, cache_policy=policy), origins=(site,))])
    port = origin.port
    origin.close()
    dead = get("/a")
    died = time.monotonic()
    assert (dead.status, dead.cache, dead.header("Server")) == (502, "Error from cloudfront", "CloudFront")
    assert b"establish a connection with the origin" in dead.body
    alive = ScratchOrigin(port=port)
    try:
        alive.answers["/a"] = alive.answers["/b"] = Answer(body=b"alive")
        assert get("/a").status == 502
        assert get("/b").body == b"alive"
        while get("/a").status == 502:
            assert time.monotonic() < died + 15
            time.sleep(0.1)
        assert time.monotonic() - died > 9
        assert get("/a").body == b"alive"
    finally:
        alive.close()


def test_a_silent_origin_answers_504_after_its_attempts(edge: Edge, get: Get, attempts: Callable[[], int]) -> None:
    silent = bucket(read_timeout=1, connection_attempts=2)
    more = {"cache_policy": DISABLED, "allowed_methods": ("GET", "POST")}
    edge.converge([distribution(behaviour(silent, **more), origins=(silent,))])
    start = time.monotonic()
    seen = get("/a")
    assert (seen.status, seen.cache) == (504, "Error from cloudfront")
    assert time.monotonic() - start >= 2
    assert attempts() == 2
    # The error is kept.
    assert get("/a").status == 504
    assert attempts() == 0
    # What changes something is sent once only.
    start = time.monotonic()
    assert get("/a", method="POST", body=b"x").status == 504
    assert time.monotonic() - start >= 1
    assert attempts() == 1


@pytest.fixture
def attempts(origin: ScratchOrigin) -> Callable[[], int]:
    """Counts the connections since it was last asked, to an S3 origin that lets them in and never answers."""
    origin.close()
    silent = socket.create_server(("127.0.0.1", origin.port))
    silent.setblocking(False)
    origin.close = silent.close  # type: ignore[method-assign]  # what the fixture ends is now this

    def count() -> int:
        found = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                found += 1
        return found

    return count


def test_an_origin_that_breaks_off_answers_502(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a"] = lambda asked: 1 / 0  # type: ignore[arg-type,return-value]  # the handler dies
    origin.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # and says nothing of it
    site = bucket(connection_attempts=3)
    edge.converge([distribution(behaviour(site), origins=(site,))])
    assert get("/a").status == 502
    assert len(origin.asked) == 3


def test_an_error_of_the_origin_is_passed_on_as_it_is(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a"] = Answer(500, b"own words", {"Content-Type": "text/plain", "Cache-Control": "no-store"})
    site = bucket()
    edge.converge([distribution(behaviour(site), origins=(site,))])
    for _ in range(2):
        seen = get("/a")
        assert (seen.status, seen.body, seen.cache) == (500, b"own words", "Error from cloudfront")
    assert len(origin.asked) == 1


def test_a_custom_page_stands_in_for_a_dead_origin(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/sorry.html"] = Answer(body=b"sorry")
    site, gone = bucket(), host("10.0.0.5", 80, None)
    made = distribution(behaviour(gone, "/api/*"), behaviour(site), origins=(site, gone))
    edge.converge([replace(made, custom_errors=(CustomError(502, "/sorry.html", 503),))])
    seen = get("/api/x")
    assert (seen.status, seen.body, seen.cache) == (503, b"sorry", "Error from cloudfront")


def test_without_namespaces_a_vpc_origin_says_what_it_would_need(edge: Edge, get: Get) -> None:
    backend = host("10.0.0.5", 8000, "eni-1")
    edge.converge([distribution(behaviour(backend), origins=(backend,))])
    seen = get("/a")
    assert seen.status == 502
    assert b"network namespaces" in seen.body


def test_without_namespaces_a_custom_origin_is_never_contacted(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    outside = Origin("outside", "127.0.0.1", "", CustomOrigin(origin.port, 443, "http-only"))
    edge.converge([distribution(behaviour(outside), origins=(outside,))])
    seen = get("/a")
    assert seen.status == 502
    assert b"contacts nothing outside" in seen.body
    assert origin.asked == []


def test_an_origin_path_stands_before_the_viewers(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/releases/7/a%20b.txt"] = Answer(body=b"7")
    site = replace(bucket(), origin_path="/releases/7")
    edge.converge([distribution(behaviour(site), origins=(site,))])
    assert get("/a%20b.txt").body == b"7"


def test_a_websocket_passes(edge: Edge, origin: ScratchOrigin, settings: Settings) -> None:
    def echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    origin.close()
    server = serve(echo, "127.0.0.1", origin.port)
    origin.close = server.shutdown  # type: ignore[method-assign]  # what the fixture ends is now this
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = bucket()
    more = {"cache_policy": DISABLED, "origin_request_policy": ALL_VIEWER}
    edge.converge([distribution(behaviour(site, **more), origins=(site,))])
    with connect(f"ws://127.0.0.1:{settings.edge_port}/live") as socket_through_the_edge:
        socket_through_the_edge.send("hello")
        assert socket_through_the_edge.recv(timeout=5) == "hello"
