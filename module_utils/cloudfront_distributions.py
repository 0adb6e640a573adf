"""Distributions: found by their tags, replaced whole with the ETag they were read with, disabled before deleted."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.aws_outcome import (
    STALE,
    UNKNOWN,
    Outcome,
    doing,
    error_code,
    patient_with,
    refusal,
)
from ansible.module_utils.aws_shapes import overlay
from ansible.module_utils.cloudfront_api import carries, identifying, listed, set_tags, tag_items, tags_of, wanted_tags
from ansible.module_utils.cloudfront_distribution_config import (
    Config,
    normalised,
    problem,
    significant,
    wanted_config,
    wire,
)
from ansible.module_utils.cloudfront_policies import custom_policies, resolver
from ansible.module_utils.cloudfront_waiters import wait_until
from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

REMEDIES = {
    "AccessDenied": "The credentials need cloudfront:*Distribution*, cloudfront:*Tag* and, for VPC origins, "
    "cloudfront:GetVpcOrigin",
    "CNAMEAlreadyExists": "Another distribution has one of the aliases: take it out there first",
    "EntityNotFound": "A VPC origin is not there: create it first, and wait until it is deployed",
    "InvalidViewerCertificate": "The certificate must be issued, in us-east-1, and name every alias",
    "NoSuchOrigin": "Every target_origin_id must be the id of an origin",
    "TooManyDistributions": "Delete a distribution, or ask AWS for a higher quota",
}

# What a distribution refers to may have been made a moment ago.
NOT_YET_SEEN = ("InvalidOriginAccessControl", "InvalidFunctionAssociation", "NoSuchFunctionExists", "EntityNotFound")

# Someone else, or an earlier try of our own, was faster.
CONFLICTS = (*STALE, "NoSuchDistribution", "NoSuchResource", "DistributionNotDisabled")
TRIES = 5


@dataclass(frozen=True)
class Distribution:
    """One that exists. ``config`` is its DistributionConfig, normalised."""

    id: str
    arn: str
    domain_name: str
    status: str
    etag: str
    config: Config
    tags: dict[str, str]

    def shown(self) -> dict[str, Any]:
        """As in a diff."""
        return shown(self.config, self.tags)


def shown(config: Config, tags: Mapping[str, str]) -> dict[str, Any]:
    """A configuration and its tags as in a diff."""
    return {"DistributionConfig": {**significant(config), "Enabled": config["Enabled"]}, "Tags": tags}


def read(client: Any, identifier: str) -> Distribution:
    """A distribution by its identifier."""
    answer = client.get_distribution(Id=identifier, aws_retry=True)
    distribution = answer["Distribution"]
    return Distribution(
        id=identifier,
        arn=distribution["ARN"],
        domain_name=distribution["DomainName"],
        status=distribution["Status"],
        etag=answer["ETag"],
        config=normalised(distribution["DistributionConfig"]),
        tags=tags_of(client, distribution["ARN"]),
    )


def required_tags(asked: Mapping[str, Any]) -> dict[str, str]:
    """The tags that make a distribution the one that the task means."""
    try:
        return identifying(asked["tags"], asked["lookup_tags"])
    except KeyError as missing:
        raise refusal(
            f"tags has no {missing}, by which the distribution is found: add it to tags, give other lookup_tags, "
            "or give the distribution's id."
        ) from missing


def find(client: Any, asked: Mapping[str, Any]) -> Distribution | None:
    """The distribution that the task means, by its identifier or else by its tags."""
    if asked["id"]:
        with doing(f"read distribution {asked['id']}", REMEDIES):
            return read(client, asked["id"])
    required = required_tags(asked)
    with doing("look for the distribution", REMEDIES):
        found = with_tags(client, required)
    if len(found) > 1:
        raise refusal(
            f"Distributions {', '.join(item.id for item in found)} all have the tags {required}: give the id of the "
            "one you mean, or more lookup_tags."
        )
    return found[0] if found else None


def with_tags(client: Any, required: Mapping[str, str], identifier: str | None = None) -> list[Distribution]:
    """The distributions that carry the tags, only that of the identifier if one is given."""
    summaries = listed(client.list_distributions, "DistributionList")
    candidates = {item["Id"]: item["ARN"] for item in summaries if identifier in (None, item["Id"])}
    return [read(client, name) for name, arn in sorted(candidates.items()) if carries(tags_of(client, arn), required)]


def create(client: Any, config: Config, tags: Mapping[str, str], required: Mapping[str, str]) -> Distribution:
    """Create a distribution, tagged at once.

    A request whose answer was lost is recognised by the caller reference that it used; a reference that only a deleted
    distribution had is replaced by a fresh one.
    """

    def attempt(reference: str) -> str:
        body = {
            "DistributionConfig": wire({**config, "CallerReference": reference}),
            "Tags": tag_items(tags),
        }
        with doing("create the distribution", REMEDIES):
            call = patient_with(client.create_distribution_with_tags, *NOT_YET_SEEN)
            return str(call(DistributionConfigWithTags=body)["Distribution"]["Id"])

    reference = config["CallerReference"]
    try:
        identifier = attempt(reference)
    except AnsibleAWSError as error:
        if error_code(error) != "DistributionAlreadyExists":
            raise
        existing = re.search(r"\bE[0-9A-Z]{10,}\b", str(error))
        if not existing:
            identifier = attempt(f"{reference}-{time.time_ns()}")
        else:
            identifier = existing.group()
            with doing(f"read distribution {identifier}", REMEDIES):
                found = read(client, identifier)
            if not carries(found.tags, required):
                raise refusal(
                    f"Distribution {identifier} has the caller reference {reference} but not the tags {required}: "
                    "it is not this one. Give another caller_reference, or tag it if it is yours."
                ) from error
    with doing(f"read distribution {identifier}", REMEDIES):
        return read(client, identifier)


def differs(found: Distribution, wanted: Mapping[str, Any]) -> bool:
    """Whether a distribution is to be replaced to be as wanted."""
    return bool(significant(overlay(found.config, wanted)) != significant(found.config))


def replace(client: Any, found: Distribution, wanted: Mapping[str, Any]) -> Distribution:
    """Replace a distribution's configuration; read it again and merge anew if someone else changed it meanwhile."""
    for tries_left in reversed(range(TRIES)):
        try:
            with doing(f"update distribution {found.id}", REMEDIES):
                call = patient_with(client.update_distribution, *NOT_YET_SEEN)
                config = wire(overlay(found.config, wanted))
                answer = call(Id=found.id, IfMatch=found.etag, DistributionConfig=config)
                distribution = answer["Distribution"]
                return Distribution(
                    id=found.id,
                    arn=found.arn,
                    domain_name=found.domain_name,
                    status=distribution["Status"],
                    etag=answer["ETag"],
                    config=normalised(distribution["DistributionConfig"]),
                    tags=found.tags,
                )
        except AnsibleAWSError as error:
            if error_code(error) not in STALE or not tries_left:
                raise
            with doing(f"read distribution {found.id} again", REMEDIES):
                found = read(client, found.id)
            if not differs(found, wanted):  # it was our own try that was faster, and its answer that was lost
                return found
    raise AssertionError("unreachable: the last try returns or raises")


