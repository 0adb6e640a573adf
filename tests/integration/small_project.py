"""A project of one play, whose runs keep something for the next."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

CONFIGURATION = """\
[defaults]
library = library
module_utils = module_utils
roles_path = roles
filter_plugins = plugins/filter
callback_plugins = plugins/callback
callbacks_enabled = {callback}
localhost_warning = False
"""


class SmallProject:
    """A directory with an ``ansible.cfg`` that enables one of our callbacks, and a home of its own."""

    def __init__(self, directory: Path, callback: str) -> None:
        self.directory, self.home, self._callback = directory, directory / "home", callback
        self.write("ansible.cfg", CONFIGURATION.format(callback=callback))
        for path in (f"callback/{callback}.py", "packages.py", "kept/__init__.py"):
            self.write(f"plugins/{path}", (ROOT / "plugins" / path).read_text())

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def run(self, *arguments: str) -> str:
        """What a run of ``play.yml`` says, with Ansible's own words on its work."""
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-v", "play.yml"),
                *("-e", f"ansible_python_interpreter={sys.executable}"),
                *arguments,
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

    @property
    def kept_in(self) -> Path:
        return self.home / self._callback

    def kept(self) -> list[Path]:
        """The directories that runs have kept."""
        return sorted(self.kept_in.glob("*"))
