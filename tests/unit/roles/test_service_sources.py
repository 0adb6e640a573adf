"""What sources contain, and how they are packed."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

EXCLUDE = (".*", "__pycache__", "tests")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    root = tmp_path / "sources"
    for name, text in {
        "app/main.py": "print(1)",
        "app/__pycache__/main.pyc": "junk",
        "tests/test_main.py": "junk",
        ".git/HEAD": "junk",
        "run": "#!/bin/sh",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "run").chmod(0o755)
    return root


def digest(content: ModuleType, root: Path) -> str:
    return str(content.digest(root, content.files(root, EXCLUDE)))


def test_excluded_names_are_left_out_at_any_depth(content: ModuleType, sources: Path) -> None:
    assert list(content.files(sources, EXCLUDE)) == ["run", "app/main.py"]


def test_a_change_outside_of_what_counts_changes_nothing(content: ModuleType, sources: Path) -> None:
    before = digest(content, sources)
    (sources / "tests/test_main.py").write_text("other")
    os.utime(sources / "app/main.py", (0, 0))
    assert digest(content, sources) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "app/main.py").write_text("print(2)"),
        lambda root: (root / "app/other.py").write_text(""),
        lambda root: (root / "app/main.py").rename(root / "app/renamed.py"),
        lambda root: (root / "run").chmod(0o644),
        lambda root: (root / "link").symlink_to("run"),
    ],
    ids=["content", "new file", "name", "executable bit", "link"],
)
def test_a_change_of_what_counts_changes_the_digest(content: ModuleType, sources: Path, change) -> None:
    before = digest(content, sources)
    change(sources)
    assert digest(content, sources) != before


def test_a_missing_directory_is_named(content: ModuleType) -> None:
    with pytest.raises(Exception, match="nowhere is not a directory"):
        content.LookupModule().run(["nowhere"])


def test_the_same_contents_give_the_same_bytes_whenever_and_by_whomever(
    pack: ModuleType, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first.tar.gz", tmp_path / "second.tar.gz"
    pack.write(first, pack.members("app", sources, ["run", "app/main.py"]))
    os.utime(sources / "run", (0, 0))
    (sources / "app/main.py").chmod(0o600)
    monkeypatch.setattr("time.time", lambda: 1.0)
    pack.write(second, pack.members("app", sources, ["app/main.py", "run"]))
    assert first.read_bytes() == second.read_bytes()


def test_the_marker_is_the_last_member_so_that_it_means_that_all_else_is_there(
    pack: ModuleType, sources: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "one.tar.gz"
    command = [sys.executable, pack.__file__ or "", str(archive), f"app=@{sources}", f"lib={sources / 'app'}"]
    subprocess.run(command, input="run\napp/main.py\n", text=True, check=True)
    with tarfile.open(archive) as opened:
        assert opened.getnames() == [
            "app/app/main.py",
            "app/run",
            "lib/__pycache__/main.pyc",
            "lib/main.py",
            ".complete",
        ]
        assert opened.getmember("app/run").mode == 0o755
        assert {(one.uid, one.gid, one.mtime) for one in opened} == {(0, 0, 0)}


def test_a_failure_leaves_no_half_archive(pack: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pack.write(tmp_path / "out" / "one.tar.gz", [("app/gone", tmp_path / "gone")])
    assert list((tmp_path / "out").iterdir()) == []
