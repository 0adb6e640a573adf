"""Faults to order, and the counts of requests."""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 4})
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


def order(api: str, *faults: dict[str, Any]) -> None:
    assert urllib3.request("POST", f"{api}/_lab/faults", json=list(faults)).status == 200


def counted(api: str) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = urllib3.request("GET", f"{api}/_lab/requests").json()
    return counts


def test_a_throttled_call_is_tried_again_and_works(api: str) -> None:
    order(api, {"service": "ec2", "action": "CreateVpc", "kind": "throttle", "times": 2})
    boto3.client("ec2", config=PATIENT).create_vpc(CidrBlock="10.20.0.0/16")
    assert counted(api)["ec2"]["CreateVpc"] == 3
    assert len(boto3.client("ec2").describe_vpcs()["Vpcs"]) == 2


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", lambda client: client.describe_vpcs(), "RequestLimitExceeded"),
        ("s3", lambda client: client.list_buckets(), "SlowDown"),
        ("secretsmanager", lambda client: client.list_secrets(), "Throttling"),
        ("cloudfront", lambda client: client.list_distributions(), "Throttling"),
    ],
)
def test_throttling_speaks_the_services_own_protocol(api: str, service: Any, call: Any, code: str) -> None:
    order(api, {"service": service, "kind": "throttle"})
    client = boto3.client(service, config=ONCE)
    with pytest.raises(ClientError) as failure:
        call(client)
    assert failure.value.response["Error"]["Code"] == code
    call(client)


def test_a_fault_waits_for_its_turn_and_knows_its_path(api: str) -> None:
    s3 = boto3.client("s3", config=ONCE)
    s3.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    fault = {"service": "s3", "method": "PUT", "path_contains": "assets/", "after": 1, "kind": "error"}
    order(api, {**fault, "code": "InternalError", "status": 500})
    s3.put_object(Bucket="shop", Key="assets/1", Body=b"")
    s3.put_object(Bucket="shop", Key="index.html", Body=b"")
    with pytest.raises(ClientError) as failure:
        s3.put_object(Bucket="shop", Key="assets/2", Body=b"")
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    s3.put_object(Bucket="shop", Key="assets/2", Body=b"")


def test_an_answer_can_be_lost_after_the_work_was_done(api: str) -> None:
    order(api, {"service": "ec2", "action": "CreateVpc", "kind": "drop_after"})
    with pytest.raises(ConnectionClosedError):
        boto3.client("ec2", config=ONCE).create_vpc(CidrBlock="10.20.0.0/16")
    assert len(boto3.client("ec2").describe_vpcs()["Vpcs"]) == 2


def test_a_slow_answer_is_slow(api: str) -> None:
    ec2 = boto3.client("ec2")
    order(api, {"service": "ec2", "kind": "latency", "seconds": 0.3})
    before = time.monotonic()
    ec2.describe_vpcs()
    assert time.monotonic() - before >= 0.3


def test_an_unknown_kind_of_fault_is_refused(api: str) -> None:
    answer = urllib3.request("POST", f"{api}/_lab/faults", json=[{"kind": "fire"}])
    assert (answer.status, "fire" in answer.json()["error"]) == (400, True)


def test_counts_and_faults_can_be_forgotten(api: str) -> None:
    order(api, {"kind": "error"})
    urllib3.request("DELETE", f"{api}/_lab/faults")
    boto3.client("s3", config=ONCE).list_buckets()
    assert counted(api) == {"s3": {"ListBuckets": 1}}
    urllib3.request("DELETE", f"{api}/_lab/requests")
    assert counted(api) == {}


def test_the_labs_own_paths_are_not_for_others_host_names(api: str) -> None:
    by_bucket = {"Host": "shop.s3.ap-northeast-2.amazonaws.com"}
    assert urllib3.request("GET", f"{api}/_lab/requests", headers=by_bucket).status == 404
