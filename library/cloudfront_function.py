#!/usr/bin/python
"""Manage CloudFront Functions."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_function
short_description: Manage and publish CloudFront Functions
description:
  - Creates, updates, publishes and deletes a CloudFront Function.
  - A function has two stages. What a task changes goes to C(DEVELOPMENT); publishing copies that to C(LIVE), which is
    what distributions run. This module compares both with what the task asks for.
  - It associates the function with nothing; that is a matter of a distribution's cache behaviours.
author: The Madang authors
options:
  name:
    description: The name of the function, unique in an account.
    type: str
    required: true
  code:
    description: The function's source, at most 10240 bytes. Required with O(state=present).
    type: str
  comment:
    description: What the function does.
    type: str
    default: ""
  runtime:
    description: The version of the runtime.
    type: str
    choices: [cloudfront-js-1.0, cloudfront-js-2.0]
    default: cloudfront-js-2.0
  key_value_store_arns:
    description: ARNs of the key value stores that the function reads. Left as they are when not given.
    type: list
    elements: str
  publish:
    description: Whether the function is published, so that C(LIVE) is what the task asks for too.
    type: bool
    default: true
  tags:
    description: Tags, set in the call that creates. Left as they are when not given.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether tags that O(tags) does not have are removed.
    type: bool
    default: true
  state:
    description:
      - V(present) creates, updates and publishes.
      - V(absent) deletes both stages, and fails while a distribution uses the function.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Answer the paths of a single-page application with its page
  cloudfront_function:
    name: shop-pages
    comment: Paths whose last segment has no dot are pages
    code: |
      function handler(event) {
        const request = event.request;
        if (!request.uri.split('/').pop().includes('.')) request.uri = '/index.html';
        return request;
      }
    tags:
      Project: shop
  register: pages

- name: Delete it, after the distribution that used it
  cloudfront_function:
    name: shop-pages
    state: absent
"""

