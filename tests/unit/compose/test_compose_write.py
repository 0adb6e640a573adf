"""How variables get into group_vars: in their place, with everything else left as it was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("compose")

SERVICES = """---
# The port.
backend_port: 8000 # inside

# Settings.
backend_environment:
  A: one

# Of the collector.
collector_command: run
"""


def edits(directory: Path, wanted: dict[str, Any], shipped: dict[str, Any] | None = None) -> list[Any]:
    write = sys.modules["madang_compose.write"]
    made: list[Any] = write.edits(directory, wanted, {"backend_runtime": "python"}, shipped or {})
    return made


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "services.yml").write_text(SERVICES)
    return tmp_path


def test_only_what_changes_is_replaced(directory: Path) -> None:
    [edit] = edits(directory, {"backend_port": 9000, "backend_environment": {"A": "two", "B": "{{ not ours }}"}})
    assert edit.after == SERVICES.replace("8000", "9000").replace("  A: one", "  A: two\n  B: !unsafe '{{ not ours }}'")


def test_what_is_there_already_is_no_change(directory: Path) -> None:
    assert edits(directory, {"backend_port": 8000, "collector_command": "run"}) == []


def test_a_roles_default_is_not_written_unless_something_else_stands_there(directory: Path) -> None:
    assert edits(directory, {"backend_runtime": "python"}) == []
    (directory / "own.yml").write_text("backend_runtime: java\n")
    [edit] = edits(directory, {"backend_runtime": "python"})
    assert (edit.path.name, edit.after) == ("own.yml", "backend_runtime: python\n")


def test_new_variables_come_last_with_a_comment(directory: Path) -> None:
    [edit] = edits(directory, {"backend_memory_max": "512M"})
    assert edit.after == f"{SERVICES}\n# The backend. The most memory that it may take.\nbackend_memory_max: 512M\n"


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    [edit] = edits(tmp_path, {"verify_paths": [{"path": "/", "status": 200}]})
    assert (edit.path.name, edit.before) == ("verify.yml", "")
    assert edit.after == "---\nverify_paths:\n  - {path: /, status: 200}\n"


def test_what_somebody_has_written_is_named_before_it_is_replaced(directory: Path) -> None:
    [edit] = edits(directory, {"backend_port": 9000, "collector_command": "go"}, {"backend_port": 8000})
    assert edit.replaced == ["collector_command"]
