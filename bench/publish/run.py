"""Measures s3_site beside the other publishers and writes docs/bench-publish.md: `make bench-publish`.

Two servers answer: the lab's API, and an nginx that answers everything at once, since the API is slower than the
publishers. Each with and without 20 ms before every answer.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import builds
import report
from sink import Sink
from tools import ROOT, Measured, commands, environment, measure

MANY, LARGE = 100_000, 2
CASES = ("first publish", "nothing changed", "ten files changed")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    server: str
    wait_ms: int
    files: int
    case: str
    tool: str
    best: Measured  # the quickest of its runs: other work on the machine can only slow one down
    requests: Counter[str]


def say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, flush=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def link_tree(source: Path, target: Path) -> None:
    """A copy that costs no space; files that change are written anew, so they part."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=os.link)


class Bench:
    """One server, one build; every tool publishes to a bucket of its own."""

    def __init__(self, work: Path, server: str, wait_ms: int, files: int, upstream: str, repeat: int) -> None:
        """``files`` of 100,000 are very small ones, and 2 is an index and a file of 2 GiB."""
        self.work, self.server, self.wait_ms, self.files = work, server, wait_ms, files
        self.upstream, self.repeat = upstream, repeat
        self.pristine, self.build, self.published = work / "pristine", work / "build", work / "published"
        shutil.rmtree(self.pristine, ignore_errors=True)
        if files == MANY:
            builds.make_many(self.pristine, files)
        elif files == LARGE:
            builds.make_large(self.pristine)
        else:
            builds.make(self.pristine, files)
        self._there(False)

    def rows(self, tools: list[str], cases: tuple[str, ...], slow_only_first: bool) -> Iterator[Row]:
        """Measure all cases. The tools take turns, so that whatever else the machine does hits them alike."""
        place = Path(tempfile.mkdtemp(dir=self.work, prefix="sink-"))
        sink = Sink(place, free_port(), self.published, self.wait_ms, self.upstream)
        try:
            for case in cases:
                chosen = [tool for tool in tools if not (slow_only_first and tool == "s3_sync" and case != CASES[0])]
                runs: dict[str, list[Measured]] = {tool: [] for tool in chosen}
                requests: dict[str, Counter[str]] = {}
                for _ in range(self.repeat):
                    for tool, done in runs.items():
                        if sum(run.seconds for run in done) < 15:
                            measured, requests[tool] = self._run(sink, tool, case)
                            done.append(measured)
                for tool, done in runs.items():
                    best = min(done, key=lambda run: run.seconds)
                    where = f"{self.server} {self.wait_ms} ms, {self.files} files, {case}"
                    times = f"{best.seconds:.2f} s ({best.processor:.2f} s of processor)"
                    say(f"{where}: {tool} {times}, {best.memory:.0f} MiB, {dict(requests[tool])}")
                    yield Row(self.server, self.wait_ms, self.files, case, tool, best, requests[tool])
        finally:
            sink.close()

    def _run(self, sink: Sink, tool: str, case: str) -> tuple[Measured, Counter[str]]:
        bucket = self._prepare(sink, tool, case)
        command = commands(self.work, case == CASES[0])[tool](sink.url, bucket, self.build)
        sink.requests()
        return measure(command, environment(sink.url, self.work)), sink.requests()

    def _there(self, yes: bool) -> None:
        """Whether the server answers a HEAD of an object of the build."""
        self.published.unlink(missing_ok=True)
        self.published.symlink_to(self.pristine if yes else self.work / "nothing")

    def _prepare(self, sink: Sink, tool: str, case: str) -> str:
        """Bring the bucket and the build to where the case begins."""
        link_tree(self.pristine, self.build)
        bucket = f"bench-{tool.replace(' ', '-').replace('_', '-')}-{self.files}" if self.upstream else "bucket"
        if self.upstream:
            if case == CASES[0]:
                self._empty_bucket(bucket)
            elif case == CASES[2]:
                builds.change(self.build)
            return bucket
        kept = sink.here / f"kept-{tool.split()[0]}"
        stored = sink.here / "stored"
        self._there(case != CASES[0])
        shutil.rmtree(stored, ignore_errors=True)
        if case == CASES[0]:
            stored.mkdir()
            sink.list_objects({})
            return bucket
        if tool == "s3_site":  # the records of the release that the listing shows
            if not kept.exists():
                stored.mkdir()
                sink.list_objects({})
                command = commands(self.work, True)[tool](sink.url, bucket, self.build)
                measure(command, environment(sink.url, self.work))
                shutil.move(stored, kept)
            shutil.copytree(kept, stored)
        else:
            stored.mkdir()
        sink.list_build(self.pristine, stored=tool == "s3_site")
        if case == CASES[2]:
            time.sleep(1.1)  # other tools compare times by the second
            builds.change(self.build)
        return bucket

    def _empty_bucket(self, name: str) -> None:
        s3 = boto3.resource(
            "s3",
            endpoint_url=self.upstream,
            region_name="us-east-1",
            aws_access_key_id="LABLABLABLABLABLABLA",
            aws_secret_access_key="lab",  # noqa: S106 - the lab's, which everybody knows
        )
        bucket = s3.Bucket(name)
        with contextlib.suppress(s3.meta.client.exceptions.NoSuchBucket):
            bucket.objects.delete()
        bucket.create()


