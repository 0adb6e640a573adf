"""What `make test` counts and prints, and that nothing of it outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import run

# A stage that waits, and something beside it that waits too, with a child.
SCRIPT = """
import sys
from pathlib import Path
from tests import run

where = Path(sys.argv[1])
run.preflight.no_hosts_reason = lambda: None
run.status_of = lambda settings: (_ for _ in ()).throw(run.control.NotRunning)
run.STAGES = (run.Stage("first", ("-p", "no:cacheprovider", str(where / "test_first.py"))),)
run.BESIDE = {"first": run.Stage("beside", ("-p", "no:cacheprovider", str(where / "test_beside.py")))}
sys.exit(run.main())
"""
WAITS = """
import os, pathlib, subprocess, pytest

@pytest.fixture
def child():
    process = subprocess.Popen(["sleep", "600"])
    yield process.pid
    process.terminate()
    process.wait()

def test_waits(child):
    path = pathlib.Path(__file__).with_suffix(".pids")
    path.with_suffix(".new").write_text(f"{os.getpid()} {child}")
    path.with_suffix(".new").rename(path)
    import time; time.sleep(600)
"""


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_stage_outlives_a_run_that_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    names = ("test_first", "test_beside")
    for name in names:
        (tmp_path / f"{name}.py").write_text(WAITS)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=run.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    told = [tmp_path / f"{name}.pids" for name in names]
    try:
        deadline = time.monotonic() + 60
        while not all(path.exists() for path in told):
            assert time.monotonic() < deadline, "the stages did not begin"
            time.sleep(0.05)
        # Ctrl-C tells everything that stands in the terminal's group; `kill` one process.
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        assert process.wait(60) != 0
    finally:
        process.kill()
    pids = [pid for path in told for pid in path.read_text().split()]
    assert len(pids) == 4
    assert [pid for pid in pids if alive(pid)] == []


REPORT = """<?xml version="1.0"?><testsuites><testsuite tests="4" failures="1" errors="0" skipped="1">
<testcase name="a"><properties><property name="gateway: db1" value="1.2 s"/></properties></testcase>
<testcase name="b"><failure message="no"/></testcase>
<testcase name="c"><skipped message="needs hosts"/></testcase>
<testcase name="d"/></testsuite></testsuites>"""


def test_a_report_is_counted_and_what_it_measured_is_said(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert run.counted(report) == (run.Counts(2, 1, 1), {"needs hosts"})
    assert run.measured(report) == ["gateway: db1: 1.2 s"]


def test_a_stage_without_a_report_is_one_failure_and_measured_nothing(tmp_path: Path) -> None:
    assert run.counted(tmp_path / "none.xml") == (run.Counts(failed=1), set())
    assert run.measured(tmp_path / "none.xml") == []
