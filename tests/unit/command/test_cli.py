"""The command's words, and what it runs for them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from lab import cli
from lab.settings import Internet, Settings


class Owned:
    """What stat says of a file, as if it were this user's."""

    def __init__(self, found: Any, user: int) -> None:
        self.st_uid, self.st_mode = user, found.st_mode


SETTINGS = Settings(Path("/p"), Path("/c"), Internet("198.18.0.0/16"))
COMMON = {"vpc_id": "vpc-1", "user": "admin"}
FOUND: dict[str, Any] = {
    "endpoint_url": "http://127.0.0.1:1",
    "connect_url": "ws://127.0.0.1:2",
    "region": "ap-northeast-2",
    "instances": {
        "i-1": {"id": "i-1", "name": "db1", "private_ip": "10.0.0.4", **COMMON, "desired": "running"},
        "i-2": {"id": "i-2", "name": "backend", "private_ip": "10.0.0.5", **COMMON, "desired": "stopped"},
        "i-3": {"id": "i-3", "name": "old", "private_ip": "10.0.0.6", **COMMON, "desired": "terminated"},
    },
}


@pytest.mark.parametrize(
    ("words", "act", "values"),
    [
        (["up"], cli.up, {}),
        (["down"], cli.down, {}),
        (["status"], cli.status, {"json": False}),
        (["status", "--json"], cli.status, {"json": True}),
        (["summary"], cli.summary, {}),
        (["exec", "db1", "ls", "-l"], cli.execute, {"place": "db1", "command": ["ls", "-l"]}),
        (["exec", "internet", "curl", "-s", "x"], cli.execute, {"place": "internet", "command": ["curl", "-s", "x"]}),
        (["ssh", "db1"], cli.ssh, {"name": "db1", "command": []}),
        (["ssh", "db1", "uptime", "-p"], cli.ssh, {"name": "db1", "command": ["uptime", "-p"]}),
        (["logs"], cli.logs, {"part": "lab", "follow": False}),
        (["logs", "-f", "edge"], cli.logs, {"part": "edge", "follow": True}),
    ],
)
def test_the_words_of_a_command_are_understood(words: list[str], act: object, values: dict[str, Any]) -> None:
    assert vars(cli.parser().parse_args(words)) == {"act": act, **values}


@pytest.mark.parametrize(
    ("user", "owner", "needed"),
    [(1000, 0, True), (0, 0, False), (1000, 1000, False), (0, 1000, False), (1000, None, False)],
)
def test_sudo_is_for_a_lab_that_is_roots_and_a_user_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, owner: int | None, needed: bool
) -> None:
    if owner is not None:
        (tmp_path / "daemon.out").touch()
        real = Path.stat
        monkeypatch.setattr(Path, "stat", lambda path, **how: Owned(real(path, **how), owner))
    assert cli.needs_sudo(user, tmp_path) is needed


@pytest.mark.parametrize("words", [[], ["start"], ["exec"], ["ssh"]])
def test_a_command_that_says_too_little_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.parser().parse_args(words)
    assert "usage: lab" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "found"), [("db1", "i-1"), ("i-1", "i-1"), ("backend", "i-2")])
def test_an_instance_is_found_by_its_name_or_its_id(name: str, found: str) -> None:
    assert cli.instance_named(FOUND, name)["id"] == found


@pytest.mark.parametrize("name", ["old", "i-3", "db"])
def test_an_unknown_instance_is_answered_with_those_that_there_are(name: str) -> None:
    with pytest.raises(cli.Failed, match=re.escape(f"no instance {name!r}. Instances: backend, db1; or")):
        cli.instance_named(FOUND, name)


def test_a_name_that_two_deployments_have_is_answered_with_the_ids() -> None:
    twin = {"id": "i-4", "name": "db1", "private_ip": "10.0.0.4", "vpc_id": "vpc-2", "desired": "running"}
    both = {"instances": {**FOUND["instances"], "i-4": twin}}
    with pytest.raises(cli.Failed, match="2 instances 'db1'; write an id: i-1 in vpc-1, i-4 in vpc-2"):
        cli.instance_named(both, "db1")
    assert cli.instance_named(both, "i-4") == twin


def test_before_the_first_instance_none_are_named() -> None:
    with pytest.raises(cli.Failed, match="Instances: none yet"):
        cli.instance_named({"instances": {}}, "db1")


def test_ssh_goes_through_the_endpoints_tunnel_and_knows_the_host_by_its_id() -> None:
    command = cli.ssh_command(SETTINGS, FOUND, FOUND["instances"]["i-1"])
    options = dict(word.split("=", 1) for word in command if re.match(r"[A-Z][A-Za-z]+=", word))
    assert (command[0], command[-1]) == ("ssh", "admin@10.0.0.4")
    assert command[1:3] == ["-i", "/p/.lab/deployment/id_ed25519"]
    assert options.pop("ProxyCommand").split()[4:] == [
        sys.executable,
        "/p/plugins/connect/instance_connect_proxy.py",
        *("--region", "ap-northeast-2", "--endpoint-url", "ws://127.0.0.1:2"),
        *("--vpc-id", "vpc-1", "--host", "%h", "--port", "%p"),
    ]
    assert options == {
        "HostKeyAlias": "i-1",
        "UserKnownHostsFile": "/p/.lab/deployment/known_hosts",
        "StrictHostKeyChecking": "accept-new",
        "IdentitiesOnly": "yes",
        "LogLevel": "ERROR",
    }


def test_a_command_outside_the_vpc_runs_in_the_simulated_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def remember(command: list[str]) -> None:
        ran.append(command)
        raise SystemExit

    monkeypatch.setattr(cli, "replace_process", remember)
    with pytest.raises(SystemExit):
        cli.execute(SETTINGS, cli.parser().parse_args(["exec", "internet", "--", "curl", "-s", "--", "x"]))
    assert ran == [["ip", "netns", "exec", "lab-internet", "curl", "-s", "--", "x"]]


def test_exec_without_a_command_says_how_to_write_one() -> None:
    with pytest.raises(cli.Failed, match="write: lab exec db1 -- COMMAND"):
        cli.execute(SETTINGS, cli.parser().parse_args(["exec", "db1", "--"]))


def test_a_log_that_is_not_there_yet_is_said_so(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path, Internet("198.18.0.0/16"))
    with pytest.raises(cli.Failed, match="no log of edge yet"):
        cli.logs(settings, cli.parser().parse_args(["logs", "edge"]))
