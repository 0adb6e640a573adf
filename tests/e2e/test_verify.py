"""Every promise proved, broken behind the deployment's back, named in a sentence, and put right by a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces

STATE = story.ROOT / ".lab/deployment"
BUCKET = "madang-lab-site-123456789012"


def named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in items if {"Key": "Name", "Value": name} in item.get("Tags", []))


def verify() -> story.Done:
    return story.run("ansible-playbook", "site.yml", "--tags", "verify")


def promises() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((STATE / "verify.json").read_text())["promises"]
    return found


def test_a_deployment_keeps_every_promise_and_asks_them_all(deployment: Deployment) -> None:
    done = verify()
    assert done.status == 0, done.output[-6000:]
    assert {promise["state"] for promise in promises()} == {"kept"}
    rows = [line.split() for line in done.output.splitlines() if line.startswith("  collector   ")]
    assert ["collector", "·", "·", "·", "●", "·", "●", "—"] in rows
    assert f"The same as a page: {STATE}/verify.html" in done.output


def test_the_page_shows_the_network_and_the_matrix(deployment: Deployment, browser: webdriver.Chrome) -> None:
    browser.get(f"file://{STATE}/verify.html")
    assert browser.find_element(By.TAG_NAME, "h1").text == "madang-lab keeps every promise"
    picture = browser.find_element(By.CSS_SELECTOR, "svg[role=img]")
    assert {"backend", "db1", "NAT gateway"} <= {each.text for each in picture.find_elements(By.TAG_NAME, "text")}
    assert len(browser.find_elements(By.CSS_SELECTOR, "td.reaches")) == 6
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[no-untyped-call]
    assert errors == []


@pytest.fixture
def broken(deployment: Deployment) -> Iterator[None]:
    """Six promises broken, by whoever has the console open; a run of site.yml puts them right."""
    ec2 = story.client("ec2")
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["madang-lab-database"]}])
    ec2.authorize_security_group_ingress(
        GroupId=group["SecurityGroups"][0]["GroupId"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )
    subnet = named(ec2.describe_subnets()["Subnets"], "madang-lab-database-c")["SubnetId"]
    tables = ec2.describe_route_tables()["RouteTables"]
    links = [link for table in tables for link in table["Associations"] if link.get("SubnetId") == subnet]
    ec2.replace_route_table_association(
        AssociationId=links[0]["RouteTableAssociationId"],
        RouteTableId=named(tables, "madang-lab-public")["RouteTableId"],
    )
    # A host that was replaced keeps its Name for a while.
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    reservations = ec2.describe_instances(Filters=running)["Reservations"]
    instances = [each for group in reservations for each in group["Instances"]]
    ec2.modify_instance_metadata_options(
        InstanceId=named(instances, "collector")["InstanceId"], HttpTokens="optional", HttpEndpoint="enabled"
    )
    story.client("s3").delete_public_access_block(Bucket=BUCKET)
    assert story.inside("db2", "mysql -e 'STOP REPLICA'").status == 0
    yield
    done = story.run("ansible-playbook", "site.yml")
    assert done.status == 0, done.output[-6000:]
    assert {promise["state"] for promise in promises()} == {"kept"}


def test_each_broken_promise_is_one_sentence_that_names_it(broken: None) -> None:
    done = verify()
    assert done.status != 0
    said = {line.removeprefix("  ✗ ").strip() for line in done.output.splitlines() if line.endswith("puts it right.")}
    for begins in (
        "database-c is public, and must be private: the table public (rtb-",
        "database admits tcp 22 from 0.0.0.0/0, and must not: group_vars/all/security_groups.yml has no such rule as ",
        "collector's metadata service takes requests without a token (http_tokens is optional, and must be required)",
        f"The bucket {BUCKET} does not block public access: BlockPublicAcls, IgnorePublicAcls",
        "db2 is seen outside as nobody: it gets no answer, and must be seen as ",
        "db2 does not follow db1: receiving and applying are stopped.",
    ):
        assert any(sentence.startswith(begins) for sentence in said), (begins, said)
    assert len(said) == 6, said
    assert "6 promises are broken, each named in a sentence above." in done.output
