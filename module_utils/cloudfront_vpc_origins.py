"""VPC origins: which there are, which one a configuration wants, and what becomes of the others."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ansible.module_utils.aws_outcome import STALE, UNKNOWN, Outcome, doing, refusal
from ansible.module_utils.aws_shapes import item_list, overlay, plain, sendable
from ansible.module_utils.cloudfront_api import carries, identifying, listed, set_tags, tag_items, tags_of, wanted_tags
from ansible.module_utils.cloudfront_waiters import wait_until
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.amazon.aws.plugins.module_utils.transformation import boto3_resource_to_ansible_dict

REMEDIES = {
    "AccessDenied": "The credentials need cloudfront:*VpcOrigin*, cloudfront:ListDistributionsByVpcOriginId, "
    "cloudfront:*Tag* and, for a VPC's first origin, iam:CreateServiceLinkedRole",
    "EntityLimitExceeded": "Delete VPC origins that nothing uses, or ask AWS for a higher quota",
    "CannotDeleteEntityWhileInUse": "Repoint the distributions that use it, and wait until they are deployed",
    "InvalidArgument": "The ARN must be that of a running instance or an active load balancer in a private subnet of a "
    "VPC that has an internet gateway",
}

# Someone else, or an earlier try of our own, was faster. An origin that came into use is replaced instead of updated.
CONFLICTS = (*STALE, "EntityAlreadyExists", "EntityNotFound", "NoSuchResource", "CannotUpdateEntityWhileInUse")


@dataclass(frozen=True)
class VpcOrigin:
    """One that exists. ``config`` is its VpcOriginEndpointConfig in plain form, ``users`` are distributions."""

    id: str
    arn: str
    status: str
    config: dict[str, Any]
    tags: dict[str, str]
    users: tuple[str, ...] = ()

    @property
    def leaving(self) -> bool:
        """Whether it is being deleted already."""
        return self.status.startswith("Delet")

    def shown(self) -> dict[str, Any]:
        """As in a diff."""
        return {"VpcOriginEndpointConfig": self.config, "Tags": self.tags}


@dataclass(frozen=True)
class Decision:
    """What to do to have the wanted configuration: ``origin`` is the one to keep or update, None to create."""

    action: Literal["keep", "update", "create"]
    origin: VpcOrigin | None
    config: dict[str, Any]
    superseded: tuple[VpcOrigin, ...]


def wanted_config(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The VpcOriginEndpointConfig that the options ask for, plain, with no name yet."""
    config = {
        "Arn": asked["arn"],
        "HTTPPort": asked["http_port"],
        "HTTPSPort": asked["https_port"],
        "OriginProtocolPolicy": asked["origin_protocol_policy"],
    }
    if asked["origin_ssl_protocols"] is not None:
        config["OriginSslProtocols"] = item_list(sorted(asked["origin_ssl_protocols"]))
    return config


def successor_name(name: str, config: Mapping[str, Any]) -> str:
    """The name of an origin that replaces another: the same for the same configuration."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
    return f"{name}-{digest[:8]}"


def in_family(name: str, candidate: str) -> bool:
    """Whether an origin's name is ``name`` or that of a successor."""
    return re.fullmatch(re.escape(name) + r"(-[0-9a-f]{8})?", candidate) is not None


def decide(found: Sequence[VpcOrigin], name: str, wanted: Mapping[str, Any]) -> Decision:
    """Keep an origin that is as wanted, update one that may be updated, or create one."""
    present = [origin for origin in found if not origin.leaving]
    # One that a distribution uses comes first: keeping it changes nothing for visitors.
    present.sort(key=lambda origin: (not origin.users, origin.config["Name"] != name, origin.id))
    for origin in present:
        if overlay(origin.config, wanted) == origin.config:
            return Decision("keep", origin, origin.config, tuple(o for o in present if o is not origin))
    for origin in present:
        if not origin.users and origin.config["Arn"] == wanted["Arn"]:
            config = overlay(origin.config, wanted)
            return Decision("update", origin, config, tuple(o for o in present if o is not origin))
    taken = {origin.config["Name"] for origin in found}
    new_name = name if name not in taken else successor_name(name, wanted)
    return Decision("create", None, {"Name": new_name, **wanted}, tuple(present))


def read(client: Any, identifier: str) -> VpcOrigin:
    """One origin, with its tags and users."""
    answer = client.get_vpc_origin(Id=identifier, aws_retry=True)["VpcOrigin"]
    users = listed(client.list_distributions_by_vpc_origin_id, "DistributionIdList", VpcOriginId=identifier)
    return VpcOrigin(
        id=identifier,
        arn=answer["Arn"],
        status=answer["Status"],
        config=plain(answer["VpcOriginEndpointConfig"]),
        tags=tags_of(client, answer["Arn"]),
        users=tuple(users),
    )


def read_all(client: Any, name: str | None) -> list[VpcOrigin]:
    """The origins of a name and its successors, or all."""
    summaries = listed(client.list_vpc_origins, "VpcOriginList")
    return [read(client, item["Id"]) for item in summaries if name is None or in_family(name, item["Name"])]


def find(client: Any, asked: Mapping[str, Any]) -> list[VpcOrigin]:
    """The origins of a name and its successors; fails on one that carries other tags."""
    name = asked["name"]
    try:
        required = identifying(asked["tags"], asked["lookup_tags"])
    except KeyError as missing:
        raise refusal(f"lookup_tags names {missing}, which tags does not have: add it to tags.") from missing
    with doing(f"look for VPC origin {name}", REMEDIES):
        found = read_all(client, name)
    for origin in found:
        if not carries(origin.tags, required):
            raise refusal(
                f"VPC origin {origin.config['Name']} ({origin.id}) has the tags {origin.tags}, not {required}: "
                "it is not this one. Choose another name, or tag it if it is yours."
            )
    return found


