"""s3_private_bucket against the lab's API."""

from __future__ import annotations

import boto3
import pytest
import urllib3

NAME = "s3_private_bucket"
TAGS = {"Project": "shop"}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop-site/.releases/*"}
    ],
}


@pytest.fixture
def s3(api):
    """A boto3 client, to look with other eyes than the module's."""
    return boto3.client("s3")


def rules(s3):
    return s3.get_bucket_lifecycle_configuration(Bucket="shop-site")["Rules"]


def names(s3):
    return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_check_mode_announces_a_new_bucket_and_makes_none(run_module, s3):
    planned = run_module(NAME, check=True, name="shop-site", tags=TAGS)
    assert planned["changed"]
    assert planned["diff"]["before"] == {}
    assert planned["diff"]["after"]["Tags"] == TAGS
    assert names(s3) == []


def test_a_bucket_is_created_closed_and_then_left_alone(run_module, s3):
    assert run_module(NAME, name="shop-site", tags=TAGS, policy=POLICY)["changed"]
    block = s3.get_public_access_block(Bucket="shop-site")["PublicAccessBlockConfiguration"]
    assert len(block) == 4 and all(block.values())
    ownership = s3.get_bucket_ownership_controls(Bucket="shop-site")["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert s3.get_bucket_tagging(Bucket="shop-site")["TagSet"] == [{"Key": "Project", "Value": "shop"}]
    assert not run_module(NAME, name="shop-site", tags=TAGS, policy=POLICY)["changed"]
    assert not run_module(NAME, check=True, name="shop-site")["changed"], "what is not asked for stays"


def test_parts_of_uploads_that_were_killed_go_after_a_day_and_other_rules_of_the_lifecycle_stay(run_module, s3):
    run_module(NAME, name="shop-site")
    (own,) = rules(s3)
    assert (own["Status"], own["AbortIncompleteMultipartUpload"]) == ("Enabled", {"DaysAfterInitiation": 1})
    logs = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 9}}
    s3.put_bucket_lifecycle_configuration(Bucket="shop-site", LifecycleConfiguration={"Rules": [logs]})
    done = run_module(NAME, name="shop-site")
    assert done["diff"]["before"]["AbortIncompleteMultipartUpload"] == {}
    assert done["diff"]["after"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert {rule["ID"] for rule in rules(s3)} == {"logs", own["ID"]}
    assert not run_module(NAME, name="shop-site")["changed"]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}, False),
        ({"Status": "Disabled"}, True),
        ({"Filter": {"Prefix": "assets/"}}, True),
    ],
)
def test_a_rule_of_somebody_elses_counts_where_it_is_for_all_keys(run_module, s3, change, changed):
    run_module(NAME, name="shop-site")
    theirs = {**rules(s3)[0], "ID": "theirs", **change}
    s3.put_bucket_lifecycle_configuration(Bucket="shop-site", LifecycleConfiguration={"Rules": [theirs]})
    assert run_module(NAME, name="shop-site")["changed"] == changed


def test_what_somebody_opened_is_announced_then_closed(run_module, s3):
    run_module(NAME, name="shop-site", tags=TAGS, policy=POLICY)
    s3.delete_public_access_block(Bucket="shop-site")
    s3.delete_bucket_policy(Bucket="shop-site")
    for check in (True, False):
        done = run_module(NAME, check=check, name="shop-site", tags=TAGS, policy=POLICY)
        assert done["changed"]
        before, after = done["diff"]["before"], done["diff"]["after"]
        assert {key for key in after if before[key] != after[key]} == {"PublicAccessBlock", "Policy"}
    assert not run_module(NAME, name="shop-site", tags=TAGS, policy=POLICY)["changed"]


@pytest.mark.parametrize("fault", [{"kind": "drop_after", "action": "CreateBucket"}, {"kind": "throttle", "times": 12}])
def test_a_lost_answer_or_throttling_does_not_fail_it(run_module, api, s3, fault):
    urllib3.request("POST", f"{api}/_lab/faults", json=[{"service": "s3", **fault}])
    try:
        assert run_module(NAME, name="shop-site", tags=TAGS)["changed"]
    finally:
        urllib3.request("DELETE", f"{api}/_lab/faults")
    assert names(s3) == ["shop-site"]
    assert not run_module(NAME, name="shop-site", tags=TAGS)["changed"]