RETURN = r"""
function:
  description:
    - The function. Empty after V(absent).
    - In check mode the C(arn) of one that would be created is V((known after creation\)).
  returned: always
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop-pages
    arn:
      description: Its ARN, for C(function_arn) of a behaviour's function association.
      type: str
      sample: arn:aws:cloudfront::123456789012:function/shop-pages
    function_config:
      description: Comment, runtime and key value stores.
      type: dict
    published:
      description: Whether what distributions run is what the task asked for.
      type: bool
    tags:
      description: Its tags.
      type: dict
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.aws_outcome import STALE, UNKNOWN, Outcome, doing, finish, looking_again, patient, refusal
from ansible.module_utils.aws_shapes import item_list, overlay, plain, sendable
from ansible.module_utils.cloudfront_api import (
    behaviours_of,
    distributions_where,
    set_tags,
    tag_items,
    tags_of,
    wanted_tags,
)
from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "code": {"type": "str"},
    "comment": {"type": "str", "default": ""},
    "runtime": {"type": "str", "choices": ["cloudfront-js-1.0", "cloudfront-js-2.0"], "default": "cloudfront-js-2.0"},
    "key_value_store_arns": {"type": "list", "elements": "str", "no_log": False},
    "publish": {"type": "bool", "default": True},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

MAX_BYTES = 10240

REMEDIES = {
    "AccessDenied": "The credentials need cloudfront:*Function*, cloudfront:*Tag* and cloudfront:ListDistributions",
    "FunctionInUse": "Take it out of every distribution's behaviours first, and wait until they are deployed",
    "InvalidArgument": "Check the code: CloudFront compiles it, and says above what it does not understand",
    "TooManyFunctions": "Delete functions that nothing uses, or ask AWS for a higher quota",
    "PreconditionFailed": "Someone else changed the function at the same time; run the task again",
}

CONFLICTS = (*STALE, "FunctionAlreadyExists", "NoSuchFunctionExists")


@dataclass(frozen=True)
class Stage:
    """A function at one stage. ``config`` is its FunctionConfig in plain form."""

    config: dict[str, Any]
    code: str
    arn: str = UNKNOWN

    def shown(self) -> dict[str, Any]:
        """As in a diff."""
        return {"FunctionConfig": self.config, "FunctionCode": self.code}

    def same_as(self, other: Stage | None) -> bool:
        """Whether another stage runs the same."""
        return other is not None and (self.config, self.code) == (other.config, other.code)


def wanted_stage(asked: Mapping[str, Any], current: Stage | None) -> Stage:
    """What the options ask for, over what there is."""
    config: dict[str, Any] = {"Comment": asked["comment"], "Runtime": asked["runtime"]}
    if asked["key_value_store_arns"] is not None:
        stores = [{"KeyValueStoreARN": arn} for arn in sorted(asked["key_value_store_arns"])]
        config["KeyValueStoreAssociations"] = item_list(stores)
    merged = without_no_stores(overlay(current.config if current else {}, config))
    return Stage(merged, asked["code"], current.arn if current else UNKNOWN)


def without_no_stores(config: dict[str, Any]) -> dict[str, Any]:
    """A FunctionConfig in which no key value stores are left out, as AWS does sometimes."""
    return {key: value for key, value in config.items() if value != item_list([])}


def decide(development: Stage | None, live: Stage | None, wanted: Stage, publish: bool) -> list[str]:
    """The calls that are needed, in order: of ``create``, ``update`` and ``publish``."""
    steps = []
    if development is None:
        steps.append("create")
    elif not wanted.same_as(development):
        steps.append("update")
    if publish and not wanted.same_as(live):
        steps.append("publish")
    return steps


def read(client: Any, name: str, stage: str) -> Stage | None:
    """The function at a stage, None if it is not there."""
    with doing(f"read function {name} at {stage}", REMEDIES):
        try:
            summary = client.describe_function(Name=name, Stage=stage, aws_retry=True)["FunctionSummary"]
            code = client.get_function(Name=name, Stage=stage, aws_retry=True)["FunctionCode"]
        except is_boto3_error_code("NoSuchFunctionExists"):
            return None
        text = code.read() if hasattr(code, "read") else code
    config = without_no_stores(plain(summary["FunctionConfig"]))
    return Stage(config, text.decode(), summary["FunctionMetadata"]["FunctionARN"])


def create(client: Any, name: str, wanted: Stage, tags: Mapping[str, str]) -> str:
    """Create the function at DEVELOPMENT, tagged at once, and return its ARN."""
    with doing(f"create function {name}", REMEDIES):
        answer = client.create_function(
            Name=name,
            FunctionConfig=sendable(wanted.config),
            FunctionCode=wanted.code.encode(),
            Tags=tag_items(tags),
            aws_retry=True,
        )
        return str(answer["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])


def etag_of(client: Any, name: str) -> str:
    """The ETag of DEVELOPMENT, which every change must name."""
    return str(client.describe_function(Name=name, Stage="DEVELOPMENT", aws_retry=True)["ETag"])


def update(client: Any, name: str, wanted: Stage) -> None:
    """Replace DEVELOPMENT."""
    with doing(f"update function {name}", REMEDIES):
        client.update_function(
            Name=name,
            IfMatch=etag_of(client, name),
            FunctionConfig=sendable(wanted.config),
            FunctionCode=wanted.code.encode(),
            aws_retry=True,
        )


def publish(client: Any, name: str) -> None:
    """Copy DEVELOPMENT to LIVE."""
    with doing(f"publish function {name}", REMEDIES):
        client.publish_function(Name=name, IfMatch=etag_of(client, name), aws_retry=True)


def shown(development: Stage | None, live: Stage | None, tags: Mapping[str, str]) -> dict[str, Any]:
    """The function as in a diff."""
    stages = {"DEVELOPMENT": development, "LIVE": live}
    there = {name: stage.shown() for name, stage in stages.items() if stage}
    return {**there, "Tags": tags} if there else {}


def ensure_present(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Create, update and publish as needed."""
    name, size = asked["name"], len(asked["code"].encode())
    if size > MAX_BYTES:
        raise refusal(f"code is {size} bytes long, and CloudFront takes {MAX_BYTES}: shorten or minify it.")
    development, live = read(client, name, "DEVELOPMENT"), read(client, name, "LIVE")
    wanted = wanted_stage(asked, development)
    steps = decide(development, live, wanted, asked["publish"])
    with doing(f"read the tags of function {name}", REMEDIES):
        old_tags = tags_of(client, development.arn) if development else {}
    new_tags = wanted_tags(old_tags, asked["tags"], asked["purge_tags"])
    arn = wanted.arn
    if not check_mode:
        if "create" in steps:
            arn = create(client, name, wanted, new_tags)
        elif new_tags != old_tags:
            with doing(f"tag function {name}", REMEDIES):
                set_tags(client, arn, old_tags, new_tags)
        if "update" in steps:
            update(client, name, wanted)
        if "publish" in steps:
            publish(client, name)
    after_live = wanted if asked["publish"] else live
    return Outcome(
        bool(steps) or new_tags != old_tags,
        before=shown(development, live, old_tags),
        after=shown(wanted, after_live, new_tags),
        values={
            "function": {
                "name": name,
                "arn": arn,
                "function_config": camel_dict_to_snake_dict(wanted.config),
                "published": wanted.same_as(after_live),
                "tags": new_tags,
            }
        },
    )


def ensure_absent(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Delete, unless a distribution needs it."""
    name = asked["name"]
    development, live = read(client, name, "DEVELOPMENT"), read(client, name, "LIVE")
    if development is None:
        return Outcome(False, values={"function": {}})
    with doing("list the distributions", REMEDIES):
        users = distributions_where(client, lambda item: development.arn in functions_of(item))
        tags = tags_of(client, development.arn)
    if users:
        raise refusal(
            f"Function {name} is used by distribution {', '.join(users)}: take it out of their function_associations "
            "or delete them first, wait until they are deployed, and run this again."
        )
    if not check_mode:
        with doing(f"delete function {name}", REMEDIES):
            client.delete_function(Name=name, IfMatch=etag_of(client, name), aws_retry=True)
    return Outcome(True, shown(development, live, tags), {}, {"function": {}})


def functions_of(distribution: Mapping[str, Any]) -> set[str]:
    """ARNs of the functions that a distribution's behaviours run."""
    associations = [behaviour.get("FunctionAssociations") or {} for behaviour in behaviours_of(distribution)]
    return {item["FunctionARN"] for entry in associations for item in entry.get("Items") or []}


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS, supports_check_mode=True, required_if=[("state", "present", ["code"])]
    )
    client = module.client("cloudfront", retry_decorator=patient())
    ensure = ensure_present if module.params["state"] == "present" else ensure_absent
    check = module.check_mode
    finish(module, lambda: looking_again(lambda: ensure(client, module.params, check), CONFLICTS, acting=not check))


if __name__ == "__main__":
    main()
