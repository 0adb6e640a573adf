#!/usr/bin/python
"""Look CloudFront distributions up by their tags."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_web_distribution_info
short_description: Look CloudFront distributions up by their tags
description:
  - Finds distributions by tags, identifier or both, and tells what M(cloudfront_web_distribution) returns of them.
author: The Madang authors
options:
  id:
    description: Identifier of a distribution. None is found when it does not exist.
    type: str
  tags:
    description: Tags that a distribution must carry.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Find the distribution of a project, to invalidate some of its paths
  cloudfront_web_distribution_info:
    tags: {Project: shop, Environment: production}
  register: found
"""

RETURN = r"""
distributions:
  description: The distributions, sorted by their identifiers.
  returned: always
  type: list
  elements: dict
  contains:
    id: {description: Its identifier., type: str, sample: EDFDVBD632BHDS5}
    arn: {description: Its ARN., type: str}
    domain_name: {description: Its host name., type: str, sample: d111111abcdef8.cloudfront.net}
    status: {description: V(InProgress) or V(Deployed)., type: str}
    distribution_config: {description: Its configuration., type: dict}
    tags: {description: Its tags., type: dict}
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.aws_outcome import Outcome, doing, finish, looking_again, patient
from ansible.module_utils.cloudfront_distributions import CONFLICTS, REMEDIES, described, with_tags
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ARGUMENTS: dict[str, Any] = {"id": {"type": "str"}, "tags": {"type": "dict", "default": {}}}


def look_up(client: Any, asked: Mapping[str, Any]) -> Outcome:
    """The distributions that the task asks for."""
    required = {key: str(value) for key, value in asked["tags"].items()}
    with doing("look for distributions", REMEDIES):
        found = with_tags(client, required, asked["id"])
    return Outcome(False, values={"distributions": [described(item) for item in found]})


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    client = module.client("cloudfront", retry_decorator=patient())
    finish(module, lambda: looking_again(lambda: look_up(client, module.params), CONFLICTS, acting=False))


if __name__ == "__main__":
    main()
