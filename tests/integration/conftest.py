"""The files that run whole playbooks begin first: a long one that begins last has one processor, and no company."""

from __future__ import annotations

import pytest

# The longest first, of those that share two workers (tests/run.py); each file is one worker's.
LONG = (
    "lock/test_lock_runs.py",
    "machines/test_machines.py",
    "modules/test_modules_in_a_playbook.py",
    "roles/test_frontend_build.py",
)


def place(item: pytest.Item) -> int:
    name = "/".join(item.path.parts[-2:])
    return LONG.index(name) if name in LONG else len(LONG)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=place)
