#!/usr/bin/python
"""Invalidate what CloudFront's edges have cached."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_cache_invalidation
short_description: Invalidate what CloudFront has cached
description:
  - Makes CloudFront fetch paths of a distribution anew at the next request.
  - Paths that a wildcard among them covers are left out, and more than CloudFront takes at once are sent in turns.
  - With no paths the task does nothing, so that it can follow a publication that changed nothing.
author: The Madang authors
options:
  distribution_id:
    description: The distribution.
    type: str
    required: true
  paths:
    description:
      - What to invalidate, each path beginning with a slash. V(*) at the end stands for everything that begins so.
      - Each counts towards the 1000 that are free in a month; a wildcard counts as one.
    type: list
    elements: str
    required: true
  caller_reference:
    description:
      - Makes the request unique, for example the name of a release. The task then does nothing if one of the 20 newest
        invalidations has this reference already, so that it can be run again after it was interrupted.
      - Unique for every run when not given.
    type: str
  wait:
    description: Whether to wait until all edges have forgotten the paths.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait in seconds, also for room when too many invalidations are in progress.
    type: int
    default: 900
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Have a new release's pages fetched anew
  cloudfront_cache_invalidation:
    distribution_id: EDFDVBD632BHDS5
    paths: [/, /index.html, /manifest.webmanifest]
    caller_reference: release-42

- name: Forget everything, and wait until that is done
  cloudfront_cache_invalidation:
    distribution_id: EDFDVBD632BHDS5
    paths: [/*]
    wait: true
"""

RETURN = r"""
invalidations:
  description: The invalidations, more than one if there were too many paths for one. Empty in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    id: {description: Its identifier., type: str, sample: I2J0I21PCUYOIK}
    status: {description: V(InProgress) or V(Completed)., type: str}
    paths: {description: The paths it has., type: list, elements: str}
paths:
  description: The paths as sent, encoded, without those that a wildcard covers.
  returned: always
  type: list
  elements: str
"""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from ansible.module_utils.aws_outcome import UNKNOWN, Outcome, doing, error_code, finish, patient, refusal
from ansible.module_utils.cloudfront_api import listed
from ansible.module_utils.cloudfront_waiters import wait_until
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ARGUMENTS: dict[str, Any] = {
    "distribution_id": {"type": "str", "required": True},
    "paths": {"type": "list", "elements": "str", "required": True},
    "caller_reference": {"type": "str"},
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 900},
}

REMEDIES = {
    "AccessDenied": "The credentials need cloudfront:CreateInvalidation, GetInvalidation, ListInvalidations and "
    "GetDistribution",
    "NoSuchDistribution": "Check distribution_id",
    "TooManyInvalidationsInProgress": "Others are at it too: raise wait_timeout, or use wider wildcards",
}

# CloudFront's quotas of paths in progress for a distribution.
MOST_PATHS = 3000
MOST_WILDCARDS = 15

# How many invalidations are searched for a caller reference.
NEWEST = 20

Batch = tuple[str, ...]


def encoded(path: str) -> str:
    """A path as CloudFront wants it; what is percent-encoded already stays so.

    Raises AnsibleAWSError for a path that would not do what it says.
    """
    if not path.startswith("/"):
        raise refusal(f"Path {path!r} does not begin with a slash: write {'/' + path!r}.")
    if "*" in path[:-1]:
        raise refusal(
            f"Path {path!r} has a * before its end, which stands for itself: end it there, or write paths out."
        )
    return quote(path, safe="/%*~!$&'()+,;=:@?-._")


def needed(paths: Sequence[str]) -> list[str]:
    """The paths encoded, sorted, without repetitions and without those that a wildcard among them covers."""
    wanted = sorted({encoded(path) for path in paths})
    prefixes = tuple(path[:-1] for path in wanted if path.endswith("*"))
    return [path for path in wanted if not any(path.startswith(prefix) and path != f"{prefix}*" for prefix in prefixes)]


def batches(paths: Sequence[str], most: int = MOST_PATHS, most_wildcards: int = MOST_WILDCARDS) -> list[Batch]:
    """The paths in as few requests as the quotas allow."""
    wild = [path for path in paths if path.endswith("*")]
    exact = [path for path in paths if not path.endswith("*")]
    result: list[Batch] = []
    while wild or exact:
        some, wild = wild[:most_wildcards], wild[most_wildcards:]
        room = most - len(some)
        more, exact = exact[:room], exact[room:]
        result.append((*some, *more))
    return result


