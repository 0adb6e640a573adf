#!/usr/bin/python
"""Look CloudFront VPC origins up."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_vpc_origin_info
short_description: Look CloudFront VPC origins up by name and tags
description:
  - Finds VPC origins, and tells for each which distributions use it.
author: The Madang authors
options:
  name:
    description:
      - A name, as M(cloudfront_vpc_origin) takes it. Origins that replaced the one of this name are found too.
      - All origins are looked at when not given.
    type: str
  tags:
    description: Tags that an origin must carry.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Find the VPC origins of a project
  cloudfront_vpc_origin_info:
    tags: {Project: shop, Environment: production}
  register: found
"""

RETURN = r"""
vpc_origins:
  description: The VPC origins, sorted by their names.
  returned: always
  type: list
  elements: dict
  contains:
    id: {description: Its identifier., type: str, sample: vo_WDN5bD7xPJZkkTcOFkTUug}
    arn: {description: Its own ARN., type: str}
    status: {description: V(Deploying) or V(Deployed)., type: str}
    vpc_origin_endpoint_config: {description: "Its name, target, ports and protocols.", type: dict}
    distributions: {description: Identifiers of the distributions that use it., type: list, elements: str}
    tags: {description: Its tags., type: dict}
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.aws_outcome import Outcome, doing, finish, looking_again, patient
from ansible.module_utils.cloudfront_api import carries
from ansible.module_utils.cloudfront_vpc_origins import CONFLICTS, REMEDIES, described, read_all
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ARGUMENTS: dict[str, Any] = {"name": {"type": "str"}, "tags": {"type": "dict", "default": {}}}


def look_up(client: Any, asked: Mapping[str, Any]) -> Outcome:
    """The VPC origins that the task asks for."""
    required = {key: str(value) for key, value in asked["tags"].items()}
    with doing("look for VPC origins", REMEDIES):
        origins = [origin for origin in read_all(client, asked["name"]) if carries(origin.tags, required)]
    origins.sort(key=lambda origin: str(origin.config["Name"]))
    found = [{**described(origin), "distributions": list(origin.users)} for origin in origins]
    return Outcome(False, values={"vpc_origins": found})


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    client = module.client("cloudfront", retry_decorator=patient())
    finish(module, lambda: looking_again(lambda: look_up(client, module.params), CONFLICTS, acting=False))


if __name__ == "__main__":
    main()
