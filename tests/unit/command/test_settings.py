"""Where the lab keeps things, and which addresses it takes."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from lab.network.model import Vpc
from lab.settings import Internet, choose_internet, from_environment
from lab.vpc_services import resolver_addresses


@pytest.mark.parametrize(
    ("used", "network"),
    [
        ([], "198.18.0.0/16"),
        (["10.0.0.0/8", "192.168.1.7/24", "fe80::1/64"], "198.18.0.0/16"),
        (["198.18.3.4/24"], "198.19.0.0/16"),
        (["198.18.0.1"], "198.19.0.0/16"),
        (["198.19.0.0/16"], "198.18.0.0/16"),
    ],
)
def test_the_simulated_internet_overlaps_none_of_the_machines_networks(used: list[str], network: str) -> None:
    assert choose_internet(used) == Internet(network)


@pytest.mark.parametrize("used", [["198.18.0.0/15"], ["198.18.0.0/24", "198.19.255.0/24"]])
def test_a_machine_that_uses_both_candidates_is_told_to_free_one(used: list[str]) -> None:
    with pytest.raises(ValueError, match=r"uses all of 198\.18\.0\.0/16, 198\.19\.0\.0/16; free one"):
        choose_internet(used)


def test_the_simulated_internets_addresses_are_distinct_and_outside_of_the_elastic_pool() -> None:
    internet = Internet("198.19.0.0/16")
    fixed = [
        internet.resolver,
        internet.packages,
        internet.readings,
        internet.edge,
        internet.api,
        internet.aws,
        internet.visitor,
    ]
    assert len(set(fixed)) == len(fixed)
    network, pool = ipaddress.ip_network(internet.network), ipaddress.ip_network(internet.elastic)
    assert pool.subnet_of(network)
    assert all(ipaddress.ip_address(a) in network and ipaddress.ip_address(a) not in pool for a in fixed)


def test_ports_and_cache_come_from_the_environment() -> None:
    environ = {"XDG_CACHE_HOME": "/c", "LAB_API_PORT": "1", "LAB_CONNECT_PORT": "2", "LAB_EDGE_PORT": "3"}
    settings = from_environment(Path("/p"), environ)
    assert (settings.cache, settings.state) == (Path("/c/madang"), Path("/p/.lab"))
    assert (settings.api_port, settings.connect_port, settings.edge_port) == (1, 2, 3)
    assert settings.endpoint_url == "http://127.0.0.1:1"


def test_without_an_environment_the_documented_ports_are_taken() -> None:
    settings = from_environment(Path("/p"), {})
    assert (settings.api_port, settings.connect_port, settings.edge_port) == (8566, 8567, 8080)
    assert settings.cache == Path.home() / ".cache" / "madang"


@pytest.mark.parametrize(("cidr", "address"), [("10.20.0.0/16", "10.20.0.2"), ("172.31.16.0/20", "172.31.16.2")])
def test_a_vpcs_resolver_listens_at_the_link_local_address_and_at_base_plus_two(cidr: str, address: str) -> None:
    assert resolver_addresses(Vpc("vpc-1", cidrs=(cidr, "10.99.0.0/16"))) == ("169.254.169.253", address)
