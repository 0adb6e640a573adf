"""The publishers that are compared: how each is called, and one call measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Measured:
    """One call: wall time and processor time (s), peak memory (MiB)."""

    seconds: float
    processor: float
    memory: float


def commands(work: Path, first: bool) -> dict[str, Callable[[str, str, Path], list[str]]]:
    """By name, the function from endpoint, bucket and build to a command line. ``work`` takes argument files.

    s5cmd has a faster command for a ``first`` publish than for all others.
    """

    def module(name: str, arguments: dict[str, object]) -> list[str]:
        file = work / "arguments.json"
        file.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}), encoding="utf-8")
        return [sys.executable, str(HERE / "module.py"), name, str(file)]

    return {
        "s3_site": lambda _, bucket, build: module(
            str(ROOT / "library" / "s3_site.py"), {"bucket": bucket, "src": str(build)}
        ),
        "s5cmd": lambda url, bucket, build: [
            str(BIN / "s5cmd"), "--endpoint-url", url, "cp" if first else "sync", f"{build}/", f"s3://{bucket}/",
        ],
        "aws s3 sync": lambda url, bucket, build: [
            str(BIN / "aws"), "--endpoint-url", url, "s3", "sync", "--only-show-errors", str(build), f"s3://{bucket}/",
        ],
        "s3_sync": lambda _, bucket, build: module(
            "ansible_collections.community.aws.plugins.modules.s3_sync", {"bucket": bucket, "file_root": str(build)}
        ),
    }  # fmt: skip


def environment(url: str, work: Path) -> dict[str, str]:
    """What the publishers run with. Python's compiled code is kept, as on any machine where it may be written."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {
        **kept,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "LABLABLABLABLABLABLA",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPYCACHEPREFIX": str(work / "pycache"),
    }


def measure(command: list[str], surroundings: dict[str, str]) -> Measured:
    """Run a command to its end. Raises RuntimeError with its words when it fails."""
    begun = time.perf_counter()
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed: {said.decode(errors='replace')[-2000:]}")
    return Measured(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
