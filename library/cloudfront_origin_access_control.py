#!/usr/bin/python
"""Manage CloudFront origin access controls."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_origin_access_control
short_description: Manage CloudFront origin access controls
description:
  - Creates, updates and deletes an origin access control (OAC), with which CloudFront signs its requests to an origin,
    so that for example an S3 bucket may stay private.
  - An origin access control is identified by its O(name), which is unique in an account. CloudFront gives it no tags.
author: The Madang authors
options:
  name:
    description: The name of the origin access control. At most 64 characters.
    type: str
    required: true
  description:
    description: What it is for. Left as it is when not given.
    type: str
  signing_behavior:
    description:
      - Which requests CloudFront signs.
      - V(always) is the one to choose. V(never) switches the control off for all its distributions.
        V(no-override) lets a viewer's own C(Authorization) header pass.
    type: str
    choices: [always, never, no-override]
    default: always
  signing_protocol:
    description: How CloudFront signs.
    type: str
    choices: [sigv4]
    default: sigv4
  origin_type:
    description: The kind of origin. V(s3) is a bucket's own endpoint, not its website endpoint.
    type: str
    choices: [s3, mediastore, mediapackagev2, lambda]
    default: s3
  state:
    description:
      - V(present) creates or updates the origin access control.
      - V(absent) deletes it, and fails while a distribution still refers to it.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let CloudFront sign its requests to a private bucket
  cloudfront_origin_access_control:
    name: shop-assets
    description: The frontend of the shop
  register: access

- name: Delete it, after the distribution that used it
  cloudfront_origin_access_control:
    name: shop-assets
    state: absent
"""

RETURN = r"""
origin_access_control:
  description:
    - The origin access control. Empty after V(absent).
    - In check mode the C(id) of one that would be created is V((known after creation\)).
  returned: always
  type: dict
  contains:
    id:
      description: Its identifier, for C(origin_access_control_id) of a distribution's origin.
      type: str
      sample: E327GJI25M56DG
    name:
      description: Its name.
      type: str
      sample: shop-assets
    description:
      description: What it is for.
      type: str
    signing_protocol:
      description: How CloudFront signs.
      type: str
      sample: sigv4
    signing_behavior:
      description: Which requests CloudFront signs.
      type: str
      sample: always
    origin_access_control_origin_type:
      description: The kind of origin.
      type: str
      sample: s3
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.aws_outcome import STALE, UNKNOWN, Outcome, doing, finish, looking_again, patient, refusal
from ansible.module_utils.cloudfront_api import distributions_where, listed, origins_of
from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "signing_behavior": {"type": "str", "choices": ["always", "never", "no-override"], "default": "always"},
    "signing_protocol": {"type": "str", "choices": ["sigv4"], "default": "sigv4"},
    "origin_type": {"type": "str", "choices": ["s3", "mediastore", "mediapackagev2", "lambda"], "default": "s3"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

REMEDIES = {
    "TooManyOriginAccessControls": "Delete one that nothing uses, or ask AWS for a higher quota",
    "OriginAccessControlInUse": "Take it out of every distribution's origins first, and wait until they are deployed",
    "AccessDenied": "The credentials need cloudfront:*OriginAccessControl* and cloudfront:ListDistributions",
}

CONFLICTS = (*STALE, "OriginAccessControlAlreadyExists", "NoSuchOriginAccessControl")


def wanted_config(asked: Mapping[str, Any], current: Mapping[str, Any] | None) -> dict[str, str]:
    """The OriginAccessControlConfig that the options ask for, given the present one if any."""
    description = asked["description"]
    return {
        "Name": asked["name"],
        "Description": (current or {}).get("Description", "") if description is None else description,
        "SigningProtocol": asked["signing_protocol"],
        "SigningBehavior": asked["signing_behavior"],
        "OriginAccessControlOriginType": asked["origin_type"],
    }


def config_of(summary: Mapping[str, Any]) -> dict[str, str]:
    """The configuration in an origin access control's summary."""
    keys = ("Name", "Description", "SigningProtocol", "SigningBehavior", "OriginAccessControlOriginType")
    return {key: summary.get(key) or "" for key in keys}


def find(client: Any, name: str) -> dict[str, Any] | None:
    """The summary of the control of that name."""
    with doing("list the origin access controls", REMEDIES):
        controls = listed(client.list_origin_access_controls, "OriginAccessControlList")
        return next((control for control in controls if control["Name"] == name), None)


def create(client: Any, config: dict[str, str]) -> str:
    """Create a control and return its identifier."""
    with doing(f"create origin access control {config['Name']}", REMEDIES):
        answer = client.create_origin_access_control(OriginAccessControlConfig=config, aws_retry=True)
        return str(answer["OriginAccessControl"]["Id"])


def update(client: Any, identifier: str, config: dict[str, str]) -> None:
    """Replace a control's configuration."""
    with doing(f"update origin access control {config['Name']}", REMEDIES):
        etag = client.get_origin_access_control(Id=identifier, aws_retry=True)["ETag"]
        client.update_origin_access_control(
            Id=identifier, IfMatch=etag, OriginAccessControlConfig=config, aws_retry=True
        )


def delete(client: Any, identifier: str, name: str) -> None:
    """Delete a control."""
    with doing(f"delete origin access control {name}", REMEDIES):
        etag = client.get_origin_access_control(Id=identifier, aws_retry=True)["ETag"]
        client.delete_origin_access_control(Id=identifier, IfMatch=etag, aws_retry=True)


def users_of(client: Any, identifier: str) -> list[str]:
    """The distributions that refer to a control."""
    with doing("list the distributions", REMEDIES):
        return distributions_where(
            client, lambda item: any(o.get("OriginAccessControlId") == identifier for o in origins_of(item))
        )


def described(identifier: str, config: Mapping[str, str]) -> dict[str, Any]:
    """What the module returns of a control."""
    return {"origin_access_control": camel_dict_to_snake_dict({"Id": identifier, **config})}


def ensure_present(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Create or update."""
    found = find(client, asked["name"])
    before = config_of(found) if found else {}
    after = wanted_config(asked, before)
    identifier = found["Id"] if found else UNKNOWN
    if before != after and not check_mode:
        if found:
            update(client, identifier, after)
        else:
            identifier = create(client, after)
    return Outcome(before != after, before, after, described(identifier, after))


def ensure_absent(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Delete, unless a distribution still needs it."""
    found = find(client, asked["name"])
    if not found:
        return Outcome(False, values={"origin_access_control": {}})
    users = users_of(client, found["Id"])
    if users:
        raise refusal(
            f"Origin access control {asked['name']} is used by distribution {', '.join(users)}: "
            "change or delete that first, wait until it is deployed, and run this again."
        )
    if not check_mode:
        delete(client, found["Id"], asked["name"])
    return Outcome(True, config_of(found), {}, {"origin_access_control": {}})


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    client = module.client("cloudfront", retry_decorator=patient())
    ensure = ensure_present if module.params["state"] == "present" else ensure_absent
    check = module.check_mode
    finish(module, lambda: looking_again(lambda: ensure(client, module.params, check), CONFLICTS, acting=not check))


if __name__ == "__main__":
    main()
