from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lab import kernel
from lab.machines import disk
from lab.machines.model import Machine


def test_a_new_disk_resolves_names_through_the_vpcs_resolver(machine: Machine) -> None:
    assert disk.first_files(machine)["etc/resolv.conf"] == (
        "nameserver 169.254.169.253\nsearch ap-northeast-2.compute.internal\n"
    )


def test_every_machine_has_an_id_of_its_own_that_stays(machine: Machine) -> None:
    other = replace(machine, id="i-0def")
    own = disk.first_files(machine)["etc/machine-id"]
    assert own == disk.first_files(machine)["etc/machine-id"] != disk.first_files(other)["etc/machine-id"]
    assert len(own) == 33


def test_a_machine_has_the_default_user_of_its_own_image(machine: Machine) -> None:
    configuration = disk.first_files(replace(machine, user="ubuntu"))["etc/cloud/cloud.cfg.d/91_user.cfg"]
    assert yaml.safe_load(configuration) == {"system_info": {"default_user": {"name": "ubuntu"}}}


def test_the_mount_survives_separators_in_the_projects_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(kernel, "run", lambda command: commands.append(list(command)))
    place = tmp_path / "a,b:c" / "i-1"
    disk.Disk(place).mount(tmp_path / "image", {"etc/hello": "hi\n"})
    options = commands[0][commands[0].index("-o") + 1]
    assert f"upperdir={tmp_path}/a\\,b\\:c/i-1/upper" in options
    assert (place / "upper/etc/hello").read_text() == "hi\n"
    assert (place / "upper").stat().st_mode & 0o777 == 0o755


def test_an_old_disk_is_mounted_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(kernel, "run", lambda command: commands.append(list(command)))
    own = disk.Disk(tmp_path / "i-1")
    own.mount(tmp_path / "old-image", {"etc/hello": "first\n"})
    own.mount(tmp_path / "new-image", {"etc/hello": "second\n"})
    assert f"lowerdir={tmp_path}/old-image," in commands[1][commands[1].index("-o") + 1]
    assert (own.upper / "etc/hello").read_text() == "first\n"
