"""The applier: it does what is needed, leaves alone what stays, and cleans up only what is its own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from small_vpc import INTERNET, NAT_PUBLIC, World, host, with_groups, with_interface

from lab import guard
from lab.kernel import NETNS, KernelError, connected, inside, listening, run
from lab.network import apply, names
from lab.network.model import SecurityGroup, State
from lab.network.plan import plan

pytestmark = pytest.mark.namespaces

OUTSIDE = INTERNET.readings


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that the applier runs from now on, with their input."""
    commands: list[str] = []

    def record(arguments: list[str], *, stdin: str | None = None) -> str:
        commands.append(f"{' '.join(arguments)}: {stdin}")
        return run(arguments, stdin=stdin)

    monkeypatch.setattr(apply, "run", record)
    return commands


def forget(world: World) -> None:
    """Let the applier stand as in a new process, which does not know what is there."""
    apply._applied.pop(world.prefix)


def test_converging_on_what_is_there_runs_no_command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = recorded(monkeypatch)
    world.build()
    assert commands == []


def test_a_change_of_rules_touches_the_router_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = recorded(monkeypatch)
    world.build(with_groups(world.state, SecurityGroup("sg-new", "vpc-main", "new"), members={}))
    assert [command.partition(":")[0] for command in commands] == ["nft -f -"]


