"""The guard, shown with packets: scratch namespaces play the machine, its uplink and a lab.

Nothing here touches the real machine's own namespace.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lab import guard
from lab.kernel import inside, run

pytestmark = pytest.mark.namespaces

OUTSIDE_ADDRESS = "10.99.0.1"
WITNESS = """
table ip witness {
  counter leaked { }
  chain prerouting {
    type filter hook prerouting priority -300; policy accept;
    udp dport 4444 counter name "leaked"
  }
}
"""


@dataclass(frozen=True)
class Scene:
    """``machine`` forwards between its uplink (to ``outside``) and a link that leaked out of ``lab``."""

    prefix: str
    machine: str
    outside: str
    lab: str

    def send(self, namespace: str, port: int, address: str = OUTSIDE_ADDRESS) -> None:
        def act() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"probe", (address, port))

        inside(namespace, act)

    def count(self, counter: str) -> int:
        text = inside(self.outside, lambda: run(["nft", "list", "counter", "ip", "witness", counter]))
        found = re.search(r"packets (\d+)", text)
        assert found
        return int(found.group(1))

    def leaks(self) -> bool:
        """Send from the lab, and wait until the witness has seen the packet or the guard has dropped it."""
        leaked, dropped = self.count("leaked"), self.dropped()
        self.send(self.lab, 4444)
        wait_until(lambda: (self.count("leaked"), self.dropped()) != (leaked, dropped))
        return self.count("leaked") > leaked

    def dropped(self) -> int:
        rules = inside(self.machine, lambda: run(["nft", "list", "ruleset"]))
        return sum(int(number) for number in re.findall(r"counter packets (\d+) .* drop", rules))

    def problems(self) -> list[str]:
        return inside(self.machine, lambda: guard.check(self.prefix))


@pytest.fixture
def scene() -> Iterator[Scene]:
    stem = f"labt{os.getpid()}"
    made = Scene(f"{stem}-", f"m-{stem}", f"o-{stem}", f"{stem}-internet")
    with contextlib.ExitStack() as stack:
        for name in (made.machine, made.outside, made.lab):
            run(["ip", "netns", "add", name])
            stack.callback(run, ["ip", "netns", "del", name])
            run(["ip", "-n", name, "link", "set", "lo", "up"])
        run(["ip", "-n", made.machine, "link", "add", "uplink", "type", "veth", "peer", "eth0", "netns", made.outside])
        for namespace, device, address in (
            (made.machine, "uplink", "10.99.0.2/24"),
            (made.outside, "eth0", f"{OUTSIDE_ADDRESS}/24"),
        ):
            run(["ip", "-n", namespace, "addr", "add", address, "dev", device])
            run(["ip", "-n", namespace, "link", "set", device, "up"])
        run(["ip", "netns", "exec", made.machine, "sysctl", "-qw", "net.ipv4.ip_forward=1"])
        inside(made.outside, lambda: run(["nft", "-f", "-"], stdin=WITNESS))
        # The neighbour is learnt beforehand, so that a probe is never queued behind an ARP request.
        made.send(made.machine, 7777)
        yield made


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline, "the packet was neither seen outside nor dropped by the guard"


def leak(scene: Scene) -> None:
    """Add by hand what must never be: a link from the lab into the machine's namespace, and a default route by it."""
    run(["ip", "-n", scene.machine, "link", "add", "lableak", "type", "veth", "peer", "leak", "netns", scene.lab])
    for namespace, device, address in ((scene.machine, "lableak", "10.98.0.1/24"), (scene.lab, "leak", "10.98.0.2/24")):
        run(["ip", "-n", namespace, "addr", "add", address, "dev", device])
        run(["ip", "-n", namespace, "link", "set", device, "up"])
    run(["ip", "-n", scene.lab, "route", "add", "default", "via", "10.98.0.1"])
    scene.send(scene.lab, 7777, "10.98.0.1")


def test_without_the_guard_a_leaked_link_forwards_and_with_it_nothing_leaves(scene: Scene) -> None:
    leak(scene)
    assert scene.leaks()
    inside(scene.machine, guard.install)
    assert not scene.leaks()
    inside(scene.machine, guard.remove)
    assert scene.leaks()


