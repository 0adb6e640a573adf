"""One deployment for all end-to-end tests: the product as `make up` makes it, ended as `make down` ends it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from lab.machines import nspawn
from tests.e2e import story


@dataclass(frozen=True)
class Deployment:
    """``first`` is what `make up` printed on an empty lab."""

    first: story.Done
    url: str


# What the lab's own processes are called, and those of the way in: tunnels, and the connections that are kept open.
WORDS = ("-m lab ", "-m lab.internet", "nginx", "systemd-nspawn", "instance_connect_proxy.py", "ssh: ")
# Its arguments: a socket, and the process id of the run that it belongs to.
WARM = re.compile(r"plugins/warm/server\.py \S+ (\d+) ")


def processes() -> list[tuple[str, str]]:
    """Process ids and arguments of everything that runs."""
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in listed.splitlines()]


def ours(pid: str) -> bool:
    """Whether a process works in this checkout, as the daemon and all that it starts do."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink()).startswith(str(story.ROOT))
    except OSError:  # it ended just now, or is the kernel's
        return False


def left(pid: str, args: str) -> bool:
    """Whether a process is one that must end with the lab, or a warm interpreter whose run has ended."""
    if warm := WARM.search(args):  # other tests may have runs at the same time
        return not Path(f"/proc/{warm[1]}").exists()
    return ours(pid) and any(word in f"{args} " for word in WORDS)


def traces() -> dict[str, list[str]]:
    """What a lab may leave on a machine: namespaces, mounts, tables, control groups and processes with its name."""

    def lines(*command: str) -> list[str]:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    return {
        "namespaces": [line for line in lines("ip", "netns", "list") if line.startswith("lab-")],
        "mounts": [line for line in Path("/proc/mounts").read_text().splitlines() if "/.lab/" in line],
        "tables": [line for line in lines("nft", "list", "tables") if "lab" in line],
        "links": [line for line in lines("ip", "-brief", "link") if line.startswith("lab")],
        "cgroups": [str(each) for group in nspawn.machine_cgroups("any") for each in group.parent.glob("*/")],
        "processes": [args for pid, args in processes() if left(pid, args)],
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The story in its order: what `make up` made, then what changes it, then its end."""
    order = {
        "test_deployment.py": 0,
        "test_production.py": 2,
        "test_destroy.py": 3,
        "test_iam_policy.py": 4,
        "test_down.py": 5,
    }
    items.sort(key=lambda item: order.get(item.path.name, 1))


@pytest.fixture(scope="session")
def deployment() -> Iterator[Deployment]:
    try:
        first = story.run("make", "--no-print-directory", "up")
        assert first.status == 0, first.output[-6000:]
        yield Deployment(first, story.status()["edge_url"])
    finally:
        story.run("make", "down")


@pytest.fixture(scope="session")
def another_environment() -> set[str]:
    """What the tests of production leave in the account, as ``tests.account`` names it; destroy leaves it too."""
    return set()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """Headless Chromium with a profile of its own, which asks nobody but the page."""
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path}",
        "--window-size=1280,900",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()
