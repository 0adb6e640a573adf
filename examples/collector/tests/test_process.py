"""The process itself: settings, signals, health."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from readings_collector.check import main as check
from readings_collector.settings import SettingsError, from_environment

ROOT = Path(__file__).parent.parent


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "password").write_text("s3cret\n")
    return {
        "SOURCE_URL": "http://127.0.0.1:9/readings",
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_NAME": "readings",
        "DATABASE_USER": "collector",
        "DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
        "RUNTIME_DIRECTORY": str(tmp_path),
    }


def test_sigterm_ends_it_at_once_and_cleanly_even_in_a_long_pause(environ: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "readings_collector"],
        cwd=ROOT,
        env=os.environ | environ | {"INTERVAL_SECONDS": "3600"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=10)
    assert "trying again in" in first
    assert "stopped" in rest
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOURCE_URL", "ftp://example.com"),
        ("SOURCE_URL", "http://"),
        ("INTERVAL_SECONDS", "0"),
        ("INTERVAL_SECONDS", "nan"),
        ("INTERVAL_SECONDS", "often"),
        ("DATABASE_PORT", "70000"),
        ("DATABASE_HOST", ""),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        from_environment(environ | {name: value})


def test_a_wrong_setting_ends_the_process_with_one_sentence(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "readings_collector"],
        cwd=ROOT,
        env=os.environ | environ | {"SOURCE_URL": "nothing"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_health_is_the_age_of_the_last_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    assert check([]) == 1
    (tmp_path / "last-success").touch()
    assert check([]) == 0
    os.utime(tmp_path / "last-success", (0, 0))
    assert check(["60"]) == 1
