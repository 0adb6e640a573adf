"""An edge on a free loopback port before a scratch origin that stands in for the API's S3."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from edge_scene import ScratchOrigin, Seen, visit

from lab.edge.server import Edge
from lab.settings import Internet, Settings


@pytest.fixture
def origin() -> Iterator[ScratchOrigin]:
    scratch = ScratchOrigin()
    yield scratch
    scratch.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def settings(tmp_path: Path, origin: ScratchOrigin, listener: socket.socket) -> Settings:
    return Settings(
        root=tmp_path,
        cache=tmp_path / "cache",
        internet=Internet("198.18.0.0/16"),
        api_port=origin.port,
        edge_port=listener.getsockname()[1],
        api_only=True,
    )


@pytest.fixture
def edge(settings: Settings, listener: socket.socket) -> Iterator[Edge]:
    served = Edge(settings, listener)
    yield served
    served.stop()


@pytest.fixture
def get(edge: Edge, settings: Settings) -> Callable[..., Seen]:
    """Visit the edge: get(path, method=…, headers=…, body=…)."""

    def visitor(path: str, **more: object) -> Seen:
        return visit(settings.edge_port, path, **more)  # type: ignore[arg-type]

    return visitor
