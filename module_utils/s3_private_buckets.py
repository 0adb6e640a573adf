"""A bucket that nobody reads but its owner and whom its policy names: how it is looked at and put right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ansible.module_utils.aws_outcome import Outcome, doing, error_code, refusal, unless
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)

with suppress(ImportError):
    from botocore.exceptions import ClientError

REMEDIES = {
    "AccessDenied": "The credentials need s3:CreateBucket, s3:Get* and s3:Put* for the bucket's settings",
    "BucketAlreadyExists": "Somebody else has a bucket of this name: choose another",
}
BLOCK = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
# What an upload that was killed has left is nobody's, unseen in listings, and paid for.
ABORT = {"DaysAfterInitiation": 1}
RULE = {"ID": "abort-incomplete-uploads", "Status": "Enabled", "Filter": {}, "AbortIncompleteMultipartUpload": ABORT}
MISSING = (
    "NoSuchBucketPolicy", "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration", "NoSuchTagSet", "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
)  # fmt: skip
# The one region that must not be named when a bucket is created.
FIRST_REGION = "us-east-1"


def exists(client: Any, name: str) -> bool:
    """Whether the bucket is there and ours."""
    try:
        client.head_bucket(Bucket=name, aws_retry=True)
    except ClientError as error:
        code = error_code(error)
        if code in ("404", "NoSuchBucket", "NotFound"):
            return False
        if code == "403":
            raise refusal(f"The bucket {name} belongs to another account: choose another name.") from error
        raise
    return True


def create(client: Any, name: str, region: str) -> None:
    """Create it, unless another run of ours just did."""
    place = {} if region == FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        client.create_bucket(Bucket=name, aws_retry=True, **place)
    except ClientError as error:
        if error_code(error) != "BucketAlreadyOwnedByYou":
            raise


def settings_of(client: Any, name: str) -> dict[str, Any]:
    """The bucket's settings, comparable."""
    bucket = {"Bucket": name, "aws_retry": True}
    encryption = unless(MISSING, lambda: client.get_bucket_encryption(**bucket))
    rules = encryption["ServerSideEncryptionConfiguration"]["Rules"] if encryption else []
    ownership = unless(MISSING, lambda: client.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"])
    block = unless(MISSING, lambda: client.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"])
    policy = unless(MISSING, lambda: json.loads(client.get_bucket_policy(**bucket)["Policy"]))
    tags = unless(MISSING, lambda: boto3_tag_list_to_ansible_dict(client.get_bucket_tagging(**bucket)["TagSet"]))
    return {
        "PublicAccessBlock": block or {},
        "ObjectOwnership": ownership[0]["ObjectOwnership"] if ownership else None,
        "Encryption": rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] if rules else None,
        "Policy": policy,
        "Tags": tags or {},
        "AbortIncompleteMultipartUpload": next(_aborts(lifecycle_rules(client, name)), {}),
    }


def lifecycle_rules(client: Any, name: str) -> list[dict[str, Any]]:
    """The rules of the bucket's lifecycle, in S3's words."""
    read = client.get_bucket_lifecycle_configuration
    return list(unless(MISSING, lambda: read(Bucket=name, aws_retry=True)["Rules"]) or [])


def _aborts(rules: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """When rules remove what unfinished uploads of any key have left."""
    for rule in rules:
        for_all = not rule.get("Prefix") and rule.get("Filter") in (None, {}, {"Prefix": ""})
        if for_all and rule["Status"] == "Enabled" and "AbortIncompleteMultipartUpload" in rule:
            yield rule["AbortIncompleteMultipartUpload"]


def wanted_settings(asked: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """What the settings should be; what is not asked for stays."""
    return {
        "PublicAccessBlock": BLOCK,
        "ObjectOwnership": "BucketOwnerEnforced",
        "Encryption": "AES256",
        "Policy": current.get("Policy") if asked["policy"] is None else asked["policy"],
        "Tags": current.get("Tags", {}) if asked["tags"] is None else {k: str(v) for k, v in asked["tags"].items()},
        # Whoever has a rule for that has chosen the days.
        "AbortIncompleteMultipartUpload": current.get("AbortIncompleteMultipartUpload") or ABORT,
    }


def put(client: Any, name: str, setting: str, value: Any) -> None:
    """Write one setting."""
    bucket = {"Bucket": name, "aws_retry": True}
    match setting:
        case "PublicAccessBlock":
            client.put_public_access_block(**bucket, PublicAccessBlockConfiguration=value)
        case "ObjectOwnership":
            client.put_bucket_ownership_controls(**bucket, OwnershipControls={"Rules": [{"ObjectOwnership": value}]})
        case "Encryption":
            rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": value}}
            client.put_bucket_encryption(**bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        case "AbortIncompleteMultipartUpload":
            others = [rule for rule in lifecycle_rules(client, name) if rule.get("ID") != RULE["ID"]]
            client.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={"Rules": [*others, RULE]})
        case "Policy":
            client.put_bucket_policy(**bucket, Policy=json.dumps(value))
        case "Tags":
            client.put_bucket_tagging(**bucket, Tagging={"TagSet": ansible_dict_to_boto3_tag_list(value)})


def ensure(client: Any, asked: Mapping[str, Any], region: str, check_mode: bool) -> Outcome:
    """Create or put right."""
    name = asked["name"]
    with doing(f"look at the bucket {name}", REMEDIES):
        there = exists(client, name)
        before = settings_of(client, name) if there else {}
    after = wanted_settings(asked, before)
    if not check_mode:
        with doing(f"set up the bucket {name}", REMEDIES):
            if not there:
                create(client, name, region)
            # Tags come first, so that a bucket is known as ours as soon as it can be.
            for setting in ("Tags", *(each for each in after if each != "Tags")):
                if after[setting] and after[setting] != before.get(setting):
                    put(client, name, setting, after[setting])
    return Outcome(
        before != after, {"Bucket": name, **before} if there else {}, {"Bucket": name, **after}, {"name": name}
    )