def test_one_more_host_leaves_the_others_as_they_are(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = recorded(monkeypatch)
    world.build(with_interface(world.state, host("new", "subnet-app", 9)))
    assert world.seen("new", OUTSIDE) == NAT_PUBLIC
    assert not any("eth0" in command and "enew" not in command and "10.0.2.9" not in command for command in commands)
    assert len(commands) == 5


def test_an_established_connection_survives_every_kind_of_change_that_does_not_concern_it(world: World) -> None:
    server = listening(world.namespace("internet"), OUTSIDE, 8080)
    with connected(world.namespace("app"), OUTSIDE, 8080, 5) as client, server.accept()[0] as peer:
        world.build(with_interface(world.state, host("new", "subnet-app", 9, public_ip="198.18.64.9")))
        world.build(with_groups(world.state, SecurityGroup("sg-new", "vpc-main", "new"), members={"db": "sg-new"}))
        client.sendall(b"still here")
        assert peer.recv(20) == b"still here"
    server.close()


def test_a_host_that_goes_leaves_nothing_though_a_process_still_stands_in_its_namespace(world: World) -> None:
    namespace = world.namespace("app")
    with subprocess.Popen(["ip", "netns", "exec", namespace, "cat"], stdin=subprocess.PIPE) as process:
        wait_until(lambda: Path(f"/proc/{process.pid}/ns/net").stat().st_ino == (NETNS / namespace).stat().st_ino)
        gone = replace(world.state, interfaces=tuple(e for e in world.state.interfaces if e.id != "eni-app"))
        world.build(gone)
        assert namespace not in names.existing(world.prefix)
        router = names.router("vpc-main", world.prefix)
        assert "eapp" not in inside(router, lambda: run(["ip", "link", "show"]))
        process.communicate()


def test_a_daemon_that_lives_in_the_labs_internet_builds_and_removes_as_well(world: World) -> None:
    more = with_interface(world.state, host("new", "subnet-app", 9))
    inside(names.internet(world.prefix), lambda: world.build(more))
    assert world.seen("new", OUTSIDE) == NAT_PUBLIC
    before = replace(more, interfaces=more.interfaces[:-1])
    inside(names.internet(world.prefix), lambda: world.build(before))
    assert world.namespace("new") not in names.existing(world.prefix)


def test_an_empty_account_keeps_the_internet_alone(world: World) -> None:
    world.build(State())
    assert names.existing(world.prefix) == {names.internet(world.prefix)}


def test_a_namespace_deleted_by_hand_comes_back(world: World) -> None:
    run(["ip", "netns", "del", world.namespace("app")])
    world.build()
    assert world.seen("app", OUTSIDE) == NAT_PUBLIC
    assert world.seen("db", OUTSIDE) == NAT_PUBLIC


def test_a_namespace_that_the_plan_does_not_know_is_removed(world: World) -> None:
    run(["ip", "netns", "add", f"{world.prefix}eni-stranger"])
    world.build()
    assert f"{world.prefix}eni-stranger" not in names.existing(world.prefix)


def test_a_new_process_adopts_what_is_there_and_mends_it_without_cutting_links(world: World) -> None:
    server = listening(world.namespace("internet"), OUTSIDE, 8080)
    router = names.router("vpc-main", world.prefix)
    with connected(world.namespace("app"), OUTSIDE, 8080, 5) as client, server.accept()[0] as peer:
        for broken in (
            ["ip", "route", "add", "8.8.8.8", "dev", "igw", "table", "100"],
            ["ip", "rule", "del", "pref", "100"],
            ["ip", "addr", "add", "10.0.7.7/32", "dev", "lo"],
            ["nft", "flush", "ruleset"],
            ["ip", "link", "add", "stray", "type", "veth", "peer", "other"],
        ):
            inside(router, partial(run, broken))
        forget(world)
        world.build()
        client.sendall(b"still here")
        assert peer.recv(20) == b"still here"
    server.close()
    assert world.seen("db", OUTSIDE) == NAT_PUBLIC
    assert world.blocked("app", "10.0.1.30", 22) is False
    assert "8.8.8.8" not in inside(router, lambda: run(["ip", "route", "show", "table", "all"]))
    assert "stray" not in inside(router, lambda: run(["ip", "link", "show"]))
    assert "10.0.7.7" not in inside(router, lambda: run(["ip", "addr"]))


def test_an_adopted_lab_is_the_same_as_a_fresh_one(world: World) -> None:
    def held(namespace: str) -> str:
        asked = (
            ["ip", "rule"],
            ["ip", "route", "show", "table", "all"],
            ["ip", "-br", "addr"],
            ["nft", "list", "ruleset"],
        )
        return inside(namespace, lambda: "".join("\n".join(sorted(run(each).splitlines())) for each in asked))

    places = sorted(names.existing(world.prefix))
    fresh = [held(name) for name in places]
    forget(world)
    world.build()
    assert [held(name) for name in places] == fresh


def test_after_a_failed_command_the_next_converge_mends_what_was_left_half_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = with_interface(world.state, host("new", "subnet-app", 9))

    def fail_at(word: str) -> Callable[..., str]:
        def act(arguments: list[str], *, stdin: str | None = None) -> str:
            if stdin and word in stdin:
                raise KernelError("broken for the test")
            return run(arguments, stdin=stdin)

        return act

    for word in ("link add enew", "addr replace 10.0.2.9", "netns add"):
        with monkeypatch.context() as patched:
            patched.setattr(apply, "run", fail_at(word))
            with pytest.raises(KernelError, match="broken for the test"):
                world.build(more)
        world.build(more)
        assert world.seen("new", OUTSIDE) == NAT_PUBLIC
        world.build(replace(more, interfaces=more.interfaces[:-1]))


def test_sweep_removes_everything_of_its_prefix_and_nothing_else(world: World) -> None:
    other = f"x{world.prefix}internet"
    run(["ip", "netns", "add", other])
    try:
        apply.sweep(world.prefix)
        assert names.existing(world.prefix) == frozenset()
        assert other in names.existing("")
        world.build()
        world.serve("internet", 80)
        assert world.seen("app", OUTSIDE) == NAT_PUBLIC
    finally:
        run(["ip", "netns", "del", other])


def test_sweep_cuts_the_links_of_a_namespace_in_which_a_process_still_stands(world: World) -> None:
    router = names.router("vpc-main", world.prefix)
    with subprocess.Popen(["ip", "netns", "exec", router, "cat"], stdin=subprocess.PIPE) as process:
        wait_until(lambda: Path(f"/proc/{process.pid}/ns/net").stat().st_ino == (NETNS / router).stat().st_ino)
        apply.sweep(world.prefix)
        links = run(["nsenter", "-t", str(process.pid), "-n", "ip", "-br", "link"])
        process.communicate()
    assert [line.split()[0] for line in links.splitlines()] == ["lo"]


def test_no_namespace_of_the_lab_is_linked_to_the_machine(world: World) -> None:
    # The table belongs to the real machine's lab, and may not be there.
    assert [problem for problem in guard.check(world.prefix) if "table" not in problem] == []


def test_a_hundred_hosts_are_planned_applied_and_found_unchanged(world: World) -> None:
    hosts = tuple(host(f"n{number}", "subnet-app", number) for number in range(100, 200))
    many = replace(world.state, interfaces=(*world.state.interfaces, *hosts))
    world.build(many)
    assert len([name for name in names.existing(world.prefix) if "-eni-n1" in name]) == 100
    assert world.seen("n150", OUTSIDE) == NAT_PUBLIC
    world.serve("n199", 3306)
    assert world.seen("n100", "10.0.2.199", 3306) == "10.0.2.100"


def test_planning_is_the_same_whatever_the_prefix() -> None:
    ours, other = plan(State(), INTERNET, "labt1-"), plan(State(), INTERNET)
    assert ours.namespaces[0].name == "labt1-internet"
    assert replace(ours.namespaces[0], name="lab-internet") == other.namespaces[0]
