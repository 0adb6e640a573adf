"""Production's inventory, the whole of site.yml with it, and what its first run says to whom.

It is deployed beside the lab's own deployment, as another environment of the same account: two VPCs of the same
addresses, two distributions.
"""

from __future__ import annotations

import base64
import http.server
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.settings import SECRET_ACCESS_KEY
from tests.account import everything
from tests.e2e import leaks, story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces

# Any key is let in: this one tells the run's calls from everybody else's.
CALLER = "PRODUCTIONPRODUCTION"
NAME = "madang-production"
OURS = [
    {"Name": "tag:Environment", "Values": ["production"]},
    {"Name": "instance-state-name", "Values": ["pending", "running"]},
]


@dataclass(frozen=True)
class Production:
    """The first run and the plan after it; all that they left on this machine stands below ``directory``."""

    visitor: Visitor
    run: story.Done
    plan: story.Done
    directory: Path
    watched: leaks.Watch

    @property
    def state(self) -> Path:
        return self.directory / "state/madang" / NAME


@dataclass(frozen=True)
class Visitor:
    """Somebody who asks the edge for production by its name, which no resolver on this machine knows."""

    edge_url: str
    cloudfront: Any

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        asked = urllib.request.Request(self.edge_url + path, headers={"Host": self._name()})  # noqa: S310 — loopback
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 — loopback
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def _name(self) -> str:
        """The distribution's; its comment says which it is."""
        listed = self.cloudfront.list_distributions()["DistributionList"].get("Items", [])
        return next(str(each["DomainName"]) for each in listed if each["Comment"] == NAME)


