"""What a switch of the way out does to those who use it, and what it opens: watched from both sides meanwhile."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e import story

# On a private host, until its input ends: a new connection to the outside five times a second, whatever becomes of
# those before, and the address that it was seen as.
LOOP = """
import concurrent.futures, select, sys, time, urllib.request
def ask(begun):
    try:
        with urllib.request.urlopen("http://readings.example.com/v1/address", timeout=3) as answer:
            seen = answer.read().decode().strip()
    except Exception:
        seen = ""
    sys.stdout.write(f"{begun:.2f} {time.time():.2f} {seen}\\n")
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    while not select.select([sys.stdin], [], [], 0.2)[0]:
        pool.submit(ask, time.time())
"""
# Seconds without any answer that count as an interruption: five connections in a row got none.
SILENT = 1.0
# Outside: what answers at all, a refusal too. Arguments: a list of [address, port].
KNOCK = """
import concurrent.futures, errno, json, socket, sys
def knock(where):
    try:
        socket.create_connection(where, timeout=1).close()
    except OSError as error:
        return error.errno == errno.ECONNREFUSED
    return True
asked = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(64) as pool:
    print(json.dumps([where for where, answers in zip(asked, pool.map(knock, asked)) if answers]))
"""
PORTS = (22, 80, 443, 3306, 8000)


@dataclass
class Watched:
    """``gaps`` are the times without an answer from outside, in seconds by host, and ``seen`` the addresses seen there.

    ``lost`` counts the connections that got no answer. ``answered`` is what answered the outside, of the addresses
    that were ``tried``.
    """

    gaps: dict[str, list[float]] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    answered: list[Any] = field(default_factory=list)


@contextmanager
def watching(*hosts: str) -> Iterator[Watched]:
    """Watch while the body runs; the result is complete once it has ended."""
    watched = Watched()
    over = threading.Event()
    knocking = threading.Thread(target=_knock, args=(watched, over))
    with ExitStack() as files:
        # Files, since a pipe that nobody reads would stop the loop.
        said = {host: files.enter_context(tempfile.TemporaryFile("w+")) for host in hosts}
        loops = {
            host: subprocess.Popen(
                [story.LAB, "exec", host, "--", "python3", "-c", LOOP],
                cwd=story.ROOT,
                stdin=subprocess.PIPE,
                stdout=said[host],
            )
            for host in hosts
        }
        knocking.start()
        try:
            yield watched
        finally:
            over.set()
            for host, loop in loops.items():
                # Ending the command would leave what it runs on the host.
                loop.communicate(timeout=60)
                said[host].seek(0)
                lines = [line.split(maxsplit=2) for line in said[host]]
                watched.gaps[host], watched.seen[host] = read(lines)
                watched.lost[host] = sum(len(line) == 2 for line in lines)
            knocking.join(timeout=60)


def read(lines: list[list[str]]) -> tuple[list[float], list[str]]:
    """The times without an answer that count, and each address once, in its order."""
    begun = [float(line[0]) for line in lines]
    answers = sorted((float(line[1]), line[2]) for line in lines if len(line) == 3)
    assert answers, "no host ever got out"
    moments = [min(begun), *(moment for moment, _ in answers), max(begun)]
    gaps = [round(after - before, 1) for before, after in itertools.pairwise(moments) if after - before > SILENT]
    return gaps, list(dict.fromkeys(json.loads(seen)["address"] for _, seen in answers))


def _knock(watched: Watched, over: threading.Event) -> None:
    """Try every address that there is, private and public, from outside, until it is over."""
    ec2 = story.client("ec2")
    while not over.is_set():
        begun = time.monotonic()
        interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
        addresses = {each["PrivateIpAddress"] for each in interfaces}
        addresses |= {each["PublicIp"] for each in ec2.describe_addresses()["Addresses"]}
        asked = json.dumps([[address, port] for address in sorted(addresses) for port in PORTS])
        done = story.run(story.LAB, "exec", "internet", "--", "python3", "-c", KNOCK, asked, timeout=60)
        watched.tried |= addresses
        watched.answered += json.loads(done.output)
        over.wait(max(0.0, 3 - (time.monotonic() - begun)))
