#!/usr/bin/python
"""Manage CloudFront VPC origins."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_vpc_origin
short_description: Manage CloudFront VPC origins, and replace them without an outage
description:
  - Creates, updates, replaces and deletes a VPC origin, through which CloudFront reaches an EC2 instance or a load
    balancer that has no public address.
  - CloudFront changes nothing of a VPC origin that a distribution uses, and never the ARN of any. So a change of either
    makes a B(new) origin, named O(name) with a suffix that follows from its configuration, and leaves the old one in
    place. The task returns both. Point the distribution at RV(vpc_origin.id), wait until it is deployed, then run this
    module again with O(purge_superseded=true), which deletes what no distribution uses any more. See the examples.
  - Killed anywhere and run again, this converges, since the suffix is the same for the same configuration.
author: The Madang authors
options:
  name:
    description:
      - The name of the VPC origin.
      - Origins of this name, and of this name with a hyphen and eight hexadecimal digits, are taken for this one.
    type: str
    required: true
  arn:
    description: ARN of the instance or load balancer to reach. Required with O(state=present).
    type: str
  http_port:
    description: The port for HTTP.
    type: int
    default: 80
  https_port:
    description: The port for HTTPS.
    type: int
    default: 443
  origin_protocol_policy:
    description: How CloudFront speaks to the origin. Required with O(state=present).
    type: str
    choices: [http-only, https-only, match-viewer]
  origin_ssl_protocols:
    description: The TLS versions that CloudFront may use towards the origin. AWS chooses when not given.
    type: list
    elements: str
    choices: [SSLv3, TLSv1, TLSv1.1, TLSv1.2]
  tags:
    description: Tags, set in the call that creates. Left as they are when not given.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether tags that O(tags) does not have are removed.
    type: bool
    default: true
  lookup_tags:
    description:
      - Keys of O(tags). An origin of this name whose values of them differ is someone else's, and the task fails
        instead of adopting it.
    type: list
    elements: str
    default: []
  purge_superseded:
    description: Whether to delete the origins that a newer one replaced, once no distribution uses them.
    type: bool
    default: false
  wait:
    description: Whether to wait until the origin is deployed, and until deleted ones are gone.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait for each, in seconds. AWS takes up to 15 minutes.
    type: int
    default: 1200
  state:
    description:
      - V(present) creates, updates or replaces.
      - V(absent) deletes the origin and all that it superseded, and fails while a distribution uses one of them.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Begin a VPC origin, which takes minutes, and do other work meanwhile
  cloudfront_vpc_origin:
    name: shop-backend
    arn: arn:aws:ec2:ap-northeast-2:123456789012:instance/i-0123456789abcdef0
    http_port: 8000
    origin_protocol_policy: http-only
    tags:
      Project: shop
      Environment: production
    lookup_tags: [Project, Environment]
    wait: false

# The same three tasks deploy at first, change nothing later, and replace an instance without an outage.
- name: Have a VPC origin for the instance of today
  cloudfront_vpc_origin:
    name: shop-backend
    arn: "{{ backend_instance_arn }}"
    http_port: 8000
    origin_protocol_policy: http-only
  register: backend_origin

- name: Point the distribution at it
  cloudfront_web_distribution:
    tags:
      Name: shop
    origins:
      - id: backend
        domain_name: ip-10-0-16-10.ap-northeast-2.compute.internal
        vpc_origin_config:
          vpc_origin_id: "{{ backend_origin.vpc_origin.id }}"
    default_cache_behavior:
      target_origin_id: backend
      cache_policy: CachingDisabled
    wait: true

- name: Delete the origin of yesterday's instance
  cloudfront_vpc_origin:
    name: shop-backend
    arn: "{{ backend_instance_arn }}"
    http_port: 8000
    origin_protocol_policy: http-only
    purge_superseded: true
  when: backend_origin.superseded

- name: Delete it, after the distribution
  cloudfront_vpc_origin:
    name: shop-backend
    state: absent
"""

RETURN = r"""
vpc_origin:
  description:
    - The VPC origin to use. Empty after V(absent).
    - In check mode the C(id) of one that would be created is V((known after creation\)).
  returned: always
  type: dict
  contains:
    id:
      description: Its identifier, for C(vpc_origin_id) of a distribution's origin.
      type: str
      sample: vo_WDN5bD7xPJZkkTcOFkTUug
    arn:
      description: Its own ARN.
      type: str
    status:
      description: V(Deploying) or V(Deployed).
      type: str
    vpc_origin_endpoint_config:
      description: Its name, the ARN of its target, its ports and protocols.
      type: dict
    tags:
      description: Its tags.
      type: dict
superseded:
  description: Origins of the same name that stay beside RV(vpc_origin), each with the distributions that still use it.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its identifier.
      type: str
    distributions:
      description: Identifiers of the distributions that use it. With none, O(purge_superseded=true) deletes it.
      type: list
      elements: str
"""

from typing import Any

from ansible.module_utils.aws_outcome import finish, looking_again, patient
from ansible.module_utils.cloudfront_vpc_origins import CONFLICTS, ensure_absent, ensure_present
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "arn": {"type": "str"},
    "http_port": {"type": "int", "default": 80},
    "https_port": {"type": "int", "default": 443},
    "origin_protocol_policy": {"type": "str", "choices": ["http-only", "https-only", "match-viewer"]},
    "origin_ssl_protocols": {"type": "list", "elements": "str", "choices": ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"]},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
    "lookup_tags": {"type": "list", "elements": "str", "default": []},
    "purge_superseded": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 1200},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_if=[("state", "present", ["arn", "origin_protocol_policy"])],
    )
    # An origin is "in use" for some seconds after the distribution that used it was deployed without it.
    client = module.client("cloudfront", retry_decorator=patient("CannotDeleteEntityWhileInUse"))
    ensure = ensure_present if module.params["state"] == "present" else ensure_absent
    check = module.check_mode
    finish(module, lambda: looking_again(lambda: ensure(client, module.params, check), CONFLICTS, acting=not check))


if __name__ == "__main__":
    main()
