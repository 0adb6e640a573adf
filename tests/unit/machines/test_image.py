from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.machines import apt, image
from lab.settings import Internet, Settings

MIRROR = "http://mirror.test/debian"

# Stands in for the packager: makes the target directory that is its next to last argument.
BUILDER = """#!/bin/sh
echo built >> "$BUILDS"
for last; do target=$previous; previous=$last; done
mkdir -p "$target/etc/ssh" "$target/var/log/apt" "$target/etc/systemd/system"
echo secret > "$target/etc/ssh/ssh_host_ed25519_key"
echo noise > "$target/var/log/apt/term.log"
echo "I: extracting archives..." >&2
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(apt, "machine_mirror", lambda: MIRROR)
    monkeypatch.setattr(apt, "machine_transport_options", lambda: ())
    return Settings(tmp_path / "project", tmp_path / "cache", Internet("198.18.0.0/16"))


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    record = tmp_path / "builds"
    record.touch()
    monkeypatch.setenv("BUILDS", str(record))
    install(tmp_path, monkeypatch, BUILDER)
    return record


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "bin" / "mmdebstrap"
    program.parent.mkdir(exist_ok=True)
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_the_image_is_built_once_and_then_taken_from_the_cache(settings: Settings, builds: Path) -> None:
    said: list[str] = []
    first = image.ensure(settings, said.append)
    assert image.ensure(settings, said.append) == first
    assert builds.read_text() == "built\n"
    assert "  image: extracting archives..." in said


def test_the_image_holds_its_own_files_and_nothing_that_machines_must_not_share(
    settings: Settings, builds: Path
) -> None:
    tree = image.ensure(settings, lambda _: None)
    assert f"URIs: {MIRROR}\n" in (tree / "etc/apt/sources.list.d/debian.sources").read_text()
    assert (tree / "etc/systemd/system/apt-daily.timer").readlink() == Path("/dev/null")
    assert (tree / "etc/machine-id").read_text() == ""
    assert not list(tree.glob("etc/ssh/ssh_host_*"))
    assert not (tree / "var/log/apt/term.log").exists()


def test_a_failed_build_leaves_nothing_and_repeats_the_builders_last_words(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, BUILDER.replace(">> $BUILDS", "") + "echo 'E: no such suite' >&2; exit 1\n")
    monkeypatch.setenv("BUILDS", "/dev/null")
    with pytest.raises(image.ImageError, match="E: no such suite"):
        image.ensure(settings, lambda _: None)
    assert list(settings.cache.glob("image-*")) == []


def test_what_a_killed_build_left_is_removed_by_the_next(settings: Settings, builds: Path) -> None:
    leftover = settings.cache / "image-0123.part-x" / "root"
    leftover.mkdir(parents=True)
    wanted = image.ensure(settings, lambda _: None)
    assert list(settings.cache.glob("image-*")) == [wanted]


def test_two_processes_at_once_build_it_once(settings: Settings, builds: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from lab.machines import apt, image; from lab.settings import *\n"
        f"apt.machine_mirror = lambda: {MIRROR!r}\napt.machine_transport_options = lambda: ()\n"
        "image.ensure(Settings(Path('.'), Path(sys.argv[1]), Internet('198.18.0.0/16')), lambda line: None)\n"
    )
    command = [sys.executable, "-c", program, str(settings.cache)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(30) for process in processes] == [0, 0, 0]
    assert builds.read_text() == "built\n"


def test_an_image_of_another_recipe_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = image.image_path(Path("cache"), MIRROR)
    assert image.image_path(Path("cache"), "http://other.test/debian") != before
    monkeypatch.setattr(image.guest, "PACKAGES", (*image.guest.PACKAGES, "one-more"))
    assert image.image_path(Path("cache"), MIRROR) != before


def test_a_machine_without_a_mirror_is_told_so_before_anything_is_built(
    settings: Settings, builds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise apt.NoMirrorError("No Debian mirror")

    monkeypatch.setattr(apt, "machine_mirror", none)
    with pytest.raises(image.ImageError, match="No Debian mirror"):
        image.ensure(settings, lambda _: None)
    assert builds.read_text() == ""


def test_the_machines_own_way_to_the_mirror_is_used_for_the_build_only() -> None:
    proxy = 'Acquire::http::Proxy "http://proxy.test:3128";'
    command = image.build_command(Path("target"), MIRROR, [proxy])
    assert f"--aptopt={proxy}" in command
    assert command[-3:] == ["sid", "target", MIRROR]
    assert "proxy.test" not in image.recipe(MIRROR)