@contextlib.contextmanager
def lab_api(work: Path) -> Iterator[str]:
    """The lab's API, alone, in a process of its own."""
    command = [sys.executable, "-m", "lab.api", "--port", "0", "--root", str(work / "lab")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50 and 1,000 files, one run each, and no file written")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each case, of which the quickest counts")
    parser.add_argument("--only", type=int, help="this many files alone, against nginx, and no file written")
    parser.add_argument("--tools", nargs="*", default=["s3_site", "s5cmd", "aws s3 sync", "s3_sync"])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "bench-publish.md")
    asked = parser.parse_args()
    begun = time.time()
    load = os.getloadavg()[0]
    repeat = 1 if asked.quick else asked.repeat
    tools = asked.tools
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-publish-") as name, lab_api(Path(name)) as api:
        work = Path(name)
        for files in (asked.only,) if asked.only else (50, 1000) if asked.quick else (50, 1000, 5000):
            for wait_ms in (0, 20):
                bench = Bench(work, "nginx", wait_ms, files, "", repeat)
                # s3_sync's two requests a file, one after the other, take minutes: the first publish is enough.
                rows += bench.rows(tools, CASES, slow_only_first=files > 50 and wait_ms > 0)
        if not asked.quick and not asked.only:
            rows += Bench(work, "nginx", 0, 10000, "", repeat).rows(["s3_site"], CASES[1:], slow_only_first=False)
        lab = ((50, 0), (50, 20)) if asked.quick else ((50, 0), (50, 20), (1000, 0), (1000, 20))
        for files, wait_ms in () if asked.only else lab:
            rows += Bench(work, "lab", wait_ms, files, api, 1).rows(tools, CASES, slow_only_first=wait_ms > 0)
        fixed = start_of_a_module(work)
        if not asked.quick and not asked.only:
            # At the end: a process counts the memory of the one that started it, and these make this one large.
            rows += Bench(work, "nginx", 0, LARGE, "", 1).rows(["s3_site"], CASES[:1], slow_only_first=False)
            rows += Bench(work, "nginx", 0, MANY, "", 1).rows(["s3_site"], CASES[:2], slow_only_first=False)
    text = report.page(rows, fixed, load, time.time() - begun)
    if asked.quick or asked.only:
        print(text)
    else:
        asked.output.parent.mkdir(exist_ok=True)
        asked.output.write_text(text, encoding="utf-8")
        say(f"written to {asked.output}")


def start_of_a_module(work: Path) -> float:
    """The seconds that starting Python and importing Ansible's and boto3's code take, for either module."""
    command = commands(work, True)["s3_site"]("", "bucket", work / "nowhere")
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        with contextlib.suppress(RuntimeError):  # the build is not there: it is refused before the first request
            measure(command, environment("http://127.0.0.1:9", work))
        times.append(time.perf_counter() - begun)
    return min(times)


if __name__ == "__main__":
    main()
