"""CloudFront's managed policies by name; their identifiers are the same in every account."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.aws_outcome import doing, refusal
from ansible.module_utils.cloudfront_api import listed

MANAGED: dict[str, dict[str, str]] = {
    "cache_policy": {
        "Amplify": "2e54312d-136d-493c-8eb9-b001f22f67d2",
        "CachingDisabled": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        "CachingOptimized": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "CachingOptimizedForUncompressedObjects": "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
        "Elemental-MediaPackage": "08627262-05a9-4f76-9ded-b50ca2e3a84f",
        "UseOriginCacheControlHeaders": "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
        "UseOriginCacheControlHeaders-QueryStrings": "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
    },
    "origin_request_policy": {
        "AllViewer": "216adef6-5c7f-47e4-b989-5492eafa07d3",
        "AllViewerAndCloudFrontHeaders-2022-06": "33f36d7e-f396-46d9-90e0-52428a34d9dc",
        "AllViewerExceptHostHeader": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
        "CORS-CustomOrigin": "59781a5b-3903-41f3-afcb-af62929ccde1",
        "CORS-S3Origin": "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
        "Elemental-MediaTailor-PersonalizedManifests": "775133bc-15f2-49f9-abea-afb2e0bf67d2",
        "HostHeaderOnly": "bf0718e1-ba1e-49d1-88b1-f726733018ae",
        "UserAgentRefererHeaders": "acba4595-bd28-49b8-b9fe-13317c0390fa",
    },
    "response_headers_policy": {
        "CORS-and-SecurityHeadersPolicy": "e61eb60c-9c35-4d20-a928-2b84e02af89c",
        "CORS-With-Preflight": "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
        "CORS-with-preflight-and-SecurityHeadersPolicy": "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
        "SecurityHeadersPolicy": "67f7725c-6f97-4210-82d7-5512b31e9d03",
        "SimpleCORS": "60669652-455b-4ae9-85a4-c4c02393f86c",
    },
}

# For each kind: the list call, the member of its answer, and the members of an item on the way to the policy's name.
LISTS = {
    "cache_policy": ("list_cache_policies", "CachePolicyList", "CachePolicy", "CachePolicyConfig"),
    "origin_request_policy": (
        "list_origin_request_policies",
        "OriginRequestPolicyList",
        "OriginRequestPolicy",
        "OriginRequestPolicyConfig",
    ),
    "response_headers_policy": (
        "list_response_headers_policies",
        "ResponseHeadersPolicyList",
        "ResponseHeadersPolicy",
        "ResponseHeadersPolicyConfig",
    ),
}

IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# A function from a kind of policy and a name or an identifier to the identifier.
Resolver = Callable[[str, str], str]


def custom_policies(client: Any, kind: str) -> dict[str, str]:
    """The account's own policies of a kind: names and identifiers."""
    operation, member, policy, config = LISTS[kind]
    with doing(f"list the {kind.replace('_', ' ')} names", {"AccessDenied": f"The credentials need {operation}"}):
        items = listed(getattr(client, operation), member, Type="custom")
        return {item[policy][config]["Name"]: item[policy]["Id"] for item in items}


def resolver(own: Callable[[str], Mapping[str, str]]) -> Resolver:
    """Resolve managed names from the table, and ask ``own(kind)`` only for others.

    The resolver raises AnsibleAWSError, naming the managed policies of the kind, for a name that nobody has.
    """

    def resolve(kind: str, name: str) -> str:
        if not name or IDENTIFIER.fullmatch(name):
            return name
        managed = MANAGED[kind]
        bare = name.removeprefix("Managed-")
        if bare in managed:
            return managed[bare]
        policies = own(kind)
        if name not in policies:
            raise refusal(
                f"{kind} {name} is neither one of this account's nor a managed one. Managed are {', '.join(managed)}."
            )
        return policies[name]

    return resolve
