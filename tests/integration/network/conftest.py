"""The small VPC, built anew for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_vpc import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    try:
        made.build()
        made.serve("internet", 80)
        yield made
    finally:
        made.close()
