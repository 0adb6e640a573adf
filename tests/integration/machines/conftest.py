from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from machine_world import World

from lab import settings
from lab.machines import image
from lab.machines.runner import Runner, sweep


@pytest.fixture(scope="session")
def cache() -> Path:
    """The default cache, with the machine image in it; built here if this machine never did."""
    found = settings.from_environment(Path.cwd())
    image.ensure(found, print)
    return found.cache


@pytest.fixture
def world(cache: Path, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, cache)
    try:
        yield made
    finally:
        sweep(made.settings)
        made.close()


@pytest.fixture
def runner(world: World) -> Iterator[Runner]:
    made = Runner(world.settings, namespace=world.namespace)
    try:
        yield made
    finally:
        made.close(0)