def invalidations(client: Any, distribution: str) -> Iterator[Mapping[str, Any]]:
    """Summaries of a distribution's invalidations, the newest first."""
    return listed(client.list_invalidations, "InvalidationList", DistributionId=distribution)


def made_already(client: Any, distribution: str, named: Mapping[str, Batch]) -> dict[str, dict[str, Any]]:
    """Those of the newest invalidations that are the named batches, by caller reference.

    Raises AnsibleAWSError when a reference was used for other paths.
    """
    found = {}
    with doing(f"list the invalidations of distribution {distribution}", REMEDIES):
        for summary in islice(invalidations(client, distribution), NEWEST):
            answer = client.get_invalidation(DistributionId=distribution, Id=summary["Id"], aws_retry=True)
            batch = answer["Invalidation"]["InvalidationBatch"]
            reference = batch["CallerReference"]
            if reference not in named:
                continue
            if sorted(batch["Paths"].get("Items") or []) != sorted(named[reference]):
                raise refusal(
                    f"caller_reference {reference} was used for the other paths of invalidation {summary['Id']}: "
                    "give one that is new for these."
                )
            found[reference] = answer["Invalidation"]
    return found


def create(client: Any, distribution: str, batch: Batch, reference: str, timeout: int) -> dict[str, Any]:
    """Create an invalidation; while too many are in progress, wait for the oldest and try again."""
    deadline = time.monotonic() + timeout
    paths = {"Quantity": len(batch), "Items": list(batch)}
    while True:
        try:
            with doing(f"invalidate {len(batch)} paths of distribution {distribution}", REMEDIES):
                answer = client.create_invalidation(
                    DistributionId=distribution,
                    InvalidationBatch={"Paths": paths, "CallerReference": reference},
                    aws_retry=True,
                )
                return dict(answer["Invalidation"])
        except AnsibleAWSError as error:
            left = deadline - time.monotonic()
            if error_code(error) != "TooManyInvalidationsInProgress" or left <= 0:
                raise
        with doing("wait for an earlier invalidation", REMEDIES):
            running = [item["Id"] for item in invalidations(client, distribution) if item["Status"] == "InProgress"]
            if running:
                wait_until(client, "invalidation_completed", left, DistributionId=distribution, Id=running[-1])
            else:
                time.sleep(1)  # one completed in between


def described(invalidation: Mapping[str, Any]) -> dict[str, Any]:
    """What the module returns of an invalidation."""
    return {
        "id": invalidation["Id"],
        "status": invalidation["Status"],
        "paths": invalidation["InvalidationBatch"]["Paths"].get("Items") or [],
    }


def invalidate(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Look what was done before, and do the rest."""
    distribution, paths = asked["distribution_id"], needed(asked["paths"])
    if not paths:
        return Outcome(False, values={"invalidations": [], "paths": []})
    if check_mode and distribution == UNKNOWN:
        return Outcome(True, {}, {"Paths": paths}, {"invalidations": [], "paths": paths})
    with doing(f"read distribution {distribution}", REMEDIES):
        client.get_distribution(Id=distribution, aws_retry=True)
    parts = batches(paths)
    reference = asked["caller_reference"] or str(uuid.uuid4())
    named = {reference if len(parts) == 1 else f"{reference}-{n}": part for n, part in enumerate(parts, start=1)}
    found = made_already(client, distribution, named) if asked["caller_reference"] else {}
    left = {name: part for name, part in named.items() if name not in found}
    done = list(found.values())
    if not check_mode:
        done += [create(client, distribution, part, name, asked["wait_timeout"]) for name, part in left.items()]
        if asked["wait"]:
            done = [completed(client, distribution, item["Id"], asked["wait_timeout"]) for item in done]
    return Outcome(
        bool(left),
        before={},
        after={"Paths": [path for part in left.values() for path in part]} if left else {},
        values={"invalidations": [described(item) for item in done], "paths": paths},
    )


def completed(client: Any, distribution: str, identifier: str, timeout: int) -> dict[str, Any]:
    """Wait for an invalidation, and return it."""
    with doing(f"see invalidation {identifier} of distribution {distribution} completed", REMEDIES):
        wait_until(client, "invalidation_completed", timeout, DistributionId=distribution, Id=identifier)
        answer = client.get_invalidation(DistributionId=distribution, Id=identifier, aws_retry=True)
    return dict(answer["Invalidation"])


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    client = module.client("cloudfront", retry_decorator=patient())
    finish(module, lambda: invalidate(client, module.params, module.check_mode))


if __name__ == "__main__":
    main()