def create(client: Any, config: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """Create an origin, tagged at once, and return its identifier."""
    with doing(f"create VPC origin {config['Name']}", REMEDIES):
        answer = client.create_vpc_origin(
            VpcOriginEndpointConfig=sendable(config), Tags=tag_items(tags), aws_retry=True
        )
        return str(answer["VpcOrigin"]["Id"])


def settle(client: Any, origin: VpcOrigin, timeout: int) -> str:
    """Wait until an origin is deployed, before which CloudFront changes and deletes none, and return its ETag."""
    if origin.status == "Deploying":
        wait_until(client, "vpc_origin_deployed", timeout, Id=origin.id)
    return str(client.get_vpc_origin(Id=origin.id, aws_retry=True)["ETag"])


def update(client: Any, origin: VpcOrigin, config: Mapping[str, Any], timeout: int) -> None:
    """Replace the configuration of an origin that no distribution uses."""
    with doing(f"update VPC origin {config['Name']} ({origin.id})", REMEDIES):
        etag = settle(client, origin, timeout)
        client.update_vpc_origin(Id=origin.id, IfMatch=etag, VpcOriginEndpointConfig=sendable(config), aws_retry=True)


def delete(client: Any, origin: VpcOrigin, timeout: int) -> None:
    """Begin the deletion of an origin."""
    with doing(f"delete VPC origin {origin.config['Name']} ({origin.id})", REMEDIES):
        etag = settle(client, origin, timeout)
        client.delete_vpc_origin(Id=origin.id, IfMatch=etag, aws_retry=True)


def wait(client: Any, waiter: str, identifier: str, asked: Mapping[str, Any]) -> None:
    """Wait for one origin, if the task asks to."""
    if asked["wait"]:
        with doing(f"wait for {waiter.replace('_', ' ')} ({identifier})", REMEDIES):
            wait_until(client, waiter, asked["wait_timeout"], Id=identifier)


def described(origin: VpcOrigin) -> dict[str, Any]:
    """What the module returns of an origin."""
    resource = {
        "Id": origin.id,
        "Arn": origin.arn,
        "Status": origin.status,
        "VpcOriginEndpointConfig": origin.config,
        "Tags": ansible_dict_to_boto3_tag_list(origin.tags),
    }
    return dict(boto3_resource_to_ansible_dict(resource))


def shown(origins: Sequence[VpcOrigin]) -> dict[str, Any]:
    """A family of origins as in a diff, by identifier."""
    return {origin.id: origin.shown() for origin in origins if not origin.leaving}


def ensure_present(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Have one origin as asked; delete those it superseded when asked and when free."""
    found = find(client, asked)
    decision = decide(found, asked["name"], wanted_config(asked))
    origin = decision.origin
    tags = wanted_tags(origin.tags if origin else {}, asked["tags"], asked["purge_tags"])
    free = [old for old in decision.superseded if not old.users] if asked["purge_superseded"] else []
    kept = [old for old in decision.superseded if old not in free]
    if check_mode:
        result = VpcOrigin(
            origin.id if origin else UNKNOWN,
            origin.arn if origin else UNKNOWN,
            origin.status if origin and decision.action == "keep" else "Deploying",
            decision.config,
            tags,
        )
    else:
        result = act(client, asked, decision, tags)
        for old in free:
            delete(client, old, asked["wait_timeout"])
        leaving = [old for old in found if old.leaving] if asked["purge_superseded"] else []
        for old in [*free, *leaving]:
            wait(client, "vpc_origin_deleted", old.id, asked)
    changed = decision.action != "keep" or bool(free) or (origin is not None and tags != origin.tags)
    return Outcome(
        changed,
        before=shown(found),
        after=shown([result, *kept]),
        values={
            "vpc_origin": described(result),
            "superseded": [{"id": old.id, "distributions": list(old.users)} for old in kept],
        },
    )


def act(client: Any, asked: Mapping[str, Any], decision: Decision, tags: Mapping[str, str]) -> VpcOrigin:
    """Carry out a decision about the wanted origin, and return it as it then is."""
    if decision.origin is None:
        identifier = create(client, decision.config, tags)
    else:
        identifier = decision.origin.id
        if decision.action == "update":
            update(client, decision.origin, decision.config, asked["wait_timeout"])
        with doing(f"tag VPC origin {decision.config['Name']} ({identifier})", REMEDIES):
            set_tags(client, decision.origin.arn, decision.origin.tags, dict(tags))
    wait(client, "vpc_origin_deployed", identifier, asked)
    with doing(f"read VPC origin {decision.config['Name']} ({identifier})", REMEDIES):
        return read(client, identifier)


def ensure_absent(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Delete an origin and all that it superseded."""
    found = find(client, asked)
    present = [origin for origin in found if not origin.leaving]
    for origin in present:
        if origin.users:
            raise refusal(
                f"VPC origin {origin.config['Name']} ({origin.id}) is used by distribution {', '.join(origin.users)}: "
                "change or delete that first, wait until it is deployed, and run this again."
            )
    if not check_mode:
        for origin in present:
            delete(client, origin, asked["wait_timeout"])
        for origin in found:
            wait(client, "vpc_origin_deleted", origin.id, asked)
    return Outcome(bool(present), shown(found), {}, {"vpc_origin": {}, "superseded": []})
