"""The callback packed_modules: what Ansible packed for one run serves the next, until its code changes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODULE = """\
from ansible.module_utils import answer
from ansible.module_utils.basic import AnsibleModule

AnsibleModule({}).exit_json(msg=answer.ANSWER)
"""
PLAY = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks: [{tell: }]
"""
CONFIGURATION = """\
[defaults]
library = library
module_utils = module_utils
roles_path = roles
callback_plugins = plugins/callback
callbacks_enabled = packed_modules
localhost_warning = False
"""


class Project:
    """A project with one module, which says what a file of module_utils says."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.home = directory, directory / "home"
        for name in ("library", "module_utils", "plugins/callback"):
            (directory / name).mkdir(parents=True)
        shutil.copy(ROOT / "plugins/callback/packed_modules.py", directory / "plugins/callback")
        (directory / "ansible.cfg").write_text(CONFIGURATION)
        (directory / "library/tell.py").write_text(MODULE)
        (directory / "play.yml").write_text(PLAY)
        self.answer("one")

    def answer(self, word: str) -> None:
        (self.directory / "module_utils/answer.py").write_text(f'ANSWER = "{word}"\n')

    def run(self) -> str:
        """What a run says, with Ansible's own words on packing."""
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-v", "play.yml"),
                *("-e", f"ansible_python_interpreter={sys.executable}"),
            ],
            cwd=self.directory,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
                "ANSIBLE_HOME": str(self.home),
                "ANSIBLE_DEBUG": "1",
                "NO_COLOR": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    def kept(self) -> list[Path]:
        return sorted((self.home / "packed_modules").glob("*"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_module_is_packed_once_for_all_runs(project: Project) -> None:
    assert "ANSIBALLZ: Creating module" in project.run()
    again = project.run()
    assert "ANSIBALLZ: Creating module" not in again
    assert '"msg": "one"' in again


def test_a_module_whose_code_has_changed_is_packed_again(project: Project) -> None:
    project.run()
    project.answer("another")
    changed = project.run()
    assert '"msg": "another"' in changed
    assert len(project.kept()) == 2


def test_a_roles_own_module_that_has_changed_is_packed_again(project: Project) -> None:
    module = project.directory / "roles/teller/library/role_tell.py"
    for directory in (module.parent, module.parents[1] / "tasks"):
        directory.mkdir(parents=True)
    (module.parents[1] / "tasks/main.yml").write_text("- role_tell:\n")
    (project.directory / "play.yml").write_text(PLAY.replace("tasks: [{tell: }]", "roles: [teller]"))
    module.write_text(MODULE.replace("answer.ANSWER", "'first'"))
    assert '"msg": "first"' in project.run()
    module.write_text(MODULE.replace("answer.ANSWER", "'second'"))
    assert '"msg": "second"' in project.run()


def test_what_is_kept_is_the_users_alone(project: Project) -> None:
    project.run()
    assert [path.stat().st_mode & 0o777 for path in (project.home / "packed_modules", *project.kept())] == [0o700] * 2


def test_what_has_not_been_used_for_a_week_goes_and_what_is_used_stays(project: Project) -> None:
    project.run()
    project.answer("another")
    project.run()
    old, new = sorted(project.kept(), key=lambda path: path.stat().st_mtime)
    os.utime(old, (0, 0))
    project.run()
    assert project.kept() == [new]
    os.utime(new, (0, 0))
    assert "ANSIBALLZ: Creating module" not in project.run()


def test_where_nothing_can_be_kept_each_run_packs_for_itself(project: Project) -> None:
    project.home.mkdir()
    (project.home / "packed_modules").write_text("in the way")
    assert "ANSIBALLZ: Creating module" in project.run()
    assert "ANSIBALLZ: Creating module" in project.run()
