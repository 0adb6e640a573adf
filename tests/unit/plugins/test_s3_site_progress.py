"""A long publish shows how far it is; a short one says nothing."""

from __future__ import annotations

import runpy
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> tuple[Callable[..., Any], list[str], threading.Event]:
    """The follower's class, the lines that it showed, and an event that the second line sets."""
    names = runpy.run_path(str(ROOT / "plugins/action/s3_site.py"))
    lines: list[str] = []
    second = threading.Event()

    class Display:
        def display(self, line: str) -> None:
            lines.append(line)
            if len(lines) == 2:
                second.set()

    follower = names["Follower"]
    monkeypatch.setitem(follower._show.__globals__, "display", Display())
    return follower, lines, second


def test_whole_lines_of_a_long_publish_are_shown_once(
    shown: tuple[Callable[..., Any], list[str], threading.Event], tmp_path: Path
) -> None:
    follower, lines, second = shown
    file = tmp_path / "progress"
    file.write_text("10:00:00 1 of 3 files uploaded\n")
    with follower(file, 0.01):
        with file.open("a") as more:
            more.write("10:00:02 2 of 3 files uploaded\n10:00:04 3 of")
        assert second.wait(20)
    assert lines == ["  10:00:00 1 of 3 files uploaded", "  10:00:02 2 of 3 files uploaded"]


def test_a_publish_that_ends_at_once_shows_nothing(
    shown: tuple[Callable[..., Any], list[str], threading.Event], tmp_path: Path
) -> None:
    follower, lines, _ = shown
    file = tmp_path / "progress"
    with follower(file):
        file.write_text("10:00:00 3 of 3 files uploaded\n")
    assert lines == []
