from __future__ import annotations

from pathlib import Path

import pytest

from lab.machines import limits


@pytest.fixture(autouse=True)
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in place of the kernel's, at Debian's usual value."""
    place = tmp_path / "max_user_instances"
    place.write_text("128\n")
    monkeypatch.setattr(limits, "INOTIFY", place)
    monkeypatch.setattr(limits, "_RECORD", tmp_path / "run" / "record")
    return place


def test_the_limit_goes_back_to_what_it_was_before_the_first_lab_raised_it(limit: Path) -> None:
    limits.raise_inotify()
    assert limit.read_text() == "8192\n"
    limit.write_text("500\n")  # somebody lowers it meanwhile
    limits.raise_inotify()
    (limit.parent / "run/lab.lock").touch()  # what else stands there stays
    limits.restore_inotify()
    assert limit.read_text() == "128\n"
    assert [path.name for path in (limit.parent / "run").iterdir()] == ["lab.lock"]


def test_a_higher_limit_is_left_alone(limit: Path) -> None:
    limit.write_text("100000\n")
    limits.raise_inotify()
    assert limit.read_text() == "100000\n"
    limits.restore_inotify()
    assert limit.read_text() == "100000\n"
