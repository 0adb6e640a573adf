"""Networks of one zone and of six, with each way out, against the API alone: they converge, and then change nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import boto3

from tests.conftest import ROOT, running_api

LETTERS = "abcdef"


def network(zones: str) -> dict[str, Any]:
    """A public, an app and a database subnet in each zone; the databases' have a table and a route of their own."""
    tiers = (("public", "public"), ("app", "private"), ("database", "data"))
    return {
        "aws_region": "us-east-1",
        "network_subnets": [
            {"name": f"{tier}-{zone}", "cidr": f"10.20.{10 * row + column}.0/24", "zone": zone, "route_table": table}
            for row, (tier, table) in enumerate(tiers)
            for column, zone in enumerate(zones)
        ],
        "network_route_tables": [
            {"name": "public", "routes": [{"destination": "0.0.0.0/0", "target": "internet_gateway"}]},
            {"name": "private", "routes": [{"destination": "0.0.0.0/0", "target": "nat"}]},
            {"name": "data", "routes": [{"destination": "198.18.0.0/24", "target": "nat"}]},
        ],
        "instances_list": [
            {"name": name, "role": role, "subnet": f"{tier}-{zone}", "groups": [role]}
            for name, role, tier, zone in (
                ("backend", "backend", "app", zones[0]),
                ("db1", "database", "database", zones[0]),
                ("db2", "database", "database", zones[-1]),
            )
        ],
        "collector_runs_on": "lambda",
        "collector_function_subnets": [f"app-{zones[0]}"],
    }


class Account:
    """An API of its own, and site.yml's layers up to the hosts' against it."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url, self.directory = url, directory
        self.ec2: Any = boto3.client(
            "ec2", endpoint_url=url, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any"
        )

    def run(self, zones: str, tags: str = "network,security_groups,instances", **variables: Any) -> int:
        """Converge, and return how many tasks changed something."""
        state = {"project_state_directory": str(self.directory / "state")}
        done = subprocess.run(
            [
                *(str(ROOT / ".venv/bin/ansible-playbook"), "site.yml", "--skip-tags", "hosts"),
                *("--tags", tags),
                *("-e", json.dumps({**network(zones), **state, **variables})),
            ],
            cwd=ROOT,
            env={**os.environ, "AWS_ENDPOINT_URL": self.url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        changed = re.findall(r"^localhost\s+: ok=\d+\s+changed=(\d+)", done.stdout, re.MULTILINE)
        return int(changed[0])

    def ways(self) -> dict[str, str]:
        """Where each subnet's traffic for outside goes: the kind of target, and the zone that it stands in."""
        zone = {each["SubnetId"]: each["AvailabilityZone"][-1] for each in self.ec2.describe_subnets()["Subnets"]}
        stands = {
            each["NatGatewayId"]: zone[each["SubnetId"]]
            for each in self.ec2.describe_nat_gateways()["NatGateways"]
            if each["State"] in ("pending", "available")  # nobody has waited for it yet
        }
        for group in self.ec2.describe_instances()["Reservations"]:
            for each in group["Instances"]:
                for interface in each.get("NetworkInterfaces", []):
                    stands[interface["NetworkInterfaceId"]] = zone[each["SubnetId"]]
        names, found = self.subnets(), {}
        for table in self.ec2.describe_route_tables(Filters=[{"Name": "tag-key", "Values": ["Project"]}])[
            "RouteTables"
        ]:
            route = next(
                each for each in table["Routes"] if each.get("DestinationCidrBlock") not in (None, "10.20.0.0/16")
            )
            target = route.get("NatGatewayId") or route.get("NetworkInterfaceId") or route["GatewayId"]
            for link in table["Associations"]:
                found[names[link["SubnetId"]]] = f"{target.split('-')[0]} {stands.get(target, '')}".strip()
        return found

    def subnets(self) -> dict[str, str]:
        """The names of the VPCs' own subnets by their identifiers; what has no name has an empty one."""
        found = self.ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["false"]}])["Subnets"]
        tags = {each["SubnetId"]: {tag["Key"]: tag["Value"] for tag in each.get("Tags", [])} for each in found}
        return {subnet: str(each.get("Name", "")).removeprefix("madang-lab-") for subnet, each in tags.items()}

    def addresses(self) -> int:
        return len(self.ec2.describe_addresses()["Addresses"])


def test_one_zone_has_one_way_out_even_with_one_a_zone(tmp_path: Path) -> None:
    with running_api(tmp_path) as url:
        account = Account(url, tmp_path)
        where = {"network_nat_subnet": "public-b", "instances_connect_subnet": "app-b"}
        assert account.run("b", "network", **where) > 0
        assert account.ways() == {"public-b": "igw", "app-b": "nat b", "database-b": "nat b"}
        assert account.run("b", "network", **where, network_nat_per_az=True) == 0


def test_six_zones_have_six_ways_out_of_either_kind(tmp_path: Path) -> None:
    with running_api(tmp_path) as url:
        account = Account(url, tmp_path)
        for choice, kind in (({"network_nat": "instance"}, "eni"), ({"network_nat": "gateway"}, "nat")):
            assert account.run(LETTERS, network_nat_per_az=True, **choice) > 0
            expected = {f"{tier}-{zone}": f"{kind} {zone}" for tier in ("app", "database") for zone in LETTERS}
            assert account.ways() == expected | {f"public-{zone}": "igw" for zone in LETTERS}
            assert account.addresses() == 6


def test_a_subnet_that_is_taken_out_is_deleted_once_nothing_stands_in_it(tmp_path: Path) -> None:
    with running_api(tmp_path) as url:
        account = Account(url, tmp_path)
        where = {"network_nat_subnet": "public-b", "instances_connect_subnet": "app-b"}
        account.run("bc", "network", **where)
        app = next(subnet for subnet, name in account.subnets().items() if name == "app-c")
        interface = account.ec2.create_network_interface(SubnetId=app)["NetworkInterface"]["NetworkInterfaceId"]
        strangers = account.ec2.create_subnet(
            VpcId=account.ec2.describe_subnets(SubnetIds=[app])["Subnets"][0]["VpcId"], CidrBlock="10.20.99.0/24"
        )["Subnet"]["SubnetId"]
        assert account.run("b", "network", **where) > 0
        assert set(account.subnets().values()) == {"public-b", "app-b", "database-b", "app-c", ""}
        account.ec2.delete_network_interface(NetworkInterfaceId=interface)
        assert account.run("b", "network", **where) > 0
        assert set(account.subnets().values()) == {"public-b", "app-b", "database-b", ""}
        assert strangers in account.subnets()
        assert account.run("b", "network", **where) == 0