@contextmanager
def door(visitor: Visitor) -> Iterator[str]:
    """A URL on loopback at which this machine gets what the visitor gets."""

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = visitor.get(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def production(
    deployment: Deployment, another_environment: set[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    directory = tmp_path_factory.mktemp("production")
    before = everything(story.client)
    visitor = Visitor(deployment.url, story.client("cloudfront"))
    environment = {
        "AWS_ENDPOINT_URL": str(story.status()["endpoint_url"]),
        "AWS_ACCESS_KEY_ID": CALLER,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        # What a run leaves on this machine comes to one place, which can be searched.
        "XDG_STATE_HOME": str(directory / "state"),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "TMPDIR": str(directory / "tmp"),
        "MADANG_PLAN_FILE": str(directory / "plan.json"),
    }
    (directory / "tmp").mkdir()
    try:
        with door(visitor) as url, leaks.Watch() as watched:
            command = ("ansible-playbook", "-i", "inventories/production", "site.yml", "-vvv")
            variables = ("-e", "@tests/e2e/production.yml", "-e", f"verify_site_url={url}")
            run = story.run(*command, *variables, **environment)
            plan = story.run(*command, *variables, "--check", "--diff", **environment)
        yield Production(visitor, run, plan, directory, watched)
    finally:
        end_hosts()
        another_environment |= everything(story.client) - before


def hosts() -> dict[str, dict[str, Any]]:
    """Production's running instances by their Names."""
    reservations = story.client("ec2").describe_instances(Filters=OURS)["Reservations"]
    found = [instance for reservation in reservations for instance in reservation["Instances"]]
    return {next(tag["Value"] for tag in each["Tags"] if tag["Key"] == "Name"): each for each in found}


def end_hosts() -> None:
    """Hosts cost memory, and have the names of the lab's; the rest ends with the lab."""
    ids = [instance["InstanceId"] for instance in hosts().values()]
    if ids:
        story.client("ec2").terminate_instances(InstanceIds=ids)
        story.eventually(lambda: story.status()["instances"].keys() & set(ids), lambda left: not left)


def inside(name: str, command: str) -> str:
    """What a shell command says on one of production's hosts."""
    return story.inside(hosts()[name]["InstanceId"], command).output


def test_the_whole_of_site_yml_runs_with_productions_variables(production: Production) -> None:
    assert production.run.status == 0, production.run.output[-6000:]
    assert {host for host, count in story.changes(production.run.output).items() if count} == {
        *("localhost", "backend", "collector", "db1", "db2")
    }
    promises = json.loads((production.state / "verify.json").read_text())["promises"]
    assert {promise["state"] for promise in promises} == {"kept"}
    for name, instance in hosts().items():
        assert (instance["Architecture"], instance["InstanceType"]) == ("arm64", "t4g.small")
        devices = [device["DeviceName"] for device in instance["BlockDeviceMappings"]]
        assert devices == [instance["RootDeviceName"]] == ["/dev/sda1"], name
    assert inside("backend", "id --name --user ubuntu").strip() == "ubuntu"


def test_a_plan_after_the_first_run_has_nothing_to_do(production: Production) -> None:
    assert production.plan.status == 0, production.plan.output[-6000:]
    assert "Plan: nothing to do." in production.plan.output


def test_two_environments_of_the_same_addresses_do_not_meet(production: Production, deployment: Deployment) -> None:
    vpcs = story.client("ec2").describe_vpcs(Filters=[{"Name": "tag:Project", "Values": ["madang"]}])["Vpcs"]
    assert [vpc["CidrBlock"] for vpc in vpcs] == ["10.20.0.0/16"] * 2
    health = "/api/health"
    assert (production.visitor.get(health)[0], story.get(deployment.url + health)[0]) == (200, 200)
    inside("backend", "systemctl stop backend")
    try:
        story.eventually(lambda: production.visitor.get(health)[0], lambda status: status == 502)
        assert story.get(deployment.url + health)[0] == 200
    finally:
        inside("backend", "systemctl start backend")
    story.eventually(lambda: production.visitor.get(health)[0], lambda status: status == 200)


# Who must know a secret has it: the service, as systemd hands it over; a replica, in MySQL's own tables and logs;
# and whoever deploys, the key of the hosts.
PLACES = {
    ("control state/madang/madang-production/id_ed25519", "ssh-key"),
    *(
        (f"{name} {path}/database_password", f"mysql-user-{name}")
        for name in ("backend", "collector")
        for path in (f"etc/{name}/credentials", f"run/credentials/{name}.service")
    ),
}
REPLICAS_OWN = ("db2 var/lib/mysql/", "mysql-user-replication")


def secrets() -> dict[str, str]:
    """All that the first run generated, by their names in Secrets Manager."""
    manager = story.client("secretsmanager")
    names = [
        str(each["Name"]) for page in manager.get_paginator("list_secrets").paginate() for each in page["SecretList"]
    ]
    ours = [name for name in names if name.startswith("madang/production/")]
    return {name.split("/")[-1]: str(manager.get_secret_value(SecretId=name)["SecretString"]) for name in ours}


def search_host(search: leaks.Search, name: str, instance_id: str) -> None:
    """A host's files (but packages' and their lists), its journal, and its user data."""
    command = (*search.GREP, "--exclude-dir=apt", "--exclude-dir=dpkg", "--directories=recurse")
    where = "etc home opt root run srv tmp var dev/shm"
    searched = story.inside(instance_id, f"cd / && {' '.join(command)} {where}", stdin=search.patterns)
    search.matches(name, searched.output)
    search.text(f"{name} journal", story.inside(instance_id, "journalctl --no-pager --output=export").output)
    answer = story.client("ec2").describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
    search.text(f"{name} user data", base64.b64decode(answer["UserData"].get("Value", "")).decode(errors="replace"))


def test_every_generated_secret_is_where_it_is_needed_and_nowhere_else(production: Production) -> None:
    generated = secrets()
    assert set(generated) == {
        *("mysql-ca", "mysql-user-backend", "mysql-user-collector", "mysql-user-replication", "ssh-key")
    }
    search = leaks.Search(generated)
    search.text("output of the run", production.run.output)
    search.text("output of the plan", production.plan.output)
    production.watched.search(search)
    for name, instance in hosts().items():
        search_host(search, name, instance["InstanceId"])
    search.files("control", production.directory)
    search.files("checkout", story.ROOT, without=(".git", ".lab", ".tools", ".venv", "node_modules"))
    # The lab's own state: the API's log, the edge's, consoles. Disks were searched on their hosts.
    search.files("lab", story.ROOT / ".lab", without=("root", "upper", "work"))
    places = {
        (place, name)
        for place, name in search.found
        if not (place.startswith(REPLICAS_OWN[0]) and name == REPLICAS_OWN[1])
    }
    assert places == PLACES
