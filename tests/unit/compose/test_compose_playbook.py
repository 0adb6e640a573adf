"""The playbook: what it writes, what it only shows, and when it stops."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What of the checkout an import reads, where it may be changed."""
    for part in ("ansible.cfg", "group_vars", "inventories", "module_utils", "playbooks", "plugins"):
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, symlinks=True)
        else:
            shutil.copy(source, tmp_path / part)
    for defaults in ROOT.glob("roles/*/defaults"):
        shutil.copytree(defaults, tmp_path / defaults.relative_to(ROOT))
    shutil.copytree(Path(__file__).parent / "files/secrets", tmp_path / "product")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("node_modules", "dist"))
    return tmp_path


def imported(checkout: Path, *arguments: str) -> tuple[int, str]:
    playbook = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/lab/localhost.yml"]
    run = subprocess.run(
        [*playbook, "playbooks/import_compose.yml", "-e", "compose=product/compose.yaml", *arguments],
        cwd=checkout,
        env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def variables(checkout: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((checkout / "group_vars/all").glob("*.yml"))}


def test_an_import_writes_what_it_shows_and_a_second_one_changes_nothing(checkout: Path) -> None:
    code, said = imported(checkout)
    assert code == 0, said
    assert "+project_name: orders" in said
    after = variables(checkout)
    assert "project_backend: product/backend" in after["project.yml"]
    assert "sk_test_of_nobody" not in said + "".join(after.values())
    code, said = imported(checkout)
    assert (code, variables(checkout)) == (0, after)
    assert "changed=0" in said


def test_what_somebody_has_written_is_shown_and_replaced_only_when_told_to(checkout: Path) -> None:
    mine = checkout / "group_vars/all/services.yml"
    mine.write_text(mine.read_text().replace("backend_port: 8000", "backend_port: 8765"))
    before = variables(checkout)
    code, said = imported(checkout)
    assert (code, variables(checkout)) == (2, before)
    assert "-backend_port: 8765" in said
    assert "backend_port in group_vars/all would be replaced" in said
    code, said = imported(checkout, "-e", "compose_overwrite=true")
    assert code == 0, said
    assert "backend_port: 8080" in mine.read_text()
