"""Somebody changes one thing of every kind by hand: the plan shows each and touches none, and a run puts them right."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.api.calls import Call
from tests import kill
from tests.e2e import story
from tests.e2e.conftest import Deployment
from tests.integration.plan.drift import BUCKET, DRIFTS, Account

pytestmark = pytest.mark.namespaces

# What would hide the others: a host that its inventory does not find, and a way in that is shut.
HIDING = ("instance tag", "stopped instance", "instance connect endpoint")
CNF = "/etc/mysql/mysql.conf.d/zz-madang.cnf"
UNIT = "/etc/systemd/system/backend.service"
SECRET = "/etc/backend/credentials/database_password"


@dataclass(frozen=True)
class HostDrift:
    """A command on a host; then ``kind`` and ``name`` in the plan, and ``shows`` in one of its changes."""

    host: str
    command: str
    kind: str
    name: str
    shows: str = ""


def sql(statement: str) -> str:
    return f'mysql -e "{statement}"'


# In this order: after the source waits for nobody, and before the replica stops, nothing has to wait for it.
HOSTS = {
    "waiting for the replica": HostDrift(
        "db1",
        sql("SET GLOBAL rpl_semi_sync_source_enabled = OFF"),
        "task",
        "wait for the replica at each commit on db1",
    ),
    "user's rights": HostDrift(
        "db1", sql("GRANT FILE ON *.* TO backend@'10.20.0.0/16'"), "MySQL user", "backend on db1"
    ),
    "user's TLS": HostDrift(
        "db1", sql("ALTER USER collector@'10.20.0.0/16' REQUIRE NONE"), "MySQL user", "collector on db1"
    ),
    "replication": HostDrift("db2", sql("STOP REPLICA"), "task", "start replication on db2"),
    "read only": HostDrift("db2", sql("SET GLOBAL super_read_only = OFF"), "task", "refuse writes on db2"),
    "file": HostDrift(
        "db2", f"echo max_connections=7 >> {CNF}", "file", f"{CNF} on db2", "max_connections=7 → (removed)"
    ),
    "start at boot": HostDrift("db2", "systemctl disable mysql", "task", "Run MySQL on db2"),
    "unit": HostDrift(
        "backend", f"echo '# mine' >> {UNIT}", "task", "Switch to the release, and wait until it is healthy on backend"
    ),
    "secret": HostDrift("backend", f"chmod 0644 {SECRET}", "file", f"{SECRET} on backend"),
}
STATES = {
    "db1": sql("SELECT @@rpl_semi_sync_source_enabled; SELECT user, host, ssl_type, file_priv FROM mysql.user"),
    "db2": "; ".join(
        (
            sql("SELECT @@super_read_only; SELECT service_state FROM performance_schema.replication_applier_status"),
            f"sha256sum {CNF}",
            "systemctl is-enabled mysql",
        )
    ),
    "backend": f"sha256sum {UNIT}; stat -c %a {SECRET}; systemctl show -P ActiveEnterTimestamp backend",
}


def states() -> dict[str, str]:
    """What a plan must leave alone on the hosts."""
    return {host: story.inside(host, command).output for host, command in STATES.items()}


@dataclass(frozen=True)
class Planned:
    """A plan, the calls that it made to change something, and the hosts before and after it."""

    output: str
    entries: list[dict[str, Any]]
    mutating: list[str] = field(default_factory=list)
    hosts: tuple[dict[str, str], dict[str, str]] = ({}, {})

    def changes(self, kind: str, name: str) -> list[str]:
        """The changes of one thing, as text."""
        found = [entry for entry in self.entries if (entry["kind"], entry["name"]) == (kind, name)]
        assert found, f"no {kind} {name} in {self.output[self.output.index('Plan: ') :]}"
        return [f"{each['what']}: {each['before']} → {each['after']}" for each in found[0]["changes"]]


def plan(directory: Path) -> Planned:
    url = story.status()["endpoint_url"]
    told = directory / "plan.json"
    before = states()
    asked = kill.asked(url)
    done = story.run("ansible-playbook", "site.yml", "--check", "--diff", MADANG_PLAN_FILE=str(told))
    assert done.status == 0, done.output[-6000:]
    calls = [
        Call(service, action, "", "", "", "")
        for service, found in kill.asked(url).items()
        for action, count in found.items()
        if count > asked.get(service, {}).get(action, 0)
    ]
    writes = [call for call in calls if call.mutating or call.action.startswith(("Put", "Delete"))]
    entries = json.loads(told.read_text())["entries"]
    return Planned(done.output, entries, [f"{call.service} {call.action}" for call in writes], (before, states()))


@pytest.fixture(scope="module")
def drifted(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """The plan after somebody changed one thing of every kind."""
    account = Account(story.status()["endpoint_url"])
    for name, drift in DRIFTS.items():
        if name not in HIDING:
            drift.does(account)
    s3 = account.client("s3")
    script = next(each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"] if each["Key"].endswith(".js"))
    s3.delete_object(Bucket=BUCKET, Key=script)
    for change in HOSTS.values():
        done = story.inside(change.host, change.command)
        assert done.status == 0, done.output
    return plan(tmp_path_factory.mktemp("drift"))


@pytest.mark.parametrize("name", [name for name in DRIFTS if name not in HIDING])
def test_the_plan_shows_what_somebody_changed_in_the_account(name: str, drifted: Planned) -> None:
    drift = DRIFTS[name]
    changes = drifted.changes(drift.kind, drift.name)
    assert not drift.shows or any(drift.shows in change for change in changes), changes


@pytest.mark.parametrize("name", HOSTS)
def test_the_plan_shows_what_somebody_changed_on_a_host(name: str, drifted: Planned) -> None:
    drift = HOSTS[name]
    changes = drifted.changes(drift.kind, drift.name)
    assert not drift.shows or any(drift.shows in change for change in changes), changes


def test_the_plan_shows_a_page_that_somebody_deleted(drifted: Planned) -> None:
    drifted.changes("site", BUCKET)


def test_the_plan_touches_nothing(drifted: Planned) -> None:
    assert drifted.mutating == []
    before, after = drifted.hosts
    assert after == before


def test_a_run_puts_all_of_it_right(drifted: Planned, tmp_path: Path) -> None:
    done = story.run("ansible-playbook", "site.yml")
    assert done.status == 0, done.output[-6000:]
    again = plan(tmp_path)
    assert again.entries == [], again.output[-6000:]
    assert "Plan: nothing to do. Nothing was touched." in again.output
