"""The edge's processes: reloads, what is left behind, what is found."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from edge_scene import DISABLED, OPTIMIZED, Answer, ScratchOrigin, Seen, behaviour, bucket, distribution, visit

from lab.edge.model import CachePolicy, Distribution, Function
from lab.edge.server import Edge
from lab.settings import Settings

Get = Callable[..., Seen]


def numbered(number: int, origin_name: str = "site", policy: CachePolicy = OPTIMIZED) -> Distribution:
    origin = bucket(origin_name)
    stamp = (("X-Number", str(number)),)
    made = behaviour(origin, response_headers=stamp, cache_policy=policy)
    return distribution(made, origins=(origin,), etag=str(number))


def test_reloads_under_load_drop_no_request_and_each_is_in_force_when_converge_returns(
    edge: Edge, settings: Settings, origin: ScratchOrigin
) -> None:
    origin.answers["/a"] = Answer(body=b"a" * 20_000)
    edge.converge([numbered(0, "site0", DISABLED)])
    over = threading.Event()
    failures: list[object] = []
    served: list[int] = []

    def load() -> None:
        while not over.is_set():
            try:
                seen = visit(settings.edge_port, "/a")
                if seen.status != 200 or len(seen.body) != 20_000:
                    failures.append(seen)
                served.append(1)
            except OSError as error:
                failures.append(error)

    visitors = [threading.Thread(target=load) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    try:
        for number in range(1, 9):
            # Every second time its origin is another: the backend before goes away.
            assert edge.converge([numbered(number, f"site{number // 2}", DISABLED)])
            assert visit(settings.edge_port, "/a").header("X-Number") == str(number)
    finally:
        over.set()
        for visitor in visitors:
            visitor.join()
    assert failures == []
    assert len(served) > 50


def test_the_inherited_socket_does_not_block_a_worker_whose_visitor_another_took(
    edge: Edge, listener: socket.socket
) -> None:
    assert listener.getblocking() is False


def test_converging_again_changes_nothing(edge: Edge) -> None:
    assert edge.converge([numbered(1)])
    assert not edge.converge([numbered(1)])


def test_a_cached_answer_survives_a_reload(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a"] = Answer(body=b"a", headers={"Cache-Control": "max-age=60"})
    edge.converge([numbered(1)])
    get("/a")
    edge.converge([numbered(2)])
    seen = get("/a")
    assert (seen.cache, seen.header("X-Number")) == ("Hit from cloudfront", "2")


def test_an_edge_that_was_killed_is_replaced_with_its_leftovers_ended(
    settings: Settings, listener: socket.socket, origin: ScratchOrigin
) -> None:
    first = Edge(settings, listener)
    first.converge([numbered(1)])
    left = int((settings.state / "edge" / "run" / "front.pid").read_text())
    os.kill(left, signal.SIGKILL)
    second = Edge(settings, listener)
    try:
        assert _cwd(left) is None
        second.converge([numbered(2)])
        assert {visit(settings.edge_port, "/a").header("X-Number") for _ in range(20)} == {"2"}
    finally:
        second.stop()


def test_an_nginx_that_died_is_started_again(edge: Edge, get: Get, settings: Settings) -> None:
    edge.converge([numbered(1)])
    pid = int((settings.state / "edge" / "run" / "front.pid").read_text())
    # Its workers live on, and must not serve beside the new ones.
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while _cwd(pid):
        assert time.monotonic() < until
    edge.converge([numbered(2)])
    assert {get("/a").header("X-Number") for _ in range(20)} == {"2"}


def test_stopping_leaves_no_process_and_the_callers_socket(
    settings: Settings, listener: socket.socket, origin: ScratchOrigin
) -> None:
    edge = Edge(settings, listener)
    edge.stop()
    directory = str(settings.state / "edge")
    found = subprocess.run(["pgrep", "-a", "nginx"], capture_output=True, text=True, check=False).stdout
    standing = [line for line in found.splitlines() if _cwd(int(line.split()[0])) == directory]
    assert standing == []
    assert listener.getsockname()[1] == settings.edge_port


def _cwd(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return None


def test_workers_are_not_root_and_need_no_way_through_the_state_directory(
    settings: Settings, listener: socket.socket, origin: ScratchOrigin
) -> None:
    settings.state.mkdir(mode=0o700)
    origin.answers["/a"] = Answer(body=b"a", headers={"Cache-Control": "max-age=60"})
    edge = Edge(settings, listener)
    try:
        edge.converge([numbered(1)])
        assert visit(settings.edge_port, "/a").body == b"a"
        assert visit(settings.edge_port, "/a").cache == "Hit from cloudfront"
        pid = int((settings.state / "edge" / "run" / "front.pid").read_text())
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert children
        assert 0 not in {Path(f"/proc/{child}").stat().st_uid for child in children}
    finally:
        edge.stop()


def test_a_refused_configuration_leaves_the_one_before(edge: Edge, get: Get) -> None:
    edge.converge([numbered(1)])
    fine = Function("f", "arn", "function handler(e) { return e.request; }", "cloudfront-js-2.0")
    origin = bucket()
    with pytest.raises(RuntimeError, match="nginx refuses"):
        edge.converge(
            [distribution(behaviour(origin, "/a", viewer_request=fine), origins=(bucket(connection_timeout=-1),))]
        )
    assert get("/a").header("X-Number") == "1"
