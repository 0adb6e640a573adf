"""What a run tells of itself where it takes the lock, and how its keeper is watched."""

from __future__ import annotations

import runpy
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    package: ModuleType = runpy.run_path(str(ROOT / "plugins/packages.py"))["load"]("lock")
    return package


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"args": ("site.yml",), "tags": ("all",)}, "site.yml"),
        ({"args": ("/home/kim/shop/site.yml",), "tags": ("backend", "cdn")}, "site.yml --tags backend,cdn"),
        ({"args": ("site.yml",), "skip_tags": ("hosts",), "subset": "db1"}, "site.yml --skip-tags hosts --limit db1"),
        ({"args": ("a.yml", "b c.yml"), "extra_vars": ("token=hunter2",)}, "a.yml 'b c.yml'"),
    ],
)
def test_a_command_is_told_without_what_may_be_secret(lock: ModuleType, options: dict[str, Any], said: str) -> None:
    assert lock.command(options) == said


def test_a_keeper_is_told_to_end_and_awaited(lock: ModuleType) -> None:
    # It takes its time, as one that asks S3 does.
    ends = "lambda *_: (time.sleep(0.3), exit(0))"
    code = f"import signal, time; signal.signal(15, {ends}); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        keeper = lock.Keeper(process.pid)
        assert not keeper.ended()
        keeper.release()
        assert keeper.ended()
    assert process.returncode == 0
    keeper.release()


def test_a_keeper_that_is_gone_before_it_is_watched_has_ended(lock: ModuleType) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert lock.Keeper(process.pid).ended()
