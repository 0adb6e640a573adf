"""What the destroy playbook lists and refuses, as tables."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
TAGS = {"Project": "shop", "Environment": "lab"}


@pytest.fixture(scope="module")
def destroy() -> ModuleType:
    package: ModuleType = runpy.run_path(str(ROOT / "plugins/packages.py"))["load"]("destroy")
    return package


def thing(name: str, identifier: str = "", **more: Any) -> dict[str, Any]:
    return {"id": identifier or name, "name": name, **more}


def host(name: str, role: str) -> dict[str, Any]:
    return thing(name, f"i-{name}", role=role)


def bucket(name: str, *, empty: bool) -> dict[str, Any]:
    return thing(f"shop-lab-{name}", empty=empty)


def secret(name: str, *, scheduled: bool = False) -> dict[str, Any]:
    return thing(f"shop/lab/{name}", scheduled=scheduled)


LOSSES: list[tuple[dict[str, Any], int, str]] = [
    ({}, 30, ""),
    ({"instance": [host("backend", "backend"), host("collector", "collector"), host("nat", "nat")]}, 30, ""),
    ({"bucket": [bucket("site-1", empty=True), bucket("deploy-1", empty=False)]}, 30, ""),
    ({"secret": [secret("ca", scheduled=True)]}, 30, ""),
    (
        {"instance": [host("db2", "database"), host("db1", "database")]},
        30,
        "the databases on db1 and db2 with their volumes. "
        "Save a database before: ansible-playbook playbooks/backup_database.yml -e host=db1.",
    ),
    ({"bucket": [bucket("site-1", empty=False)]}, 30, "everything in the bucket shop-lab-site-1."),
    ({"secret": [secret("ca"), secret("key")]}, 30, "the secrets shop/lab/ca and shop/lab/key."),
    ({"secret": [secret("ca", scheduled=True)]}, 0, "the secret shop/lab/ca."),
    (
        {"instance": [host("db1", "database")], "bucket": [bucket("a", empty=False), bucket("b", empty=False)]},
        30,
        "the databases on db1 with their volumes; everything in the buckets shop-lab-a and shop-lab-b. "
        "Save a database before: ansible-playbook playbooks/backup_database.yml -e host=db1.",
    ),
]


@pytest.mark.parametrize(("resources", "days", "lost"), LOSSES)
def test_data_is_named_with_the_word_that_it_takes(
    resources: dict[str, Any], days: int, lost: str, destroy: ModuleType
) -> None:
    said = destroy.losses(resources, lock_bucket="shop-lab-deploy-", recovery_days=days, word="shop-lab")
    whole = f"This would lose data: {lost} If all of it may go, write -e destroy_data=shop-lab. Nothing was touched."
    assert said == (whole if lost else "")


STRANGERS = [
    ([], ""),
    ([{"kind": "instance", "id": "i-1", "name": "theirs"}], "instance theirs (i-1)."),
    (
        [
            {"kind": "subnet", "id": "subnet-1", "name": "subnet-1"},
            {"kind": "network_interface", "id": "e", "name": ""},
        ],
        "network interface e and subnet subnet-1.",
    ),
]


@pytest.mark.parametrize(("found", "named"), STRANGERS)
def test_what_others_have_in_the_vpc_is_named(found: list[dict[str, str]], named: str, destroy: ModuleType) -> None:
    said = destroy.strangers(found, TAGS)
    assert (
        said == ""
        if not found
        else said.startswith(f"In the deployment's VPC stands what does not have its tags: {named}")
    )
    assert not found or "tag it Project=shop and Environment=lab if it is to go too." in said


NOTES: list[tuple[str, dict[str, Any], int, str]] = [
    ("vpc", thing("shop-lab", "vpc-1"), 30, "VPC: shop-lab (vpc-1)"),
    ("instance", host("db1", "database"), 30, "instance: db1 (i-db1, with its databases)"),
    (
        "elastic_ip",
        thing("nat", "eipalloc-1", public_ip="198.18.64.1"),
        30,
        "Elastic IP: nat (eipalloc-1, 198.18.64.1)",
    ),
    (
        "private_zone",
        thing("shop.internal", "Z1", records=[{}, {}]),
        30,
        "private zone: shop.internal (Z1, with 2 names)",
    ),
    ("bucket", bucket("site", empty=True), 30, "bucket: shop-lab-site (empty)"),
    ("bucket", bucket("site", empty=False), 30, "bucket: shop-lab-site (with everything in it)"),
    ("secret", secret("ca"), 7, "secret: shop/lab/ca (can be restored for 7 days)"),
    ("secret", secret("ca"), 0, "secret: shop/lab/ca (at once, for ever)"),
    ("secret", secret("ca", scheduled=True), 30, ""),
    ("network_interface", thing("Interface for NAT Gateway nat-1", "eni-1"), 30, ""),
]


@pytest.mark.parametrize(("kind", "item", "days", "shown"), NOTES)
def test_each_thing_is_listed_with_what_to_know_of_it(
    kind: str, item: dict[str, Any], days: int, shown: str, destroy: ModuleType
) -> None:
    assert destroy.plan({kind: [item]}, days) == ([f"Would delete {shown}"] if shown else [])


def test_the_list_is_in_columns_and_in_the_order_that_things_go_in(destroy: ModuleType) -> None:
    resources = {"vpc": [thing("shop", "vpc-1")], "instance": [host("db1", "database"), host("backend", "backend")]}
    assert list(destroy.rows(resources, 30)) == [
        "- instance  backend  i-backend",
        "- instance  db1      i-db1, with its databases",
        "- VPC       shop     vpc-1",
    ]


def test_every_kind_that_is_looked_for_is_deleted_and_shown(destroy: ModuleType) -> None:
    tasks = "".join(path.read_text() for path in (ROOT / "roles/destroy/tasks").glob("*.yml"))
    deleted = set(re.findall(r"destroy_(?:found|left)\.resources\.(\w+)", tasks)) - {"values"}
    documented = (
        (ROOT / "library/deployment_resources_info.py").read_text().split("Kinds are ")[1].split("returned:")[0]
    )
    kinds = set(re.findall(r"V\((\w+)\)", documented)) - {"network_interface", "service_group"}
    assert deleted == kinds == set(destroy.wording.NOUNS)
