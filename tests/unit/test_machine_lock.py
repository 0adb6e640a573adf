"""One lab a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import machine_lock


def test_a_second_lab_is_refused_with_the_first_ones_place(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lab.lock"
    with (
        machine_lock.take(Path("/home/one"), path),
        pytest.raises(machine_lock.Taken, match="lab of /home/one runs on this machine"),
    ):
        machine_lock.take(Path("/home/two"), path)


def test_the_machine_is_free_again_when_a_lab_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "lab.lock"
    machine_lock.take(Path("/home/one"), path).close()
    with machine_lock.take(Path("/home/two"), path):
        assert path.read_text() == "/home/two\n"
