"""The example's own compose file, imported, gives the deployment that runs: nothing about it differs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces

# What the import may change, and what reads it; the rest of the checkout is only looked at.
COPIED = (
    "ansible.cfg",
    "group_vars",
    "inventories",
    "library",
    "module_utils",
    "playbooks",
    "plugins",
    "roles",
    "site.yml",
)
LINKED = (".lab", ".tools", ".venv", "examples")


@pytest.fixture
def checkout(deployment: Deployment, tmp_path: Path) -> Path:
    """A checkout whose variables may be written, and which has this one's lab and builds."""
    for part in COPIED:
        source = story.ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, symlinks=True)
        else:
            shutil.copy(source, tmp_path / part)
    for part in LINKED:
        (tmp_path / part).symlink_to(story.ROOT / part)
    return tmp_path


def test_importing_the_example_and_deploying_it_changes_nothing(checkout: Path) -> None:
    def play(*arguments: str) -> story.Done:
        return story.run("env", f"--chdir={checkout}", "ansible-playbook", *arguments)

    imported = play(
        "playbooks/import_compose.yml", "-e", "compose=examples/compose.yaml", "-e", "compose_project_name=madang"
    )
    assert imported.status == 0, imported.output[-4000:]
    assert "project_compose: examples/compose.yaml" in (checkout / "group_vars/all/project.yml").read_text()
    deployed = play("site.yml")
    assert deployed.status == 0, deployed.output[-6000:]
    assert set(story.changes(deployed.output).values()) == {0}, deployed.output[-6000:]
