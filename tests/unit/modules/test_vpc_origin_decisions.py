"""Which VPC origin a task keeps, updates, creates and leaves behind: there, asked, done."""

from __future__ import annotations

import pytest
from ansible.module_utils.cloudfront_vpc_origins import VpcOrigin, decide, in_family, successor_name

ACCOUNT = "arn:aws:ec2:ap-northeast-2:123456789012"
OLD, NEW = f"{ACCOUNT}:instance/i-1", f"{ACCOUNT}:instance/i-2"


def asked(arn=OLD, port=8000):
    return {"Arn": arn, "HTTPPort": port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}


def there(identifier, name="backend", arn=OLD, port=8000, users=(), status="Deployed"):
    filled_in_by_aws = {"OriginSslProtocols": {"Items": ["TLSv1.2"]}, "IpAddressType": "ipv4"}
    config = {"Name": name, **asked(arn, port), **filled_in_by_aws}
    return VpcOrigin(identifier, f"arn:{identifier}", status, config, {}, tuple(users))


SUCCESSOR = successor_name("backend", asked(NEW))

CASES = {
    "nothing is there": ([], asked(), ("create", None, "backend", [])),
    "it is as asked": ([there("vo_1", users=["E1"])], asked(), ("keep", "vo_1", "backend", [])),
    "another port, nobody uses it": ([there("vo_1", port=80)], asked(), ("update", "vo_1", "backend", [])),
    "another port, in use": (
        [there("vo_1", port=80, users=["E1"])],
        asked(),
        ("create", None, successor_name("backend", asked()), ["vo_1"]),
    ),
    "another instance, in use": (
        [there("vo_1", users=["E1"])],
        asked(NEW),
        ("create", None, SUCCESSOR, ["vo_1"]),
    ),
    "another instance, nobody uses it": ([there("vo_1")], asked(NEW), ("create", None, SUCCESSOR, ["vo_1"])),
    "killed after the successor was made": (
        [there("vo_1", users=["E1"]), there("vo_2", SUCCESSOR, NEW)],
        asked(NEW),
        ("keep", "vo_2", SUCCESSOR, ["vo_1"]),
    ),
    "repointed already": (
        [there("vo_1"), there("vo_2", SUCCESSOR, NEW, users=["E1"])],
        asked(NEW),
        ("keep", "vo_2", SUCCESSOR, ["vo_1"]),
    ),
    "back to the first instance before the first origin went": (
        [there("vo_1"), there("vo_2", SUCCESSOR, NEW, users=["E1"])],
        asked(OLD),
        ("keep", "vo_1", "backend", ["vo_2"]),
    ),
    "the first one is being deleted": (
        [there("vo_1", status="Deleting")],
        asked(OLD),
        ("create", None, successor_name("backend", asked(OLD)), []),
    ),
    "two serve, one of them for visitors": (
        [there("vo_1"), there("vo_2", "backend-01234567", users=["E1"])],
        asked(OLD),
        ("keep", "vo_2", "backend-01234567", ["vo_1"]),
    ),
}


@pytest.mark.parametrize(("found", "wanted", "expected"), CASES.values(), ids=CASES)
def test_the_origin_for_a_configuration(found, wanted, expected):
    decision = decide(found, "backend", wanted)
    action, identifier, name, superseded = expected
    assert decision.action == action
    assert (decision.origin.id if decision.origin else None) == identifier
    assert decision.config["Name"] == name
    assert [origin.id for origin in decision.superseded] == superseded


def test_what_aws_filled_in_is_kept_by_an_update():
    decision = decide([there("vo_1", port=80)], "backend", asked())
    assert decision.config["HTTPPort"] == 8000
    assert decision.config["OriginSslProtocols"] == {"Items": ["TLSv1.2"]}


@pytest.mark.parametrize(
    ("candidate", "ours"),
    [("backend", True), (SUCCESSOR, True), ("backend-api", False), ("backend2", False), ("my-backend", False)],
)
def test_an_origin_of_another_name_is_left_alone(candidate, ours):
    assert in_family("backend", candidate) is ours
