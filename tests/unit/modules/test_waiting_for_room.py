"""What AWS refuses for now: to change a VPC origin that deploys, too many invalidations, a VPC's second endpoint."""

from __future__ import annotations

import functools
import time

import boto3
import pytest
from ansible.module_utils.cloudfront_vpc_origins import VpcOrigin, delete, update
from botocore.exceptions import ClientError


@functools.cache
def described():
    """What a botocore client knows of CloudFront's API."""
    return boto3.client("cloudfront", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b").meta


def failure(code):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


class Deploying:
    """A CloudFront with one VPC origin that is deployed after three looks, and takes no changes before."""

    def __init__(self):
        self.meta, self.looks, self.done = described(), 0, []

    def get_vpc_origin(self, **_):
        self.looks += 1
        return {"VpcOrigin": {"Status": "Deployed" if self.looks > 3 else "Deploying"}, "ETag": f"ETAG{self.looks}"}

    def _change(self, what, etag):
        if self.looks <= 3:
            raise failure("IllegalUpdate")
        assert etag == f"ETAG{self.looks}", "the ETag is that of the last look"
        self.done.append(what)

    def update_vpc_origin(self, IfMatch, **_):
        self._change("update", IfMatch)

    def delete_vpc_origin(self, IfMatch, **_):
        self._change("delete", IfMatch)


ORIGIN = VpcOrigin("vo_1", "arn:vo_1", "Deploying", {"Name": "backend"}, {})


def test_an_origin_that_still_deploys_is_awaited_before_it_is_updated():
    cloudfront = Deploying()
    update(cloudfront, ORIGIN, {"Name": "backend"}, 60)
    assert cloudfront.done == ["update"]


def test_an_origin_that_still_deploys_is_awaited_before_it_is_deleted():
    cloudfront = Deploying()
    delete(cloudfront, ORIGIN, 60)
    assert cloudfront.done == ["delete"]


class Busy:
    """A CloudFront in which other invalidations are in progress until the oldest is waited for."""

    def __init__(self, free_after=1):
        self.meta, self.waited_for, self.free_after = described(), [], free_after

    def create_invalidation(self, InvalidationBatch, **_):
        if len(self.waited_for) < self.free_after:
            raise failure("TooManyInvalidationsInProgress")
        return {"Invalidation": {"Id": "INEW", "Status": "InProgress", "InvalidationBatch": InvalidationBatch}}

    def list_invalidations(self, **_):
        items = [("I3", "InProgress"), ("I2", "InProgress"), ("I1", "Completed")]
        return {"InvalidationList": {"Items": [{"Id": name, "Status": status} for name, status in items]}}

    def get_invalidation(self, Id, **_):
        self.waited_for.append(Id)
        return {"Invalidation": {"Id": Id, "Status": "Completed"}}


def test_an_invalidation_waits_for_the_oldest_that_is_in_progress(loaded):
    cloudfront = Busy(free_after=2)
    made = loaded("cloudfront_cache_invalidation").create(cloudfront, "E1", ("/*",), "release-42", 60)
    assert made["Id"] == "INEW" and cloudfront.waited_for == ["I2", "I2"]


def test_an_invalidation_that_finds_no_room_in_time_fails_with_what_to_do(loaded):
    with pytest.raises(Exception, match="raise wait_timeout, or use wider wildcards"):
        loaded("cloudfront_cache_invalidation").create(Busy(), "E1", ("/*",), "release-42", 0)


class Leaving:
    """An EC2 in which a VPC's endpoint is gone after three looks, and no other can be made before."""

    def __init__(self):
        self.meta = boto3.client("ec2", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b").meta
        self.looks, self.made = 0, []

    def describe_instance_connect_endpoints(self, InstanceConnectEndpointIds=(), **_):
        self.looks += 1
        if InstanceConnectEndpointIds == ["eice-2"]:
            return {"InstanceConnectEndpoints": self.made}
        state = "delete-in-progress" if self.looks < 4 else "delete-complete"
        leaving = {"InstanceConnectEndpointId": "eice-1", "State": state, "SubnetId": "subnet-1"}
        return {"InstanceConnectEndpoints": [{**leaving, "Tags": [{"Key": "Name", "Value": "shop"}]}]}

    def create_instance_connect_endpoint(self, SubnetId, TagSpecifications, **_):
        if self.looks < 4:
            raise failure("InstanceConnectEndpointLimitExceeded")
        new = {"InstanceConnectEndpointId": "eice-2", "State": "create-in-progress", "SubnetId": SubnetId}
        self.made.append({**new, "Tags": TagSpecifications[0]["Tags"]})
        return {"InstanceConnectEndpoint": new}


def test_a_new_endpoint_waits_until_the_vpcs_old_one_is_gone(loaded):
    ec2 = Leaving()
    asked = {
        "subnet_id": "subnet-2",
        "security_group_ids": None,
        "preserve_client_ip": None,
        "tags": {"Name": "shop"},
        "lookup_tags": ["Name"],
        "purge_tags": True,
        "wait": False,
        "wait_timeout": 60,
    }
    done = loaded("ec2_instance_connect_endpoint").ensure_present(ec2, asked, False)
    assert done.changed and done.before == {}
    assert [endpoint["SubnetId"] for endpoint in ec2.made] == ["subnet-2"]
