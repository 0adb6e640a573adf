"""When the frontend is built and when it is not; npm is replaced by a script that writes down what it is asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NPM = """\
#!/bin/sh
echo "$@" >> "$(dirname "$0")/../npm.log"
case "$1" in
  ci) rm -rf node_modules; mkdir node_modules ;;
  run) mkdir -p dist; [ -e src/nothing ] || cat src/main.js > dist/index.html ;;
esac
"""


class Frontend:
    """An application, and a Node.js that only pretends."""

    def __init__(self, source: Path, node: Path, play: Callable[..., Any]) -> None:
        self.source, self.node, self._play = source, node, play
        self.log = node / "npm.log"

    def create(self) -> None:
        (self.source / "src").mkdir(parents=True)
        (self.source / "package.json").write_text(json.dumps({"scripts": {"build": "pretend"}}))
        (self.source / "package-lock.json").write_text("{}")
        (self.source / "src/main.js").write_text("one")
        for name in ("npm", "npx"):
            self.program(f"lib/node_modules/npm/bin/{name}-cli.js", NPM)
        self.version("v99.0.0")

    def program(self, name: str, text: str) -> None:
        path = self.node / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def version(self, text: str) -> None:
        """Pretend to be this version of Node.js."""
        self.program("bin/node", f"#!/bin/sh\necho {text}\n")

    def build(self, *arguments: str, **variables: Any) -> Any:
        """Run the role."""
        return self._play(
            "frontend_build",
            *arguments,
            frontend_build_source=self.source,
            frontend_build_node=self.node,
            frontend_build_tools=self.node / "tools",
            **variables,
        )

    def asked(self) -> list[str]:
        """What npm was asked since the last time."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [line.split(" --")[0] for line in lines]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, play: Callable[..., Any]) -> Frontend:
    """An application that was built once; tests work on copies of it."""
    directory = tmp_path_factory.mktemp("frontend")
    frontend = Frontend(directory / "app", directory / "node", play)
    frontend.create()
    assert frontend.build().failed == 0
    assert frontend.asked() == ["ci", "run build"]
    return frontend


@pytest.fixture
def built(first: Frontend, tmp_path: Path, play: Callable[..., Any]) -> Frontend:
    shutil.copytree(first.source, tmp_path / "app")
    first.log.unlink(missing_ok=True)
    return Frontend(tmp_path / "app", first.node, play)


def test_a_second_run_asks_npm_nothing_and_changes_nothing(built: Frontend) -> None:
    done = built.build()
    assert (done.failed, done.changed) == (0, 0), done.output
    assert built.asked() == []


def test_changed_sources_are_built_without_installing_again(built: Frontend) -> None:
    (built.source / "src/main.js").write_text("two")
    assert built.build().failed == 0
    assert built.asked() == ["run build"]
    assert (built.source / "dist/index.html").read_text() == "two"


def test_a_changed_lock_file_is_installed(built: Frontend) -> None:
    (built.source / "package-lock.json").write_text('{"other": 1}')
    built.build()
    assert built.asked() == ["ci", "run build"]


def test_another_node_installs_and_builds_again(built: Frontend) -> None:
    built.version("v100.0.0")
    built.build()
    built.version("v99.0.0")
    assert built.asked() == ["ci", "run build"]


def test_a_result_that_somebody_touched_is_built_again(built: Frontend) -> None:
    (built.source / "dist/stray.html").write_text("not what was built")
    built.build()
    assert built.asked() == ["run build"]


def test_another_setting_is_another_build(built: Frontend) -> None:
    built.build(frontend_build_environment={"VITE_TITLE": "other"})
    assert built.asked() == ["run build"]


def test_check_mode_says_that_it_would_build_and_does_not(built: Frontend) -> None:
    (built.source / "src/main.js").write_text("two")
    done = built.build("--check")
    assert (done.failed, done.changed) == (0, 1)
    assert built.asked() == []


def test_a_build_that_leaves_no_page_is_refused_each_time(built: Frontend) -> None:
    (built.source / "src/nothing").touch()
    (built.source / "dist/index.html").unlink()
    done = built.build()
    assert done.failed == 1
    assert "left no index.html in" in done.output
    assert built.build().failed == 1


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("package.json", None, "has no package.json"),
        ("package-lock.json", None, "has no package-lock.json"),
        ("package.json", "{}", 'has no script "build"'),
    ],
)
def test_sources_that_cannot_be_built_are_refused_with_what_to_do(
    built: Frontend, file: str, content: str | None, says: str
) -> None:
    if content is None:
        (built.source / file).unlink()
    else:
        (built.source / file).write_text(content)
    done = built.build()
    assert done.failed == 1
    assert says in done.output
    assert built.asked() == []