def wait_deployed(client: Any, identifier: str, asked: Mapping[str, Any]) -> None:
    """Wait until the edges serve a distribution's present configuration."""
    with doing(f"see distribution {identifier} deployed", REMEDIES):
        wait_until(client, "distribution_deployed", asked["wait_timeout"], Id=identifier)


def described(distribution: Distribution) -> dict[str, Any]:
    """What the module returns of a distribution."""
    return {
        "id": distribution.id,
        "arn": distribution.arn,
        "domain_name": distribution.domain_name,
        "status": distribution.status,
        "distribution_config": camel_dict_to_snake_dict(distribution.config),
        "tags": distribution.tags,
    }


def ensure_present(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Create or replace."""
    wrong = problem(asked)
    if wrong:
        raise refusal(wrong)
    found = find(client, asked)
    wanted = wanted_config(asked, resolver(lambda kind: custom_policies(client, kind)))
    before = found.config if found else {}
    config = overlay(before, wanted)
    tags = wanted_tags(found.tags if found else {}, asked["tags"], asked["purge_tags"])
    replaced = significant(before) != significant(config)
    changed = replaced or found is None or tags != found.tags
    if check_mode:
        status = found.status if found and not replaced else "InProgress"
        known = (found.id, found.arn, found.domain_name) if found else (UNKNOWN, UNKNOWN, UNKNOWN)
        result = Distribution(*known, status, "", config, tags)
    else:
        if found is None:
            required = required_tags(asked)
            reference = asked["caller_reference"] or "/".join(required.values())
            found_now = create(client, {**config, "CallerReference": reference}, tags, required)
        else:
            found_now = found
        # After a lost answer, what was created may be of an older configuration.
        if differs(found_now, wanted):
            found_now = replace(client, found_now, wanted)
        if tags != found_now.tags:
            with doing(f"tag distribution {found_now.id}", REMEDIES):
                set_tags(client, found_now.arn, found_now.tags, tags)
        if asked["wait"] and found_now.status != "Deployed":
            wait_deployed(client, found_now.id, asked)
        with doing(f"read distribution {found_now.id}", REMEDIES):
            result = read(client, found_now.id)
    return Outcome(
        changed,
        before=found.shown() if found else {},
        after=shown(config, tags),
        values={"distribution": described(result)},
    )


def ensure_absent(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Disable, wait, delete. Without ``wait``, do what can be done now, and say what is left."""
    try:
        found = find(client, asked)
    except AnsibleAWSError as error:
        if error_code(error) != "NoSuchDistribution":
            raise
        found = None
    if found is None:
        return Outcome(False, values={"distribution": {}})
    enabled = found.config["Enabled"]
    if check_mode:
        status = "Deployed" if asked["wait"] else "InProgress" if enabled else found.status
        current = dataclasses.replace(found, status=status, config={**found.config, "Enabled": False})
    else:
        if enabled:
            replace(client, found, {"Enabled": False})
        if asked["wait"]:
            wait_deployed(client, found.id, asked)
        with doing(f"read distribution {found.id}", REMEDIES):
            current = read(client, found.id)
    if current.status != "Deployed":
        left = f"Distribution {found.id} is being disabled; run the task again, or with wait, to delete it."
        values = {"distribution": described(current), "msg": left}
        return Outcome(enabled, found.shown(), current.shown(), values)
    if not check_mode:
        with doing(f"delete distribution {found.id}", REMEDIES):
            client.delete_distribution(Id=found.id, IfMatch=current.etag, aws_retry=True)
    return Outcome(True, found.shown(), {}, {"distribution": {}})
