"""A small deployment as data: what its variables say, what AWS would answer, and what its hosts' probes would."""

from __future__ import annotations

import copy
import runpy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

CONFIGURATION: dict[str, Any] = {
    "prefix": "shop-lab",
    "region": "ap-northeast-2",
    "cidr": "10.0.0.0/16",
    "subnets": [
        {"name": "public-a", "cidr": "10.0.0.0/24", "zone": "a", "route_table": "public"},
        {"name": "app-a", "cidr": "10.0.1.0/24", "zone": "a", "route_table": "private"},
        {"name": "database-a", "cidr": "10.0.2.0/24", "zone": "a", "route_table": "private"},
    ],
    "route_tables": [
        {"name": "public", "routes": [{"destination": "0.0.0.0/0", "target": "internet_gateway"}]},
        {"name": "private", "routes": [{"destination": "0.0.0.0/0", "target": "nat"}]},
    ],
    "nat": "gateway",
    "ways": [{"name": "nat", "zone": "a", "subnet": "public-a", "address": "nat"}],
    "groups": [
        {
            "name": "backend",
            "ingress": [{"port": 8000, "cloudfront": "vpc_origins"}],
            "egress": [{"port": 3306, "group": "database"}, {"port": 443, "cidr": "0.0.0.0/0"}],
        },
        {
            "name": "database",
            "ingress": [{"port": 3306, "group": "database"}, {"port": 3306, "group": "backend"}],
            "egress": [{"port": 3306, "group": "database"}],
        },
    ],
    "instances": [
        {"name": "backend", "role": "backend", "subnet": "app-a", "groups": ["backend"]},
        {"name": "db1", "role": "database", "subnet": "database-a", "groups": ["database"]},
        {"name": "db2", "role": "database", "subnet": "database-a", "groups": ["database"]},
    ],
    "function": {
        "name": "shop-lab-collector",
        "runs_on": "ec2",
        "subnets": ["app-a"],
        "groups": ["backend"],
        "schedule": "rate(1 minute)",
    },
    "mysql_port": 3306,
    "mysql_topology": "replication",
    "mysql_source": "db1",
    "backend": "backend",
    "backend_port": 8000,
    "reach": [],
    "paths": [{"path": "/", "status": 200}],
}


def named(name: str, **values: Any) -> dict[str, Any]:
    return {**values, "tags": {"Name": f"shop-lab-{name}"}}


def table(name: str, target: str, *subnets: str) -> dict[str, Any]:
    key = "nat_gateway_id" if target.startswith("nat-") else "gateway_id"
    local = {"destination_cidr_block": "10.0.0.0/16", "gateway_id": "local", "state": "active"}
    default = {"destination_cidr_block": "0.0.0.0/0", key: target, "state": "active"}
    return named(
        name,
        route_table_id=f"rtb-{name}",
        routes=[local, default],
        associations=[{"subnet_id": subnet, "main": False} for subnet in subnets],
    )


def instance(name: str, subnet: str, address: str, group: str) -> dict[str, Any]:
    return {
        "instance_id": f"i-{name}",
        "tags": {"Name": name},
        "state": {"name": "running"},
        "subnet_id": subnet,
        "private_ip_address": address,
        "security_groups": [{"group_id": f"sg-{group}"}],
        "metadata_options": {"http_tokens": "required"},
        "block_device_mappings": [{"ebs": {"volume_id": f"vol-{name}"}}],
        "network_interfaces": [{"network_interface_id": f"eni-{name}"}],
    }


def rule(name: str, of: str, port: int, *, egress: bool = False, group: str = "", cidr: str = "") -> dict[str, Any]:
    other = {"referenced_group_info": {"group_id": f"sg-{group}"}} if group else {"cidr_ipv4": cidr}
    return {
        "security_group_rule_id": f"sgr-{name}",
        "group_id": f"sg-{of}",
        "is_egress": egress,
        "ip_protocol": "tcp",
        "from_port": port,
        "to_port": port,
        **other,
    }


