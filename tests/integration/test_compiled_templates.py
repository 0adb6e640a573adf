"""The callback compiled_templates: what Jinja compiled for one task serves the next, and nothing secret is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.integration.small_project import SmallProject

PLAY = """\
- hosts: localhost
  connection: local
  gather_facts: false
  vars_files: [words.yml]
  tasks:
    - ansible.builtin.debug:
        msg: "{{ word | loudly }}"
"""
FILTERS = """\
class FilterModule:
    def filters(self):
        return {{"loudly": {loudly}}}
"""
# With the context, a filter's code is another, and so is that of each template with it.
WITH_CONTEXT = "__import__('jinja2').pass_context(lambda context, word: f'{word}, ' + context['loud'])"


class Project(SmallProject):
    """A project with one filter and one word; its templates stand in the play and beside it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "compiled_templates")
        self.write("play.yml", PLAY)
        self.write("words.yml", "word: \"{{ 'quiet' }}\"\nloud: shout\n")
        self.filter("lambda word: word + '!'")

    def filter(self, loudly: str) -> None:
        self.write("plugins/filter/loudly.py", FILTERS.format(loudly=loudly))

    def files(self) -> list[Path]:
        """The compiled templates."""
        return [path for kept in self.kept() for path in kept.iterdir()]

    def mentions(self, word: str) -> bool:
        """Whether something that is kept has this word in it."""
        return any(word.encode() in path.read_bytes() for path in self.files())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_template_is_compiled_once_for_all_runs(project: Project) -> None:
    assert '"msg": "quiet!"' in project.run()
    first = {path: path.stat().st_mtime_ns for path in project.files()}
    assert project.mentions("loudly")
    assert '"msg": "quiet!"' in project.run()
    assert {path: path.stat().st_mtime_ns for path in project.files()} == first


def test_what_is_kept_is_what_runs(project: Project) -> None:
    project.run()
    for path in project.files():
        path.write_bytes(path.read_bytes().replace(b"quiet", b"QUIET"))
    assert '"msg": "QUIET!"' in project.run()


def test_a_template_that_has_changed_is_compiled_again(project: Project) -> None:
    project.run()
    project.write("words.yml", "word: \"{{ 'another' }}\"\n")
    assert '"msg": "another!"' in project.run()


def test_templates_are_compiled_again_when_a_filter_has_changed(project: Project) -> None:
    project.run()
    project.filter(WITH_CONTEXT)
    assert '"msg": "quiet, shout"' in project.run()
    assert len(project.kept()) == 2


def test_what_comes_from_the_command_line_is_not_kept(project: Project) -> None:
    assert '"msg": "sesame!"' in project.run("-e", '{"word": "{{ \'sesame\' }}"}')
    assert project.files()
    assert not project.mentions("sesame")


def test_what_stands_in_an_encrypted_file_is_not_kept(project: Project) -> None:
    password = project.write("password", "open")
    words = "word: \"{{ 'sesame' }}\"\n"
    project.write("words.yml", VaultLib().encrypt(words, VaultSecret(b"open")).decode())
    assert '"msg": "sesame!"' in project.run("--vault-password-file", str(password))
    assert project.files()
    assert not project.mentions("sesame")


def test_what_is_kept_is_the_users_alone(project: Project) -> None:
    project.run()
    assert [path.stat().st_mode & 0o777 for path in (project.kept_in, *project.kept())] == [0o700] * 2
    assert {path.stat().st_mode & 0o777 for path in project.files()} == {0o600}


def test_where_nothing_can_be_kept_each_task_compiles_for_itself(project: Project) -> None:
    project.home.mkdir()
    project.kept_in.write_text("in the way")
    assert '"msg": "quiet!"' in project.run()
