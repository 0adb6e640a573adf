"""The API's server: calls, faults, counts."""

from __future__ import annotations

import boto3


def test_a_vpc_can_be_created(api: str) -> None:
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]
    assert vpc["CidrBlock"] == "10.20.0.0/16"


def test_each_test_gets_an_empty_account(api: str) -> None:
    vpcs = boto3.client("ec2").describe_vpcs()["Vpcs"]
    assert [vpc["IsDefault"] for vpc in vpcs] == [True]
