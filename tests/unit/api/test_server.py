"""The API's server: calls, faults, counts."""

from __future__ import annotations

import boto3
import urllib3


def test_a_vpc_can_be_created(api: str) -> None:
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]
    assert vpc["CidrBlock"] == "10.20.0.0/16"


def test_calls_are_counted_by_who_made_them_and_whether_they_tag_what_they_create(api: str) -> None:
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Project", "Value": "shop"}]}]
    boto3.client("ec2").create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=tags)
    boto3.client("ec2", aws_access_key_id="SOMEBODY", aws_secret_access_key="lab").create_vpc(CidrBlock="10.21.0.0/16")
    made = {"service": "ec2", "action": "CreateVpc", "count": 1}
    assert urllib3.request("GET", f"{api}/_lab/calls").json() == [
        {**made, "caller": "LABLABLABLABLABLABLA", "tagged": True},
        {**made, "caller": "SOMEBODY", "tagged": False},
    ]


def test_each_test_gets_an_empty_account(api: str) -> None:
    vpcs = boto3.client("ec2").describe_vpcs()["Vpcs"]
    assert [vpc["IsDefault"] for vpc in vpcs] == [True]
