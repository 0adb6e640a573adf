"""Runs every check and every test, the fast ones first, and counts them: ``make test``.

The linters take minutes of one processor; they run beside the stages that mostly wait for hosts.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from lab import control, preflight
from lab.cli import settings_here, status_of

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Stage:
    """One run of pytest: its directory, and its further arguments."""

    name: str
    arguments: tuple[str, ...]


STAGES = (
    Stage("unit", ("tests/unit", "-n", "2", "--dist", "loadfile")),
    Stage("examples", ("tests/examples",)),
    # By itself xdist would begin with the files of many tests, which are the short ones.
    Stage("integration", ("tests/integration", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")),
    Stage("api-only", ("tests/api_only",)),
    Stage("molecule", ("tests/molecule",)),
    Stage("e2e", ("tests/e2e",)),
)
# The first stage that leaves a processor free.
LINT_BESIDE = "api-only"


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


def begin_lint(words: Path) -> subprocess.Popen[bytes]:
    """The linters, which yield to whatever else runs and say what they say into the file ``words``."""
    with words.open("wb") as output:
        return subprocess.Popen(["nice", "scripts/lint"], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)


def say(text: str) -> None:
    print(f"\033[1m==>\033[0m {text}", flush=True)


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
    began = time.monotonic()
    total = Counts()
    reasons: set[str] = set()
    with tempfile.TemporaryDirectory() as directory:
        words = Path(directory) / "lint"
        for stage in STAGES:
            if stage.name == LINT_BESIDE:
                lint = begin_lint(words)
            say(f"{stage.name} ({time.monotonic() - began:.0f} s)")
            report = Path(directory) / f"{stage.name}.xml"
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *stage.arguments, "--durations=5", f"--junitxml={report}"],
                cwd=ROOT,
                check=False,
            )
            counts, skipped = counted(report)
            if done.returncode and not counts.failed:
                counts += Counts(failed=1)  # pytest itself failed, or collected nothing
            total += counts
            reasons |= skipped
        say("lint")
        total += Counts(failed=1) if lint.wait() else Counts(passed=1)
        print(words.read_text(), end="")
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
