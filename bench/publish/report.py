"""Writes what was measured as a page of Markdown, with the goals and whether they were met."""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Protocol

KINDS = ("LIST", "HEAD", "GET", "PUT", "COPY", "record", "other")


class Line(Protocol):
    """A row of the table, as run.py has it."""

    @property
    def server(self) -> str: ...
    @property
    def wait_ms(self) -> int: ...
    @property
    def files(self) -> int: ...
    @property
    def case(self) -> str: ...
    @property
    def tool(self) -> str: ...
    @property
    def best(self) -> Any: ...
    @property
    def requests(self) -> Counter[str]: ...


def page(rows: Sequence[Line], fixed: float, load: float, took: float) -> str:
    """The whole page."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("obstore", "boto3", "s5cmd", "awscli", "ansible"))
    return "\n".join(
        [
            "# Publishing a site: s3_site beside the others",
            "",
            f"Measured {time.strftime('%d %B %Y, %H:%M UTC', time.gmtime())} on {_machine()}; {versions}. "
            f"Load when it began: {load:.1f}. The run took {took / 60:.0f} minutes. Do it again with "
            "`make bench-publish`.",
            "",
            "Each time is that of a whole process, from its start to its end, the quickest of up to three, since other "
            "work on the machine can only slow one down; processor time is less troubled by it. "
            f"Of the two Ansible modules' times {fixed:.2f} s is Python starting and importing Ansible and boto3, "
            "which a warm interpreter does not pay. The builds are made up, with sizes as bundlers write them: "
            "1,000 files have 23 MB. `PUT` counts uploads of files; what s3_site writes for its record (a manifest "
            "before, the record after) and the copies with which it puts mutable files in place have columns of their "
            "own. 100,000 files are very small ones, and 2 files an index and one of 2 GiB.",
            "",
            "`s3_sync` is community.aws.s3_sync; `s5cmd` is its `cp` for the first publish, which is several times as "
            "fast as its `sync`, and `sync` for the others. All three others upload in any order, with one "
            "Cache-Control for all files or none, and keep no releases.",
            "",
            "## Goals",
            "",
            *goals(rows),
            "",
            "## Against a server that is not the bottleneck",
            "",
            "nginx, which answers every request at once, or after 20 ms.",
            "",
            *table([row for row in rows if row.server == "nginx"]),
            "",
            "## Against the lab's API",
            "",
            "The API serves moto in one Python process. It, not the publisher, sets the time of every upload here, "
            "which is why the table above exists.",
            "",
            *table([row for row in rows if row.server == "lab"]),
            "",
        ]
    )


def table(rows: Sequence[Line]) -> list[str]:
    """The rows, each with its ratio to s3_site's time."""
    lines = [
        f"| files | wait | case | tool | seconds | to s3_site | processor s | {' | '.join(KINDS)} | peak MiB |",
        f"|--:|--:|---|---|--:|--:|--:|{'--:|' * len(KINDS)}--:|",
    ]
    for row in rows:
        ours = _find(rows, row.server, row.wait_ms, row.files, row.case, "s3_site")
        ratio = f"{row.best.seconds / ours.best.seconds:.1f}" if ours else ""
        counts = " | ".join(str(count) if count else "" for count in _kinds(row.requests))
        lines.append(
            f"| {row.files:,} | {row.wait_ms} ms | {row.case} | {row.tool} | {row.best.seconds:.2f} | {ratio} "
            f"| {row.best.processor:.2f} | {counts} | {row.best.memory:.0f} |"
        )
    return lines


def goals(rows: Sequence[Line]) -> list[str]:
    """Each goal, what was measured, and whether that meets it."""
    first, same, ten = "first publish", "nothing changed", "ten files changed"
    lines = ["| goal | measured | met |", "|---|---|---|"]

    def add(goal: str, measured: str, met: bool) -> None:
        lines.append(f"| {goal} | {measured} | {'yes' if met else 'no'} |")

    for wait_ms, times in ((0, 20), (20, 100)):
        ours = _find(rows, "nginx", wait_ms, 5000, first, "s3_site")
        fast = _find(rows, "nginx", wait_ms, 5000, first, "s5cmd")
        slow = _find(rows, "nginx", wait_ms, 5000, first, "s3_sync")
        if ours and fast:
            share = ours.best.seconds / fast.best.seconds
            add(f"5,000 files first published in 0.8 of s5cmd's time, {wait_ms} ms", f"{share:.2f}", share <= 0.8)
        if ours and slow:
            factor = slow.best.seconds / ours.best.seconds
            add(f"{times} times as fast as s3_sync, {wait_ms} ms", f"{factor:.0f} times", factor >= times)
    idle = _find(rows, "nginx", 0, 10000, same, "s3_site")
    if idle:
        seconds, kinds = idle.best.seconds, dict(zip(KINDS, _kinds(idle.requests), strict=True))
        add("nothing changed in 10,000 files: at most 2 s", f"{seconds:.2f} s", seconds <= 2)
        add(
            "… one LIST a 1,000 keys, no HEAD, no PUT",
            f"{kinds['LIST']} LIST, {kinds['HEAD']} HEAD, {kinds['PUT']} PUT",
            kinds["LIST"] <= 11 and not kinds["HEAD"] and not kinds["PUT"],
        )
    change = _find(rows, "nginx", 0, 5000, ten, "s3_site")
    if change:
        kinds = dict(zip(KINDS, _kinds(change.requests), strict=True))
        add(
            "ten changed: ten PUTs, beside the record",
            f"{kinds['PUT']} PUT, {kinds['COPY']} copy, {kinds['record']} of the record",
            kinds["PUT"] == 10,
        )
    for files, what in ((100_000, "100,000 files within 200 MB"), (2, "one file of 2 GiB within 200 MB")):
        peaks = [row.best.memory for row in rows if row.files == files and row.tool == "s3_site"]
        if peaks:
            megabytes = max(peaks) * 1024**2 / 1000**2
            add(what, f"{megabytes:.0f} MB", megabytes <= 200)
    return lines


def _find(rows: Sequence[Line], server: str, wait_ms: int, files: int, case: str, tool: str) -> Line | None:
    wanted = (server, wait_ms, files, case, tool)
    return next((r for r in rows if (r.server, r.wait_ms, r.files, r.case, r.tool) == wanted), None)


def _kinds(requests: Counter[str]) -> list[int]:
    """The counts by the columns; ``record`` is what s3_site reads and writes of its own."""
    named = [requests[kind] for kind in KINDS[:5]]
    record = sum(count for kind, count in requests.items() if kind.endswith("record"))
    return [*named, record, requests.total() - sum(named) - record]


def _machine() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - a file of the kernel's
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release().partition('-')[0]}"
