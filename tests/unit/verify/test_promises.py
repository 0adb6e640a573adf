"""What is promised, and the sentence that names each broken promise."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.unit.verify.conftest import Scene, named, rule

NETWORK = "ansible-playbook site.yml --tags network puts it right."
GROUPS = "ansible-playbook site.yml --tags security_groups puts it right."
INSTANCES = "ansible-playbook site.yml --tags instances puts it right."
DATABASE = "ansible-playbook site.yml --tags database puts it right."
CDN = "ansible-playbook site.yml --tags cdn puts it right."


def test_a_deployment_as_configured_keeps_every_promise(scene: Scene) -> None:
    assert scene.sentences == []
    assert {each.kept for each in scene.held} == {True}


def test_connections_follow_from_the_groups(scene: Scene) -> None:
    reach = {(each.source, each.target, each.port): each.reaches for each in scene.wanted.connections}
    assert reach["backend", "db1", 3306] and reach["db1", "db2", 3306]
    assert not reach["db1", "backend", 8000] and not reach["backend", "db1", 22]
    assert not any(reaches for (source, _, _), reaches in reach.items() if source == "outside")


def test_a_written_connection_stands_for_the_derived_one(scene: Scene) -> None:
    scene.configuration["reach"] = [{"from": "backend", "to": "db1", "port": 3306, "reaches": False}]
    assert ["db1", 3306, False] in scene.verify.packets.questions(scene.wanted, "backend")


def test_addresses_in_a_rule_admit_the_subnets_hosts_alone(scene: Scene) -> None:
    scene.configuration["groups"][1]["ingress"] = [{"port": 3306, "cidr": "10.0.1.0/24"}]
    reach = {(each.source, each.target, each.port): each.reaches for each in scene.wanted.connections}
    assert reach["backend", "db1", 3306]
    assert not reach["db2", "db1", 3306]


def public_database(scene: Scene) -> None:
    scene.state["route_tables"][2]["associations"].pop()
    scene.state["route_tables"][1]["associations"].append({"subnet_id": "subnet-database-a"})


def no_association(scene: Scene) -> None:
    scene.state["route_tables"][2]["associations"].pop(0)


def another_subnet(scene: Scene) -> None:
    strangers: dict[str, Any] = {"subnet_id": "subnet-9", "tags": {"Name": "others"}}
    scene.state["subnets"] += [named("app-c", subnet_id="subnet-8"), strangers, {"subnet_id": "subnet-7"}]


def nat_gone(scene: Scene) -> None:
    scene.state["route_tables"][2]["routes"][1]["state"] = "blackhole"


def open_rule(scene: Scene) -> None:
    scene.state["security_group_rules"].append(rule("9", "database", 22, cidr="0.0.0.0/0"))


def rule_gone(scene: Scene) -> None:
    del scene.state["security_group_rules"][4]


def all_of_cloudfront(scene: Scene) -> None:
    admits = scene.state["security_group_rules"][0]
    del admits["referenced_group_info"]
    admits["prefix_list_id"] = "pl-1"


def packet_gets_through(scene: Scene) -> None:
    scene.state["security_group_rules"].append(rule("9", "backend", 8000, cidr="10.0.0.0/16"))
    scene.state["security_group_rules"].append(rule("8", "database", 8000, egress=True, cidr="0.0.0.0/0"))
    scene.got("db1", "backend", 8000, "open")


BACKEND_EXTRA = (
    "backend admits tcp 8000 from 10.0.0.0/16, and must not: group_vars/all/security_groups.yml has no such rule as "
    "sgr-9. "
)
DATABASE_EXTRA = (
    "database lets its hosts open tcp 8000 to 0.0.0.0/0, and must not: group_vars/all/security_groups.yml has no such "
    f"rule as sgr-8. {GROUPS}"
)


def set_on(name: str, key: str, value: Any) -> Callable[[Scene], None]:
    def broken(scene: Scene) -> None:
        scene.instance(name)[key] = value

    return broken


def answered(place: str, key: str, value: Any) -> Callable[[Scene], None]:
    def broken(scene: Scene) -> None:
        scene.answers[place][key] = value

    return broken


def mysql(place: str, key: str, value: str) -> Callable[[Scene], None]:
    def broken(scene: Scene) -> None:
        scene.answers[place]["mysql"] = {**scene.answers[place]["mysql"], key: value}

    return broken


def got(*what: Any) -> Callable[[Scene], None]:
    return lambda scene: scene.got(*what)


def plain_volume(scene: Scene) -> None:
    scene.state["volumes"][1]["encrypted"] = False


def no_block(scene: Scene) -> None:
    scene.state["bucket"]["public_access_block"] = None


def half_a_block(scene: Scene) -> None:
    scene.state["bucket"]["public_access_block"]["BlockPublicPolicy"] = False


def everybody_reads(scene: Scene) -> None:
    scene.state["bucket"]["policy"]["Statement"].append({"Effect": "Allow", "Principal": "*"})


def another_distribution(scene: Scene) -> None:
    scene.state["distributions"][0]["arn"] = "arn:new"


def front(index: int, status: int | None) -> Callable[[Scene], None]:
    def broken(scene: Scene) -> None:
        scene.front[index]["status"] = status

    return broken


def terminated(scene: Scene) -> None:
    scene.state["instances"].pop(0)


BROKEN: list[tuple[Callable[[Scene], None], list[str]]] = [
    (public_database, [
        "database-a is public, and must be private: the table public (rtb-public) sends 0.0.0.0/0 to igw-1; "
        f"group_vars/all/network.yml gives it the table private, which makes it private. {NETWORK}",
    ]),
    (no_association, [
        "app-a is isolated, and must be private: the VPC's main table (rtb-main) has no default route; "
        f"group_vars/all/network.yml gives it the table private, which makes it private. {NETWORK}",
    ]),
    (another_subnet, [
        "app-c (subnet-8) is in the VPC, and group_vars/all/network.yml has no such subnet. Move or terminate what "
        "stands in it; then ansible-playbook site.yml --tags network deletes it.",
    ]),
    (nat_gone, [
        f"{subnet} has no way out: the table private (rtb-private) sends 0.0.0.0/0 to nat-1, which is not there any "
        f"more. "
        f"{NETWORK}" for subnet in ("app-a", "database-a")
    ]),
    (open_rule, [
        "database admits tcp 22 from 0.0.0.0/0, and must not: group_vars/all/security_groups.yml has no such rule as "
        "sgr-9. "
        f"{GROUPS}",
    ]),
    (rule_gone, [
        "database lacks the rule that group_vars/all/security_groups.yml asks for: tcp 3306 from backend. "
        f"{GROUPS}",
    ]),
    (all_of_cloudfront, [
        "backend lacks the rule that group_vars/all/security_groups.yml asks for: tcp 8000 from CloudFront. "
        f"{GROUPS}",
        "backend admits every CloudFront customer: the rule sgr-1 (tcp 8000 from prefix list pl-1) should name this "
        f"account's own CloudFront group. {CDN}",
    ]),
    (packet_gets_through, [
        BACKEND_EXTRA + GROUPS, DATABASE_EXTRA,
        f"db1 reaches backend on port 8000, and must not: the rule sgr-9 (tcp 8000 from 10.0.0.0/16) admits it. "
        f"{GROUPS}",
    ]),
    (got("backend", "db1", 22, "refused"), [
        "backend reaches db1 on port 22, and must not: no rule of its groups admits it, so look at its addresses. "
        f"{GROUPS}",
    ]),
    (got("backend", "db1", 3306, "dropped"), [
        "backend does not reach db1 on port 3306, and must: the rule sgr-5 (tcp 3306 from backend) admits it, so look "
        "at "
        "the route tables. ansible-playbook site.yml --tags network,security_groups puts it right.",
    ]),
    (got("backend", "db1", 3306, "refused"), [
        "backend reaches db1 on port 3306, but nothing listens there: look at the service on db1.",
    ]),
    (got("backend", "db1", 3306, "unknown name"), [
        f"backend does not know the name db1, so it cannot reach it. {INSTANCES}",
    ]),
    (got("outside", "198.18.0.9", 22, "open"), [
        "The public address 198.18.0.9 answers the outside on port 22, and must not. Groups and routes decide: look at "
        "group_vars/all/security_groups.yml.",
    ]),
    (got("outside", "10.0.1.5", 8000, "open"), [
        "outside reaches backend on port 8000, and must not: no rule of its groups admits it, so look at its "
        "addresses. "
        f"{GROUPS}",
    ]),
    (answered("db2", "address", "198.18.0.77"), [
        f"db2 is seen outside as 198.18.0.77, and must be seen as 198.18.0.9. {NETWORK}",
    ]),
    (answered("db2", "address", None), [
        f"db2 is seen outside as nobody: it gets no answer, and must be seen as 198.18.0.9. {NETWORK}",
    ]),
    (answered("db2", "problem", "it cannot be reached by SSH"), [
        "db2 could not be asked what it reaches: it cannot be reached by SSH.",
    ]),
    (set_on("backend", "public_ip_address", "198.18.0.50"), [
        "backend has the public address 198.18.0.50, and must have none. Take it away, or terminate the instance and "
        "run "
        "ansible-playbook site.yml --tags instances.",
    ]),
    (set_on("backend", "subnet_id", "subnet-public-a"), [
        "backend stands in public-a, and must stand in app-a: an instance cannot move. Terminate it and run "
        "ansible-playbook site.yml --tags instances.",
    ]),
    (set_on("db1", "metadata_options", {"http_tokens": "optional"}), [
        "db1's metadata service takes requests without a token (http_tokens is optional, and must be required): a "
        "request "
        f"forged through an application could read its credentials. {INSTANCES}",
    ]),
    (answered("db1", "metadata_without_token", 200), [
        f"db1's metadata service answered 200 to a request without a token, and must answer 401. {INSTANCES}",
    ]),
    (set_on("db2", "security_groups", [{"group_id": "sg-backend"}]), [
        f"db2 is in the group backend, and must be in the group database. {INSTANCES}",
    ]),
    (terminated, [f"backend runs 0 times, and must run once. {INSTANCES}"]),
    (plain_volume, [
        "db1's volume vol-db1 is not encrypted. No volume can be encrypted in place: terminate the instance and run "
        "ansible-playbook site.yml.",
    ]),
    (mysql("db1", "require_secure_transport", "0"), [
        f"MySQL on db1 takes connections without TLS (require_secure_transport is off). {DATABASE}",
    ]),
    (mysql("db2", "receiver", "OFF"), [f"db2 does not follow db1: receiving is stopped. {DATABASE}"]),
    (mysql("db2", "applier", "OFF"), [f"db2 does not follow db1: applying is stopped. {DATABASE}"]),
    (mysql("db2", "source_tls", "NO"), [f"db2 follows db1 without TLS. {DATABASE}"]),
    (mysql("db2", "super_read_only", "0"), [
        "db2 is a replica and takes writes (super_read_only is off), which would put it at odds with db1. "
        f"{DATABASE}",
    ]),
    (mysql("db1", "problem", "Can't connect"), [f"MySQL on db1 does not answer: Can't connect. {DATABASE}"]),
    (no_block, [
        "The bucket shop-site does not block public access: BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy and "
        f"RestrictPublicBuckets are off. {CDN}",
    ]),
    (half_a_block, [f"The bucket shop-site does not block public access: BlockPublicPolicy is off. {CDN}"]),
    (everybody_reads, [
        "The policy of the bucket shop-site lets everybody read it, and must name CloudFront's distribution alone. "
        f"{CDN}",
    ]),
    (another_distribution, [
        "The policy of the bucket shop-site lets arn:aws:cloudfront::123456789012:distribution/E1 read it, and must "
        "name "
        f"CloudFront's distribution alone. {CDN}",
    ]),
    (front(0, 502), [
        "/ answers 502, and must answer 200, at https://d1.cloudfront.net/. CloudFront gets no answer from the "
        "backend: "
        "look at its service, then at its group's rule for CloudFront.",
    ]),
    (front(0, None), [
        "/ answers nothing, and must answer 200, at https://d1.cloudfront.net/. "
        "ansible-playbook site.yml --tags cdn,frontend puts it right.",
    ]),
    (front(1, 200), [
        "The bucket, read directly at https://shop-site.s3/index.html, answers 200, and must answer 403. "
        f"{CDN}",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "says"), BROKEN, ids=[str(index) for index in range(len(BROKEN))])
def test_a_broken_promise_is_one_sentence_that_names_it(
    broken: Callable[[Scene], None], says: list[str], scene: Scene
) -> None:
    broken(scene)
    assert scene.sentences == says


def test_what_nobody_could_ask_is_neither_kept_nor_broken(scene: Scene) -> None:
    scene.answers.clear()
    assert scene.sentences == []
    assert {each.state for each in scene.held if each.section == "Who reaches whom"} == {"not asked"}


def test_the_outside_tries_private_addresses_only_where_it_may(verify: ModuleType, scene: Scene) -> None:
    asked = {address for address, _, _ in verify.outside_questions(scene.wanted, scene.found, private=False)}
    assert asked == {"198.18.0.9"}


def test_independent_databases_follow_nobody(scene: Scene) -> None:
    scene.configuration["mysql_topology"] = "independent"
    scene.answers["db2"]["mysql"] = {"require_secure_transport": "1"}
    assert scene.sentences == []