ARN = "arn:aws:cloudfront::123456789012:distribution/E1"
STATE: dict[str, Any] = {
    "vpcs": [{"vpc_id": "vpc-1"}],
    "subnets": [named(name, subnet_id=f"subnet-{name}") for name in ("public-a", "app-a", "database-a")],
    "route_tables": [
        {"route_table_id": "rtb-main", "routes": [], "associations": [{"main": True}], "tags": {}},
        table("public", "igw-1", "subnet-public-a"),
        table("private", "nat-1", "subnet-app-a", "subnet-database-a"),
    ],
    "nat_gateways": [
        {
            "nat_gateway_id": "nat-1",
            "subnet_id": "subnet-public-a",
            "nat_gateway_addresses": [{"public_ip": "198.18.0.9"}],
        }
    ],
    "instances": [
        instance("backend", "subnet-app-a", "10.0.1.5", "backend"),
        instance("db1", "subnet-database-a", "10.0.2.5", "database"),
        instance("db2", "subnet-database-a", "10.0.2.6", "database"),
    ],
    "volumes": [{"volume_id": f"vol-{name}", "encrypted": True} for name in ("backend", "db1", "db2")],
    "security_groups": [
        {"group_id": "sg-backend", "group_name": "shop-lab-backend"},
        {"group_id": "sg-database", "group_name": "shop-lab-database"},
        {"group_id": "sg-cloudfront", "group_name": "CloudFront-VPCOrigins-Service-SG"},
    ],
    "security_group_rules": [
        rule("1", "backend", 8000, group="cloudfront"),
        rule("2", "backend", 3306, egress=True, group="database"),
        rule("3", "backend", 443, egress=True, cidr="0.0.0.0/0"),
        rule("4", "database", 3306, group="database"),
        rule("5", "database", 3306, group="backend"),
        rule("6", "database", 3306, egress=True, group="database"),
    ],
    "distributions": [{"arn": ARN, "domain_name": "d1.cloudfront.net"}],
    "bucket": {
        "name": "shop-site",
        "exists": True,
        "public_access_block": dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
        "policy": {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudfront.amazonaws.com"},
                    "Condition": {"StringEquals": {"AWS:SourceArn": ARN}},
                }
            ]
        },
    },
    "function": None,
    "schedule": None,
}

MYSQL = {"require_secure_transport": "1", "super_read_only": "0"}
REPLICA = {"receiver": "ON", "applier": "ON", "source_tls": "YES", "super_read_only": "1", "error": ""}
FRONT = [
    {"name": "/", "url": "https://d1.cloudfront.net/", "wanted": 200, "status": 200},
    {"name": "bucket", "url": "https://shop-site.s3/index.html", "wanted": 403, "status": 403, "direct": True},
]


class Scene:
    """One deployment to break; ``held`` and ``sentences`` say what is then promised and broken."""

    def __init__(self, verify: ModuleType) -> None:
        self.verify = verify
        self.configuration = copy.deepcopy(CONFIGURATION)
        self.state = copy.deepcopy(STATE)
        self.front = copy.deepcopy(FRONT)
        wanted = verify.read(self.configuration)
        self.answers: dict[str, Any] = {
            host.name: {
                "connections": [
                    [target, port, "open" if must else "dropped"]
                    for target, port, must in verify.packets.questions(wanted, host.name)
                ],
                "address": "198.18.0.9",
                "metadata_without_token": 401,
                "mysql": None if host.role != "database" else MYSQL | (REPLICA if host.name == "db2" else {}),
            }
            for host in wanted.hosts
        }
        questions = verify.outside_questions(wanted, verify.Found(self.state, "shop-lab"), private=True)
        self.answers["outside"] = {"connections": [[target, port, "dropped"] for target, port, _ in questions]}

    @property
    def wanted(self) -> Any:
        return self.verify.read(self.configuration)

    @property
    def found(self) -> Any:
        return self.verify.Found(self.state, "shop-lab")

    @property
    def held(self) -> list[Any]:
        promises: list[Any] = self.verify.held(self.wanted, self.found, self.answers, self.front)
        return promises

    @property
    def sentences(self) -> list[str]:
        said: list[str] = self.verify.terminal.sentences(self.held)
        return said

    def instance(self, name: str) -> dict[str, Any]:
        return next(each for each in self.state["instances"] if each["tags"]["Name"] == name)

    def got(self, source: str, target: str, port: int, outcome: str) -> None:
        connections = self.answers[source]["connections"]
        next(each for each in connections if each[:2] == [target, port])[2] = outcome


@pytest.fixture(scope="session")
def verify() -> ModuleType:
    package: ModuleType = runpy.run_path(str(ROOT / "plugins/packages.py"))["load"]("verify")
    return package


@pytest.fixture
def scene(verify: ModuleType) -> Scene:
    return Scene(verify)
