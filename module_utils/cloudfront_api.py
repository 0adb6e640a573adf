"""Small calls to CloudFront that several modules share. ``client`` is AnsibleAWSModule's retrying client.

Calls raise botocore's exceptions; wrap them in ``aws_outcome.doing``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
    compare_aws_tags,
)

Tags = dict[str, str]


def listed(operation: Callable[..., Any], list_member: str, **parameters: Any) -> Iterator[Any]:
    """All items of a CloudFront list call, page after page (half of them have no paginator in botocore)."""
    marker: dict[str, str] = {}
    while True:
        page = operation(aws_retry=True, **parameters, **marker)[list_member]
        yield from page.get("Items") or []
        if not page.get("NextMarker"):
            return
        marker = {"Marker": page["NextMarker"]}


def tags_of(client: Any, arn: str) -> Tags:
    """The tags of a distribution, a VPC origin or a function."""
    answer = client.list_tags_for_resource(Resource=arn, aws_retry=True)
    return dict(boto3_tag_list_to_ansible_dict(answer["Tags"].get("Items") or []))


def tag_items(tags: Mapping[str, str] | None) -> dict[str, list[dict[str, str]]]:
    """CloudFront's ``Tags`` structure, for the call that creates."""
    return {"Items": ansible_dict_to_boto3_tag_list(dict(sorted((tags or {}).items())))}


def wanted_tags(current: Tags, asked: Mapping[str, Any] | None, purge: bool) -> Tags:
    """What the tags become: ``asked`` None changes none, ``purge`` drops the others but AWS's own."""
    if asked is None:
        return current
    kept = {key: value for key, value in current.items() if not purge or key.startswith("aws:")}
    return kept | {key: str(value) for key, value in asked.items()}


def set_tags(client: Any, arn: str, current: Tags, wanted: Tags) -> None:
    """Make the tags of a resource those of ``wanted``, with at most two calls."""
    to_set, to_unset = compare_aws_tags(current, wanted, purge_tags=True)
    if to_unset:
        client.untag_resource(Resource=arn, TagKeys={"Items": sorted(to_unset)}, aws_retry=True)
    if to_set:
        client.tag_resource(Resource=arn, Tags=tag_items(to_set), aws_retry=True)


def carries(tags: Mapping[str, str], required: Mapping[str, str]) -> bool:
    """Whether a resource's tags include all the required ones."""
    return all(tags.get(key) == value for key, value in required.items())


def identifying(tags: Mapping[str, Any] | None, keys: Sequence[str]) -> Tags:
    """The tags by which a resource is found: the named keys of those that the task asks for.

    Raises KeyError with the first key that the task's tags lack.
    """
    return {key: str((tags or {})[key]) for key in keys}


def distributions_where(client: Any, uses: Callable[[Mapping[str, Any]], bool]) -> list[str]:
    """Identifiers of the distributions whose summary satisfies ``uses``."""
    return [item["Id"] for item in listed(client.list_distributions, "DistributionList") if uses(item)]


def origins_of(distribution: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The origins in a distribution's summary or configuration."""
    return list((distribution.get("Origins") or {}).get("Items") or [])


def behaviours_of(distribution: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The default behaviour and the others in a distribution's summary or configuration."""
    others = (distribution.get("CacheBehaviors") or {}).get("Items") or []
    return [distribution.get("DefaultCacheBehavior") or {}, *others]
