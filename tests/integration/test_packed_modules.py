"""The callback packed_modules: what Ansible packed for one run serves the next, until its code changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.small_project import SmallProject

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


class Project(SmallProject):
    """A project with one module, which says what a file of module_utils says."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "packed_modules")
        self.write("library/tell.py", MODULE)
        self.write("play.yml", PLAY)
        self.answer("one")

    def answer(self, word: str) -> None:
        self.write("module_utils/answer.py", f'ANSWER = "{word}"\n')


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
    project.write("roles/teller/tasks/main.yml", "- role_tell:\n")
    project.write("play.yml", PLAY.replace("tasks: [{tell: }]", "roles: [teller]"))
    module = project.write("roles/teller/library/role_tell.py", MODULE.replace("answer.ANSWER", "'first'"))
    assert '"msg": "first"' in project.run()
    module.write_text(MODULE.replace("answer.ANSWER", "'second'"))
    assert '"msg": "second"' in project.run()


def test_what_is_kept_is_the_users_alone(project: Project) -> None:
    project.run()
    assert [path.stat().st_mode & 0o777 for path in (project.kept_in, *project.kept())] == [0o700] * 2


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
    project.kept_in.write_text("in the way")
    assert "ANSIBALLZ: Creating module" in project.run()
    assert "ANSIBALLZ: Creating module" in project.run()
