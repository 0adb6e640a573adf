"""Switching between releases, with systemd replaced by what a service would do."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@dataclass
class Machine:
    """Stands in for systemd: runs whatever release's unit is installed; ``broken`` ones never get well."""

    layout: Any
    broken: set[str] = field(default_factory=set)
    failing_migrations: set[str] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)
    running: str | None = None
    restarts: int = 0

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.commands.append(" ".join(command[1:]))
        status = 0
        if command[1:] == ["start", "web-migrate.service"]:
            status = int(self.layout.migrate_unit.read_text() in self.failing_migrations)
        if command[1] == "restart":
            self.running = self.layout.unit.read_text()
        return subprocess.CompletedProcess(command, status, "", "")

    def show(self, unit: str) -> dict[str, str]:
        ill = self.running in self.broken
        state = {"ActiveState": "failed" if ill else "active", "SubState": "running", "NRestarts": str(self.restarts)}
        return state | {"UnitFileState": "enabled", "NeedDaemonReload": "no"}

    def log(self, unit: str, lines: int, since: float) -> list[str]:
        return [f"{unit} wrote this"]


class World:
    """A host with releases, and the switcher at work on it."""

    def __init__(self, root: Path, host: ModuleType, switch: ModuleType) -> None:
        self.host, self.module = host, switch
        self.layout = host.Layout("web", root)
        self.machine = Machine(self.layout)
        self.now = 0.0
        self.layout.releases.mkdir(parents=True)
        self.layout.unit.parent.mkdir(parents=True)
        for release in ("one", "two"):
            self.upload(release)

    def upload(self, release: str) -> None:
        directory = self.layout.release(release)
        directory.mkdir()
        (directory / "web.service").write_text(release)
        (directory / ".complete").touch()

    def switch(self, release: str, **health: Any) -> None:
        def sleep(seconds: float) -> None:
            self.now += seconds

        health = {"timeout": 10, "stable": 2} | health
        self.module.Switcher(
            self.layout, self.machine, self.module.Health(**health), clock=lambda: self.now, sleep=sleep
        ).switch(release)

    @property
    def current(self) -> str | None:
        return self.host.linked(self.layout.base / "current")

    @property
    def previous(self) -> str | None:
        return self.host.linked(self.layout.base / "previous")


@pytest.fixture
def world(tmp_path: Path, service_host: ModuleType, service_switch: ModuleType) -> World:
    return World(tmp_path, service_host, service_switch)


def test_a_first_release_becomes_the_current_one_and_starts_at_boot(world: World) -> None:
    world.switch("one")
    assert (world.current, world.previous, world.machine.running) == ("one", None, "one")
    assert "enable --quiet web.service" in world.machine.commands


def test_a_second_release_remembers_the_first(world: World) -> None:
    world.switch("one")
    world.switch("two")
    assert (world.current, world.previous, world.machine.running) == ("two", "one", "two")


def test_systemd_reads_the_new_unit_before_it_restarts(world: World) -> None:
    world.switch("one")
    assert world.machine.commands.index("daemon-reload") < world.machine.commands.index("restart web.service")


def test_a_broken_release_is_left_for_the_one_before(world: World) -> None:
    world.switch("one")
    world.machine.broken.add("two")
    with pytest.raises(world.module.SwitchError, match="Returned to release one, which is healthy") as caught:
        world.switch("two")
    assert (world.current, world.previous, world.machine.running) == ("one", None, "one")
    assert caught.value.log == ["web.service wrote this"]


def test_a_broken_first_release_says_that_there_is_none_to_return_to(world: World) -> None:
    world.machine.broken.add("one")
    with pytest.raises(world.module.SwitchError, match="no release to return to"):
        world.switch("one")
    assert world.current is None


def test_when_the_release_before_is_broken_too_that_is_said(world: World) -> None:
    world.switch("one")
    world.machine.broken |= {"one", "two"}
    with pytest.raises(world.module.SwitchError, match="Returned to release one, but: Release one did not become"):
        world.switch("two")


def test_a_broken_release_that_ran_before_points_at_its_surroundings(world: World) -> None:
    world.switch("one")
    world.machine.broken.add("one")
    with pytest.raises(world.module.SwitchError, match="see its secrets"):
        world.switch("one")


def test_a_switch_that_is_cut_short_is_told_by_the_unit_and_the_link(
    world: World, service_state: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.switch("one")
    assert service_state.is_running(world.layout, world.machine, world.current)
    monkeypatch.setattr(world.module.Switcher, "_await", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        world.switch("two")
    assert world.current == "one"
    assert not service_state.is_running(world.layout, world.machine, world.current)


def test_a_migration_runs_once_for_each_release_and_before_the_restart(world: World) -> None:
    (world.layout.release("one") / "web-migrate.service").write_text("migrate one")
    world.switch("one")
    world.switch("one")
    commands = world.machine.commands
    assert commands.count("start web-migrate.service") == 1
    assert commands.index("start web-migrate.service") < commands.index("restart web.service")


def test_a_failed_migration_leaves_the_old_release_running_and_runs_again_next_time(world: World) -> None:
    world.switch("one")
    (world.layout.release("two") / "web-migrate.service").write_text("migrate two")
    world.machine.failing_migrations.add("migrate two")
    world.machine.commands.clear()
    with pytest.raises(world.module.SwitchError, match="left as it was"):
        world.switch("two")
    assert (world.current, world.machine.running) == ("one", "one")
    assert "restart web.service" not in world.machine.commands
    world.machine.failing_migrations.clear()
    world.switch("two")
    assert world.current == "two"


def test_health_is_awaited_and_then_must_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.module, "url_illness", lambda url: None if world.now >= 5 else f"{url} answers 503")
    world.switch("one", url="http://127.0.0.1:8000/")
    assert 5 <= world.now < 6


def test_a_service_that_runs_but_soon_ends_is_not_healthy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    show = world.machine.show

    def ends_after_a_second(unit: str) -> dict[str, str]:
        world.machine.restarts = int(world.now >= 1)
        return show(unit)

    monkeypatch.setattr(world.machine, "show", ends_after_a_second)
    with pytest.raises(world.module.SwitchError, match="it ended and was started again"):
        world.switch("one")


def test_health_that_does_not_come_names_what_was_seen_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.module, "url_illness", lambda url: f"{url} answers 503")
    with pytest.raises(world.module.SwitchError, match=r"8000/ answers 503 after 10 s"):
        world.switch("one", url="http://127.0.0.1:8000/")


def test_a_service_that_keeps_ending_is_given_up_before_the_time_is_out(world: World) -> None:
    world.machine.restarts = 3
    with pytest.raises(world.module.SwitchError, match="started again 3 times"):
        world.switch("one")
    assert world.now == 0


def test_a_url_that_nobody_answers_is_an_illness(service_switch: ModuleType) -> None:
    assert "does not answer" in service_switch.url_illness("http://127.0.0.1:9/")


def test_an_incomplete_release_does_not_count(world: World) -> None:
    (world.layout.release("two") / ".complete").unlink()
    assert world.host.complete_releases(world.layout) == ["one"]


def test_secrets_match_only_as_a_whole_and_for_root_alone(service_state: ModuleType, tmp_path: Path) -> None:
    wanted = {"password": "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"}  # SHA-256 of "password"
    matches = service_state.credentials_match
    assert not matches(tmp_path, wanted)
    (tmp_path / "password").write_text("password")
    (tmp_path / "password").chmod(0o600)
    assert matches(tmp_path, wanted)
    (tmp_path / "password").chmod(0o640)
    assert not matches(tmp_path, wanted)
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "old").touch()
    assert not matches(tmp_path, wanted)
