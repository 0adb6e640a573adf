"""Ways out: the NAT that each subnet's table must lead to, what a NAT instance needs, and what should not be there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.verify.conftest import Scene, instance

WAYS = "ansible-playbook site.yml --tags network,security_groups,instances puts it right."
NETWORK = "ansible-playbook site.yml --tags network puts it right."
ADDRESS = "198.18.0.20"


@pytest.fixture
def by_instance(scene: Scene) -> Scene:
    """The same deployment, whose way out is a NAT instance."""
    nat = {"name": "nat", "role": "nat", "subnet": "public-a", "groups": ["nat"]}
    scene.configuration["nat"] = "instance"
    scene.configuration["instances"].append(nat)
    scene.configuration["groups"].append({"name": "nat", "ingress": [{"port": 443, "group": "backend"}], "egress": []})
    machine = {
        **instance("nat", "subnet-public-a", "10.0.0.5", "nat"), "public_ip_address": ADDRESS,
        "source_dest_check": False,
    }  # fmt: skip
    machine["tags"]["Role"] = "nat"
    scene.state["instances"].append(machine)
    scene.state["volumes"].append({"volume_id": "vol-nat", "encrypted": True})
    scene.state["security_groups"].append({"group_id": "sg-nat", "group_name": "shop-lab-nat"})
    scene.state["security_group_rules"].append(
        {
            "security_group_rule_id": "sgr-7", "group_id": "sg-nat", "is_egress": False, "ip_protocol": "tcp",
            "from_port": 443, "to_port": 443, "referenced_group_info": {"group_id": "sg-backend"},
        }
    )  # fmt: skip
    scene.state["nat_gateways"].clear()
    default = scene.state["route_tables"][2]["routes"][1]
    del default["nat_gateway_id"]
    default |= {"network_interface_id": "eni-nat", "instance_id": "i-nat"}
    for answer in scene.answers.values():
        answer["address"] = ADDRESS
    scene.answers["nat"] = {"connections": [], "address": ADDRESS, "metadata_without_token": 401, "mysql": None}
    return scene


def test_a_deployment_behind_a_nat_instance_keeps_every_promise(by_instance: Scene) -> None:
    assert by_instance.sentences == []


def test_nobody_may_open_a_connection_to_a_nat_instance(by_instance: Scene) -> None:
    reach = {(each.source, each.port): each.reaches for each in by_instance.wanted.connections if each.target == "nat"}
    assert reach == {(source, 22): False for source in ("backend", "db1", "db2", "outside")}


def test_the_outside_tries_a_nat_instances_public_address_on_every_port(by_instance: Scene) -> None:
    asked = by_instance.verify.outside_questions(by_instance.wanted, by_instance.found, private=False)
    assert [ADDRESS, 22, False] in asked and [ADDRESS, 443, False] in asked


def checked(scene: Scene) -> None:
    scene.instance("nat")["source_dest_check"] = True


def without_address(scene: Scene) -> None:
    del scene.instance("nat")["public_ip_address"]
    for answer in scene.answers.values():
        answer["address"] = None
    del scene.answers["nat"]


def a_gateway_too(scene: Scene) -> None:
    scene.state["nat_gateways"].append(
        {"nat_gateway_id": "nat-1", "subnet_id": "subnet-public-a", "nat_gateway_addresses": []}
    )


def answers_outside(scene: Scene) -> None:
    scene.answers["outside"]["connections"].append([ADDRESS, 22, "open"])


BROKEN: list[tuple[Callable[[Scene], None], list[str]]] = [
    (checked, ["nat's source/destination check is on, so what it would forward is dropped. ansible-playbook site.yml "
               "--tags instances puts it right."]),
    (without_address, [
        "nat has no public address, so nobody gets out by it. ansible-playbook site.yml --tags network,instances puts "
        "it right.",
        *(f"{host} is seen outside as nobody: it gets no answer, and must be seen as a NAT's address. {NETWORK}"
          for host in ("backend", "db1", "db2")),
    ]),
    (a_gateway_too, [
        f"There is a NAT gateway in public-a (nat-1), which costs money, and no subnet needs it. {WAYS}",
    ]),
    (answers_outside, [
        f"The public address {ADDRESS} answers the outside on port 22, and must not. Groups and routes decide: look at "
        "group_vars/all/security_groups.yml.",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "says"), BROKEN)
def test_a_broken_promise_of_a_nat_instance_is_named(
    broken: Callable[[Scene], None], says: list[str], by_instance: Scene
) -> None:
    broken(by_instance)
    assert by_instance.sentences == says


def test_a_subnet_that_gets_out_by_another_nat_than_its_zones_is_named(scene: Scene) -> None:
    scene.configuration["ways"] = [{"name": "nat", "zone": "a", "subnet": "public-b", "address": "nat"}]
    why = "the table private (rtb-private) sends 0.0.0.0/0 to nat-1"
    assert scene.sentences == [
        *(
            f"{subnet} gets out by a NAT gateway in public-a, and must by a NAT gateway in public-b: {why}. {NETWORK}"
            for subnet in ("app-a", "database-a")
        ),
        f"There is no NAT gateway in public-b. {NETWORK}",
        f"There is a NAT gateway in public-a (nat-1), which costs money, and no subnet needs it. {NETWORK}",
    ]


def test_a_way_out_of_the_other_kind_is_named(scene: Scene) -> None:
    scene.configuration["nat"] = "instance"
    said: list[Any] = scene.sentences
    assert (
        "app-a gets out by a NAT gateway in public-a, and must by a NAT instance in public-a: the table private "
        f"(rtb-private) sends 0.0.0.0/0 to nat-1. {WAYS}" in said
    )
