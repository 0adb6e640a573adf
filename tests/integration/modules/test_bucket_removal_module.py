"""s3_bucket_removal against the lab's API."""

from __future__ import annotations

import boto3
import pytest

NAME = "s3_bucket_removal"
TAGS = {"Project": "shop", "Environment": "lab"}


@pytest.fixture
def bucket(api):
    """A bucket with versions, a delete marker and an upload that nobody finished."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    s3.put_bucket_tagging(Bucket="shop", Tagging={"TagSet": tags})
    s3.put_object(Bucket="shop", Key="before versions", Body=b"1")
    s3.put_bucket_versioning(Bucket="shop", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="shop", Key="page", Body=body)
    s3.delete_object(Bucket="shop", Key="page")
    s3.create_multipart_upload(Bucket="shop", Key="unfinished")
    return s3


def names(s3):
    return [item["Name"] for item in s3.list_buckets()["Buckets"]]


def test_a_bucket_goes_with_everything_in_it_and_then_is_gone(run_module, bucket):
    planned = run_module(NAME, name="shop", tags=TAGS, check=True)
    assert planned["changed"] and names(bucket) == ["shop"]
    assert planned["diff"] == {"before": {"Bucket": "shop", "Tags": TAGS}, "after": {}}
    done = run_module(NAME, name="shop", tags=TAGS)
    assert done["changed"] and done["diff"] == planned["diff"]
    assert names(bucket) == []
    assert not run_module(NAME, name="shop", tags=TAGS)["changed"]


@pytest.mark.parametrize("environment", ["production", None])
def test_a_bucket_that_lacks_a_tag_keeps_everything(run_module, bucket, environment):
    tags = [{"Key": "Project", "Value": "shop"}]
    tags += [{"Key": "Environment", "Value": environment}] if environment else []
    bucket.put_bucket_tagging(Bucket="shop", Tagging={"TagSet": tags})
    with pytest.raises(Exception, match="has not the tags Environment=lab: it stays"):
        run_module(NAME, name="shop", tags=TAGS)
    assert len(bucket.list_object_versions(Bucket="shop")["Versions"]) == 3
    assert len(bucket.list_multipart_uploads(Bucket="shop")["Uploads"]) == 1
