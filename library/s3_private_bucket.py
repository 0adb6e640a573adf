#!/usr/bin/python
"""A bucket that nobody reads but its owner and whom its policy names."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_private_bucket
short_description: A bucket that nobody reads but its owner and whom its policy names
description:
  - Creates a bucket with all of Block Public Access on, ACLs disabled (V(BucketOwnerEnforced)), encryption by S3's own
    keys, the given tags and, if given, the policy; and puts these right where somebody changed them.
  - Parts of uploads that were never completed are removed after a day, unless a rule of the bucket's lifecycle for all
    keys already says when. Other rules of the lifecycle stay.
  - M(amazon.aws.s3_bucket) has no check mode, so a plan could not show what a run would do to a bucket.
author: The Madang authors
options:
  name:
    description: The bucket's name.
    type: str
    required: true
  policy:
    description: The bucket's policy. Without it whatever policy there is stays.
    type: dict
  tags:
    description: Tags of the bucket; others are removed. Without it whatever tags there are stay.
    type: dict
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Create a bucket for a site
  s3_private_bucket:
    name: shop-production-site
    tags: {Project: shop}
"""

RETURN = r"""
name:
  description: The bucket's name.
  returned: always
  type: str
"""

from typing import Any

from ansible.module_utils.aws_outcome import finish, patient
from ansible.module_utils.s3_private_buckets import ensure
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "policy": {"type": "dict"},
    "tags": {"type": "dict"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    # A HEAD's answer has no body, so its throttling has no other name than its status.
    client = module.client("s3", retry_decorator=patient("OperationAborted", "NoSuchBucket", "503"))
    finish(module, lambda: ensure(client, module.params, module.region, module.check_mode))


if __name__ == "__main__":
    main()
