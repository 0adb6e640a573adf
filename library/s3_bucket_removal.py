#!/usr/bin/python
"""Delete a bucket with everything in it, if it is the one that is meant."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_bucket_removal
short_description: Delete a bucket with everything in it, if it has the right tags
description:
  - Deletes every version, every delete marker, the uploads that nobody finished, and then the bucket.
  - Fails, and deletes nothing, where the bucket lacks one of the tags.
  - M(amazon.aws.s3_bucket) with C(force) looks at no tags, leaves unfinished uploads, and has no check mode.
author: The Madang authors
options:
  name:
    description: The bucket's name.
    type: str
    required: true
  tags:
    description: Tags that the bucket must have.
    type: dict
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Delete the shop's bucket with everything in it
  s3_bucket_removal:
    name: shop-production-site
    tags: {Project: shop, Environment: production}
"""

RETURN = r"""
name:
  description: The bucket's name.
  returned: always
  type: str
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ansible.module_utils.aws_outcome import Outcome, doing, error_code, finish, refusal
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

with suppress(ImportError):
    from botocore.exceptions import ClientError

ARGUMENTS: dict[str, Any] = {"name": {"type": "str", "required": True}, "tags": {"type": "dict", "required": True}}
REMEDIES = {
    "AccessDenied": "The credentials need s3:ListBucket*, s3:GetBucketTagging, s3:DeleteObject*, "
    "s3:AbortMultipartUpload and s3:DeleteBucket",
    "BucketNotEmpty": "Somebody writes to it still: end that, and run the task again",
}
# How often a bucket is emptied that somebody fills meanwhile.
TRIES = 3


def tags_of(s3: Any, name: str) -> dict[str, str] | None:
    """The bucket's tags; None where there is no bucket."""
    try:
        return dict(boto3_tag_list_to_ansible_dict(s3.get_bucket_tagging(Bucket=name)["TagSet"]))
    except ClientError as error:
        match error_code(error):
            case "NoSuchBucket":
                return None
            case "NoSuchTagSet":
                return {}
        raise


def lacking(tags: Mapping[str, str], required: Mapping[str, Any]) -> list[str]:
    """The required tags that a bucket has not, as ``Key=value``."""
    return [f"{key}={value}" for key, value in required.items() if tags.get(key) != str(value)]


def versions(page: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a page of a bucket's versions names, as DeleteObjects takes it."""
    held = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in held]


def pages(s3: Any, call: str, name: str) -> Iterator[Mapping[str, Any]]:
    """A bucket's listing, page after page."""
    yield from s3.get_paginator(call).paginate(Bucket=name)


def empty(s3: Any, name: str) -> None:
    """Delete whatever the bucket holds."""
    for page in pages(s3, "list_multipart_uploads", name):
        for upload in page.get("Uploads", []):
            with suppress(s3.exceptions.NoSuchUpload):
                s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in pages(s3, "list_object_versions", name):
        objects = versions(page)
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True}) if objects else {}
        for wrong in answer.get("Errors", []):
            raise refusal(f"S3 does not delete {wrong['Key']} of the bucket {name}: {wrong['Code']}.")


def remove(s3: Any, name: str) -> None:
    """Empty and delete; a bucket that went meanwhile is no error."""
    for tries_left in reversed(range(TRIES)):
        try:
            empty(s3, name)
            s3.delete_bucket(Bucket=name)
        except ClientError as error:
            if error_code(error) == "NoSuchBucket":
                return
            if error_code(error) != "BucketNotEmpty" or not tries_left:
                raise
        else:
            return


def ensure_absent(s3: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Delete the bucket, if it is there and has the tags."""
    name = asked["name"]
    with doing(f"look at the bucket {name}", REMEDIES):
        tags = tags_of(s3, name)
    if tags is None:
        return Outcome(False, values={"name": name})
    missing = lacking(tags, asked["tags"])
    if missing:
        raise refusal(f"The bucket {name} has not the tags {', '.join(missing)}: it stays. Tag it if it is yours.")
    if not check_mode:
        with doing(f"delete the bucket {name}", REMEDIES):
            remove(s3, name)
    return Outcome(True, {"Bucket": name, "Tags": tags}, {}, {"name": name})


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    finish(module, lambda: ensure_absent(module.client("s3"), module.params, module.check_mode))


if __name__ == "__main__":
    main()
