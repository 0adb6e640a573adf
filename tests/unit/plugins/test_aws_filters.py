"""The filters that turn the variables of group_vars into what amazon.aws takes, as tables."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FILTERS: dict[str, Callable[..., Any]] = runpy.run_path(str(ROOT / "plugins/filter/aws.py"))["FilterModule"]().filters()
GROUPS = {"backend": "sg-1", "database": "sg-2"}
CLOUDFRONT = {"ip_prefix": "pl-1"}


def test_tags_become_the_apis_filters() -> None:
    assert FILTERS["tag_filters"]({"Project": "shop", "Role": "db"}) == {"tag:Project": "shop", "tag:Role": "db"}


def test_resources_are_found_by_their_name_without_the_prefix_and_others_are_left_out() -> None:
    found = FILTERS["by_name"](
        [
            {"id": "subnet-1", "tags": {"Name": "shop-lab-app-a"}},
            {"id": "subnet-2", "tags": {"Name": "other-app-a"}},
            {"id": "subnet-3", "tags": {"Name": "shop-labour"}},
            {"id": "subnet-4", "tags": {}},
            {"id": "subnet-5"},
        ],
        "shop-lab",
        "id",
    )
    assert found == {"app-a": "subnet-1"}


def test_only_keys_with_the_prefix_stay_and_they_lose_it_once() -> None:
    assert FILTERS["without_prefix"]({"a/a/x": "1", "b/x": "2", "a/y": "3"}, "a/") == {"a/x": "1", "y": "3"}


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        ({"port": 22, "group": "backend"}, {"proto": "tcp", "from_port": 22, "to_port": 22, "group_id": "sg-1"}),
        ({"port": "22", "group": "database"}, {"proto": "tcp", "from_port": 22, "to_port": 22, "group_id": "sg-2"}),
        (
            {"port": "8000-8100", "cidr": "10.0.0.0/8"},
            {"proto": "tcp", "from_port": 8000, "to_port": 8100, "cidr_ip": "10.0.0.0/8"},
        ),
        (
            {"port": 53, "protocol": "udp", "cidr": "10.0.0.2/32"},
            {"proto": "udp", "from_port": 53, "to_port": 53, "cidr_ip": "10.0.0.2/32"},
        ),
        ({"port": "all", "cidr": "0.0.0.0/0"}, {"proto": "all", "cidr_ip": "0.0.0.0/0"}),
        (
            {"port": 8000, "cloudfront": "vpc_origins"},
            {"proto": "tcp", "from_port": 8000, "to_port": 8000, "ip_prefix": "pl-1"},
        ),
    ],
)
def test_a_rule_becomes_one_of_security_group(rule: dict[str, Any], taken: dict[str, Any]) -> None:
    assert FILTERS["security_group_rules"]([rule], GROUPS, CLOUDFRONT) == [taken]


def test_a_rule_of_an_unknown_group_is_refused() -> None:
    with pytest.raises(KeyError, match="nobody"):
        FILTERS["security_group_rules"]([{"port": 22, "group": "nobody"}], GROUPS, CLOUDFRONT)


def test_each_wanted_hosts_root_volume_is_found_with_the_size_it_should_have() -> None:
    def host(name: str, device: str, **volumes: str) -> dict[str, Any]:
        mappings = [{"device_name": f"/dev/{key}", "ebs": {"volume_id": value}} for key, value in volumes.items()]
        return {"tags": {"Name": name}, "root_device_name": device, "block_device_mappings": mappings}

    found = FILTERS["root_volumes"](
        [
            host("db1", "/dev/sda1", sda1="vol-1", sdf="vol-2"),
            host("db2", "/dev/xvda", xvda="vol-3"),
            host("somebody's", "/dev/xvda", xvda="vol-4"),
        ],
        [{"id": f"vol-{number}", "zone": "a", "size": 16} for number in (1, 2, 3, 4)],
        [{"name": "db1", "volume_size": 32}, {"name": "db2"}],
        16,
    )
    assert found == [
        {"name": "db1", "id": "vol-1", "zone": "a", "size": 16, "wanted": 32, "grows": True},
        {"name": "db2", "id": "vol-3", "zone": "a", "size": 16, "wanted": 16, "grows": False},
    ]
