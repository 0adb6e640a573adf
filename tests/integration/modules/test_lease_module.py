"""The lock's module against S3: its bucket, two who want it at once, and answers that are lost."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime, timedelta

import boto3
import pytest
import urllib3
from ansible.module_utils.s3_lease import Held, Lease, Store, take
from conftest import ModuleFailed

BUCKET = "shop-production-deploy-123456789012"
NOW = datetime.now(UTC)
TAGS = {"Project": "shop", "Environment": "production"}


@pytest.fixture
def s3(api):
    return boto3.client("s3")


@pytest.fixture
def bucket(s3):
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})


def lease(run, seconds=300):
    return Lease(run=run, owner=f"{run}@laptop", command="site.yml", process=7, since=NOW, seconds=seconds)


def asked(run):
    return {"bucket": BUCKET, "run": run, "owner": f"{run}@laptop", "command": "site.yml", "tags": TAGS}


def order(api, **fault):
    assert urllib3.request("POST", f"{api}/_lab/faults", body=json.dumps([fault])).status == 200


def contender(run, barrier, winners):
    store = Store(boto3.session.Session().client("s3"), BUCKET, "lock.json")
    store.look()  # the connection is there
    barrier.wait(60)
    try:
        winners.put(take(store, lease(run), 0).run)
    except Held:
        winners.put(None)


def race(count):
    """Let processes of their own take the lease at the same moment; who got it."""
    context = multiprocessing.get_context("fork")
    barrier, winners = context.Barrier(count), context.Queue()
    runs = [context.Process(target=contender, args=(f"run{number}", barrier, winners)) for number in range(count)]
    for run in runs:
        run.start()
    won = [winners.get(timeout=60) for _ in runs]
    for run in runs:
        run.join(60)
    return [run for run in won if run]


def test_of_processes_that_want_a_free_lock_at_once_one_gets_it(s3, bucket):
    [winner] = race(6)
    assert json.load(s3.get_object(Bucket=BUCKET, Key="lock.json")["Body"])["run"] == winner


def test_of_processes_that_wait_for_a_dead_runs_lock_one_gets_it(s3, bucket, monkeypatch):
    take(Store(s3, BUCKET, "lock.json"), lease("dead", seconds=1), 0)
    monkeypatch.setattr("ansible.module_utils.s3_lease.GRACE", -2)  # it has ended as it was taken
    [winner] = race(6)
    assert json.load(s3.get_object(Bucket=BUCKET, Key="lock.json")["Body"])["run"] == winner


def test_the_first_run_creates_the_bucket_private_encrypted_and_tagged(run_module, s3):
    assert run_module("s3_lease", check=True, **asked("kim"))["lease"] is None
    assert s3.list_buckets()["Buckets"] == []
    taken = run_module("s3_lease", **asked("kim"))
    assert taken["lease"]["owner"] == "kim@laptop"
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    assert tags == TAGS
    block = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


@pytest.mark.parametrize("check", [False, True])
def test_a_second_run_is_told_who_holds_it_and_since_when(check, run_module):
    since = datetime.fromisoformat(run_module("s3_lease", **asked("kim"))["lease"]["since"])
    assert abs(datetime.now(UTC) - since) < timedelta(minutes=1)
    with pytest.raises(ModuleFailed, match=f"kim@laptop holds the lock since {since:%Y-%m-%d %H:%M:%S} UTC") as failed:
        run_module("s3_lease", check=check, **asked("lee"))
    assert failed.value.result["held"]


@pytest.mark.parametrize("kind", ["drop_after", "throttle"])
def test_an_answer_that_was_lost_leaves_the_lock_with_its_run(kind, run_module, api, bucket):
    order(api, kind=kind, action="PutObject")
    assert run_module("s3_lease", **asked("kim"))["lease"]["run"] == "kim"
    with pytest.raises(ModuleFailed, match="kim@laptop"):
        run_module("s3_lease", **asked("lee"))


def test_a_conflict_that_s3_tells_of_is_tried_again(run_module, api, bucket):
    order(api, kind="error", action="PutObject", status=409, code="ConditionalRequestConflict")
    assert run_module("s3_lease", **asked("kim"))["lease"]["run"] == "kim"


def test_rights_that_are_missing_are_named(run_module, api, bucket):
    order(api, kind="error", action="GetObject", status=403, code="AccessDenied")
    with pytest.raises(ModuleFailed, match=r"Could not take the lock in .*s3:ListBucket, s3:GetObject"):
        run_module("s3_lease", **asked("kim"))


def test_only_the_run_that_is_named_is_removed(run_module, s3):
    absent = {"bucket": BUCKET, "state": "absent"}
    assert not run_module("s3_lease", **absent)["changed"]
    run_module("s3_lease", **asked("kim"))
    found = run_module("s3_lease", check=True, **absent)
    assert (found["lease"]["run"], found["changed"]) == ("kim", True)
    assert found["holder"].startswith("kim@laptop holds the lock since ")
    for run in ({}, {"run": "lee"}):
        with pytest.raises(ModuleFailed, match="write run: kim to remove it"):
            run_module("s3_lease", **absent, **run)
    assert run_module("s3_lease", **absent, run="kim")["changed"]
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
