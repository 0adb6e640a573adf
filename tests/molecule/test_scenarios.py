"""Every role that configures hosts has a Molecule scenario, and every scenario holds, on machines of one lab."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from lab import cli, control
from lab.settings import ACCESS_KEY_ID, DEFAULT_REGION, SECRET_ACCESS_KEY

ROOT = Path(__file__).resolve().parent.parent.parent
ROLES = ROOT / "roles"
WITH_SCENARIO = sorted(path.parts[-4] for path in ROLES.glob("*/molecule/*/molecule.yml"))
SECONDS = 900

# On AWS and in the lab alike: what a scenario makes carries a name that begins so.
PREFIX = "molecule-"

ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "NO_COLOR": "1",
}


def included(tasks: list[dict[str, Any]]) -> set[str]:
    """The roles that tasks include, blocks too, but not for the control machine."""
    names: set[str] = set()
    for task in tasks:
        if task.get("delegate_to") == "localhost":
            continue
        for action in ("include_role", "import_role"):
            for spelling in (action, f"ansible.builtin.{action}"):
                if spelling in task:
                    names.add(task[spelling]["name"])
        for part in ("block", "rescue", "always"):
            names |= included(task.get(part, []))
    return names


def roles_that_configure_hosts() -> set[str]:
    """Roles of plays on hosts other than the control machine, and the roles that those include.

    A play tagged ``verify`` only looks.
    """
    wanted: set[str] = set()
    for playbook in (ROOT / "playbooks").glob("*.yml"):
        for play in yaml.safe_load(playbook.read_text()):
            if play.get("hosts", "localhost") == "localhost" or "verify" in play.get("tags", []):
                continue
            named = {role if isinstance(role, str) else role["role"] for role in play.get("roles", [])}
            wanted |= named | included(play.get("tasks", []))
    found: set[str] = set()
    while wanted - found:
        role = (wanted - found).pop()
        found.add(role)
        for tasks in (ROLES / role / "tasks").glob("*.yml"):
            wanted |= included(yaml.safe_load(tasks.read_text()) or [])
    return found


@pytest.fixture(scope="session")
def lab() -> Iterator[str]:
    """The endpoint URL of one lab for all scenarios: started here when none runs, and then ended here."""
    settings = cli.settings_here()
    try:
        cli.status_of(settings)
        ours = False
    except control.NotRunning:
        subprocess.run(["lab", "up"], env=ENVIRONMENT, check=True, timeout=SECONDS)
        ours = True
    try:
        yield str(cli.status_of(settings)["endpoint_url"])
    finally:
        if ours:
            subprocess.run(["lab", "down"], env=ENVIRONMENT, check=True, timeout=120)


def test_every_role_that_configures_hosts_has_a_scenario() -> None:
    roles = roles_that_configure_hosts()
    assert {"mysql", "service"} <= roles
    assert roles <= set(WITH_SCENARIO), f"without a scenario: {sorted(roles - set(WITH_SCENARIO))}"


def run(role: str) -> subprocess.CompletedProcess[str]:
    """As in the role's own directory: create, converge, idempotence, verify, destroy."""
    return subprocess.run(
        ["molecule", "--base-config", str(ROOT / ".config/molecule/config.yml"), "test"],
        cwd=ROLES / role,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="session")
def runs(lab: str, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[subprocess.CompletedProcess[str]]]]:
    """The chosen scenarios, two at a time: each of them waits for hosts half of its time."""
    chosen = [item.callspec.params["role"] for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(2) as pool:
        begun = {role: pool.submit(run, role) for role in chosen}
        yield begun
        for each in begun.values():
            each.cancel()


@pytest.mark.namespaces
@pytest.mark.parametrize("role", WITH_SCENARIO)
def test_a_role_does_what_its_scenario_says_and_leaves_nothing(
    role: str, lab: str, runs: dict[str, Future[subprocess.CompletedProcess[str]]]
) -> None:
    done = runs[role].result()
    assert done.returncode == 0, done.stdout[-12000:]
    assert leftovers(lab, f"{PREFIX}{role}") == []


def leftovers(endpoint_url: str, project: str) -> list[str]:
    """What still carries the project's tag or name, as AWS tells."""
    session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=DEFAULT_REGION)
    ec2 = session.client("ec2", endpoint_url=endpoint_url)
    tagged: list[dict[str, Any]] = [{"Name": "tag:Project", "Values": [project]}]
    gone = ("terminated", "deleted")
    found: list[dict[str, Any]] = [
        *(i for r in ec2.describe_instances(Filters=tagged)["Reservations"] for i in r["Instances"]),
        *ec2.describe_nat_gateways(Filters=tagged)["NatGateways"],
        *ec2.describe_vpcs(Filters=tagged)["Vpcs"],
        *ec2.describe_subnets(Filters=tagged)["Subnets"],
        *ec2.describe_route_tables(Filters=tagged)["RouteTables"],
        *ec2.describe_internet_gateways(Filters=tagged)["InternetGateways"],
        *ec2.describe_security_groups(Filters=tagged)["SecurityGroups"],
        *ec2.describe_addresses(Filters=tagged)["Addresses"],
        *ec2.describe_dhcp_options(Filters=tagged)["DhcpOptions"],
        *ec2.describe_key_pairs(Filters=tagged)["KeyPairs"],
        *ec2.describe_instance_connect_endpoints(Filters=tagged)["InstanceConnectEndpoints"],
    ]
    left = [str(thing) for thing in found if not any(word in str(thing.get("State", "")) for word in gone)]
    secrets = session.client("secretsmanager", endpoint_url=endpoint_url).list_secrets()["SecretList"]
    zones = session.client("route53", endpoint_url=endpoint_url).list_hosted_zones()["HostedZones"]
    left += [secret["Name"] for secret in secrets if secret["Name"].startswith(project)]
    return left + [zone["Name"] for zone in zones if zone["Name"].startswith(project)]
