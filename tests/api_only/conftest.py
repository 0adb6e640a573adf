"""One API-only deployment for all tests of this directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import story

ONLY = {"LAB_API_ONLY": "1"}


@pytest.fixture(scope="session")
def deployed() -> Iterator[story.Done]:
    try:
        done = story.run("make", "--no-print-directory", "up", **ONLY)
        assert done.status == 0, done.output[-6000:]
        yield done
    finally:
        ended = story.run("make", "down", **ONLY)
        assert ended.status == 0, ended.output
