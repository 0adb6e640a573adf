"""A lab of its own, without hosts: one VPC, one private subnet behind NAT, and a function's role."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from function_account import Account

from lab import cli
from lab.machines import nspawn
from lab.settings import Internet, Settings

ROOT = Path(__file__).parents[3]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A lab whose state stands in a directory of the test's own."""
    assert os.geteuid() == 0, "This needs root, for network namespaces."
    root = tmp_path_factory.mktemp("functions")
    names = ("LAB_API_PORT", "LAB_CONNECT_PORT", "LAB_EDGE_PORT")
    ports = {name: str(_free_port()) for name in names}
    environment = {**os.environ, **ports, "PYTHONPATH": str(ROOT)}
    settings = Settings(
        root,
        Path(),
        Internet("198.18.0.0/16"),
        api_port=int(ports["LAB_API_PORT"]),
    )
    program = (
        "import sys; from pathlib import Path; from lab import cli, daemon; "
        "from lab.settings import from_environment; "
        f"daemon.main(from_environment(Path({str(root)!r}), used=cli.machine_networks()))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, cwd=ROOT)
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(Exception):
                cli.status_of(settings)
                break
            assert process.poll() is None and time.monotonic() < deadline, "the lab did not start"
            time.sleep(0.1)
        yield settings
    finally:
        process.terminate()
        process.wait(60)
        cli.down(settings, argparse.Namespace())  # the last test kills it
    left = [str(each) for group in nspawn.machine_cgroups("any") for each in group.parent.glob("function-function-*/")]
    assert left == [], "control groups of functions that have ended"


@pytest.fixture(scope="session")
def account(lab: Settings) -> Account:
    made = Account(lab)
    made.build()
    return made