def test_the_guard_forwards_nothing_for_the_simulated_internet_whatever_the_link_is_called(scene: Scene) -> None:
    leak(scene)
    run(["ip", "-n", scene.machine, "link", "set", "lableak", "down"])
    run(["ip", "-n", scene.machine, "link", "set", "lableak", "name", "renamed"])
    run(["ip", "-n", scene.machine, "link", "set", "renamed", "up"])
    run(["ip", "-n", scene.lab, "addr", "add", "198.18.64.1/32", "dev", "lo"])
    run(["ip", "-n", scene.lab, "route", "replace", "default", "via", "10.98.0.1", "src", "198.18.64.1"])
    assert scene.leaks()
    inside(scene.machine, lambda: guard.install(["198.18.0.0/16"]))
    assert not scene.leaks()


def test_the_machine_itself_sends_nothing_to_the_simulated_internet(scene: Scene) -> None:
    run(["ip", "-n", scene.machine, "route", "add", "default", "via", OUTSIDE_ADDRESS])
    scene.send(scene.machine, 4444, "198.18.0.100")
    wait_until(lambda: scene.count("leaked") == 1)
    inside(scene.machine, lambda: guard.install(["198.18.0.0/16"]))
    with pytest.raises(OSError, match=r"not permitted|No route|unreachable"):
        scene.send(scene.machine, 4444, "198.18.0.100")
    assert scene.count("leaked") == 1


def test_installing_twice_leaves_one_set_of_rules_and_removing_twice_is_no_error(scene: Scene) -> None:
    inside(scene.machine, guard.install)
    inside(scene.machine, guard.install)
    table = inside(scene.machine, lambda: run(["nft", "list", "table", "inet", guard.TABLE]))
    assert table.count('iifname "lab*"') == 1
    inside(scene.machine, guard.remove)
    inside(scene.machine, guard.remove)
    assert guard.TABLE not in inside(scene.machine, lambda: run(["nft", "list", "tables"]))


def test_check_is_content_with_a_lab_that_has_no_link_to_the_machine(scene: Scene) -> None:
    inside(scene.machine, guard.install)
    assert scene.problems() == []


def test_check_is_content_with_a_namespace_that_goes_meanwhile(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    found = guard.names.existing(scene.prefix)
    monkeypatch.setattr(guard.names, "existing", lambda _prefix: {*found, f"{scene.prefix}gone"})
    inside(scene.machine, guard.install)
    assert inside(scene.machine, lambda: guard.check(scene.prefix)) == []


def test_check_reports_a_missing_and_a_weakened_table(scene: Scene) -> None:
    assert "missing" in scene.problems()[0]
    inside(scene.machine, guard.install)
    inside(scene.machine, lambda: run(["nft", "flush", "chain", "inet", guard.TABLE, "forward"]))
    assert "was changed" in scene.problems()[0]


def test_check_reports_that_the_guard_had_something_to_drop(scene: Scene) -> None:
    inside(scene.machine, guard.install)
    leak(scene)
    assert not scene.leaks()
    assert any("had to drop 1 packet" in problem for problem in scene.problems())


def test_check_reports_a_link_into_the_machine_by_any_name_and_a_default_route_out(scene: Scene) -> None:
    inside(scene.machine, guard.install)
    run(["ip", "-n", scene.machine, "link", "add", "harmless", "type", "veth", "peer", "leak", "netns", scene.lab])
    assert scene.problems() == [
        f"Namespace {scene.lab} has a link, leak, whose other end is in the machine's own.",
    ]
    run(["ip", "-n", scene.lab, "link", "set", "leak", "up"])
    run(["ip", "-n", scene.machine, "link", "set", "harmless", "up"])
    run(["ip", "-n", scene.lab, "route", "add", "default", "dev", "leak"])
    assert any("default route by leak" in problem for problem in scene.problems())


def test_check_reports_a_device_of_the_machine_inside_the_lab(scene: Scene) -> None:
    inside(scene.machine, guard.install)
    parent = ["ip", "-n", scene.machine, "link", "add", "link", "uplink", "name", "sub", "type", "macvlan"]
    run([*parent, "mode", "private"])
    run(["ip", "-n", scene.machine, "link", "set", "sub", "netns", scene.lab])
    assert scene.problems() == [f"Namespace {scene.lab} has a link, sub, whose other end is in the machine's own."]


def test_check_allows_links_between_lab_namespaces_and_namespaces_made_within_them(scene: Scene) -> None:
    inside(scene.machine, guard.install)
    inner = f"i-{scene.lab}"
    run(["ip", "netns", "add", inner])
    try:
        run(["ip", "-n", scene.lab, "link", "add", "veth0", "type", "veth", "peer", "eth0", "netns", inner])
        assert scene.problems() == []
    finally:
        run(["ip", "netns", "del", inner])
