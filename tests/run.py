"""Runs every check and every test, the fast ones first, and counts them: ``make test``.

What takes minutes of one processor and needs no lab runs beside the stages that mostly wait, and yields to them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from lab import control, preflight
from lab.cli import settings_here, status_of

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Stage:
    """One run of pytest: its directory, and its further arguments. Without arguments it is scripts/lint instead."""

    name: str
    arguments: tuple[str, ...]


# Whole playbooks against an API alone.
PLAYBOOKS = tuple(f"tests/integration/{name}" for name in ("plan", "destroy", "zones", "instances", "parts", "api"))

STAGES = (
    Stage("unit", ("tests/unit", "-n", "2", "--dist", "loadfile")),
    Stage("examples", ("tests/examples",)),
    # By itself xdist would begin with the files of many tests, which are the short ones.
    Stage(
        "integration",
        (
            *("tests/integration", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"),
            *(f"--ignore={path}" for path in PLAYBOOKS),
        ),
    ),
    Stage("api-only", ("tests/api_only",)),
    Stage("molecule", ("tests/molecule",)),
    Stage("e2e", ("tests/e2e",)),
)
# What begins with a stage, and is waited for at the end.
BESIDE = {"api-only": Stage("lint", ()), "e2e": Stage("playbooks", PLAYBOOKS)}
# How long a stage may take to end what it has started, once it was told to end.
END_SECONDS = 60.0


@dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def counted(report: Path) -> tuple[Counts, set[str]]:
    """The counts of a JUnit report, and the reasons of what was skipped; no report is one failure."""
    if not report.exists():
        return Counts(failed=1), set()
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 — pytest's own report
    assert suite is not None
    tests, failures, errors, skipped = (int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped"))
    reasons = {str(element.get("message")) for element in suite.iter("skipped")}
    failed = failures + errors
    return Counts(max(tests - failed - skipped, 0), failed, skipped), reasons


def measured(report: Path) -> list[str]:
    """What tests recorded in a JUnit report (record_property), a line each."""
    if not report.exists():
        return []
    properties = ET.parse(report).getroot().iter("property")  # noqa: S314 — pytest's own report
    return [f"{each.get('name')}: {each.get('value')}" for each in properties]


def pytest_of(stage: Stage, report: Path) -> list[str]:
    return [sys.executable, "-m", "pytest", *stage.arguments, "--durations=5", f"--junitxml={report}"]


@dataclass(frozen=True)
class Beside:
    """A stage that yields to whatever else runs, and says what it says into a file."""

    stage: Stage
    report: Path
    words: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def begin(cls, stage: Stage, directory: Path) -> Beside:
        report, words = directory / f"{stage.name}.xml", directory / f"{stage.name}.txt"
        command = pytest_of(stage, report) if stage.arguments else ["scripts/lint"]
        with words.open("wb") as output:
            process = subprocess.Popen(
                ["nice", *command],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,  # so that all of it can be told to end
            )
        return cls(stage, report, words, process)

    def stop(self) -> None:
        """End it, as Ctrl-C ends a stage: pytest then ends what its fixtures have started."""
        if self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self) -> tuple[Counts, set[str]]:
        say(self.stage.name)
        status = self.process.wait()
        print(self.words.read_text(), end="", flush=True)
        if self.stage.arguments:
            return outcome(status, self.report)
        return (Counts(failed=1) if status else Counts(passed=1)), set()


def outcome(status: int, report: Path) -> tuple[Counts, set[str]]:
    """What a run of pytest counted."""
    counts, skipped = counted(report)
    # Where it says no failure, pytest itself failed, or collected nothing.
    return (counts + Counts(failed=1) if status and not counts.failed else counts), skipped


def run(stage: Stage, report: Path) -> int:
    """Run a stage; return its exit status, and only when it has ended, also where this is interrupted."""
    process = subprocess.Popen(pytest_of(stage, report), cwd=ROOT)
    try:
        return process.wait()
    except KeyboardInterrupt:  # the terminal has told the stage too
        process.wait()
        raise
    except SystemExit:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def say(text: str) -> None:
    print(f"\033[1m==>\033[0m {text}", flush=True)


def stopped(*_: object) -> NoReturn:
    sys.exit("The tests were stopped.")


def main() -> int:
    try:
        status_of(settings_here())
    except control.NotRunning:
        pass
    else:
        print("A lab runs here, and the tests need its place. End it first: make down", file=sys.stderr)
        return 2
    hosts_missing = preflight.no_hosts_reason()
    if hosts_missing:
        say(f"No hosts here, since {hosts_missing}; what needs them is skipped")
    signal.signal(signal.SIGTERM, stopped)
    # Where a shell started this in the background it is ignored, and would be by all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    total = Counts()
    reasons: set[str] = set()
    beside: list[Beside] = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        try:
            for stage in STAGES:
                if stage.name in BESIDE:
                    beside.append(Beside.begin(BESIDE[stage.name], directory))
                say(f"{stage.name} ({time.monotonic() - began:.0f} s)")
                report = directory / f"{stage.name}.xml"
                counts, skipped = outcome(run(stage, report), report)
                total, reasons = total + counts, reasons | skipped
                for line in measured(report):
                    print(f"measured: {line}", flush=True)
            for each in beside:
                counts, skipped = each.end()
                total, reasons = total + counts, reasons | skipped
        finally:
            for each in beside:
                each.stop()
    say(f"Done in {time.monotonic() - began:.0f} s")
    for reason in sorted(reasons):
        print(f"skipped: {reason}")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    if total.skipped and not hosts_missing:
        print("Nothing may be skipped on a machine that can boot hosts.", file=sys.stderr)
        return 1
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
