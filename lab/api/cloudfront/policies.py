"""Cache, origin request and response headers policies: AWS's managed ones by their real ids, and the account's own."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from lab.api.cloudfront import config
from lab.api.cloudfront.calls import Base
from lab.api.cloudfront.errors import fail
from lab.api.cloudfront.store import LOCATION, Backend, Json, Versioned, check_match


@dataclass(frozen=True)
class Kind:
    """One of the three kinds: the names of its parts in requests and answers, and in a behaviour."""

    name: str
    path: str
    in_behaviour: str

    @property
    def missing(self) -> str:
        """The error for an id that is none."""
        return f"NoSuch{self.name}"


CACHE = Kind("CachePolicy", "cache-policy", "CachePolicyId")
ORIGIN_REQUEST = Kind("OriginRequestPolicy", "origin-request-policy", "OriginRequestPolicyId")
RESPONSE_HEADERS = Kind("ResponseHeadersPolicy", "response-headers-policy", "ResponseHeadersPolicyId")
KINDS = (CACHE, ORIGIN_REQUEST, RESPONSE_HEADERS)


def _some(part: str, behaviour: str, names: Sequence[str] = ()) -> Json:
    plural = {"Header": "Headers", "Cookie": "Cookies", "QueryString": "QueryStrings"}[part]
    answer: Json = {f"{part}Behavior": behaviour}
    if names:
        answer[plural] = {"Quantity": len(names), "Items": list(names)}
    return answer


def _cache(
    name: str, ttls: tuple[int, int, int], compressed: bool, headers: Sequence[str], cookies: str, queries: str
) -> Json:
    least, default, most = ttls
    return {
        "Name": f"Managed-{name}",
        "Comment": "",
        "MinTTL": least,
        "DefaultTTL": default,
        "MaxTTL": most,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": compressed,
            "EnableAcceptEncodingBrotli": compressed,
            "HeadersConfig": _some("Header", "whitelist" if headers else "none", headers),
            "CookiesConfig": _some("Cookie", cookies),
            "QueryStringsConfig": _some("QueryString", queries),
        },
    }


def _origin_request(name: str, headers: str, names: Sequence[str], others: str) -> Json:
    return {
        "Name": f"Managed-{name}",
        "Comment": "",
        "HeadersConfig": _some("Header", headers, names),
        "CookiesConfig": _some("Cookie", others),
        "QueryStringsConfig": _some("QueryString", others),
    }


_YEAR = 31536000
_SECURITY: Json = {
    "XSSProtection": {"Override": False, "Protection": True, "ModeBlock": True},
    "FrameOptions": {"Override": False, "FrameOption": "SAMEORIGIN"},
    "ReferrerPolicy": {"Override": False, "ReferrerPolicy": "strict-origin-when-cross-origin"},
    "ContentTypeOptions": {"Override": True},
    "StrictTransportSecurity": {"Override": False, "AccessControlMaxAgeSec": _YEAR},
}
_SIMPLE_CORS: Json = {
    "AccessControlAllowOrigins": {"Quantity": 1, "Items": ["*"]},
    "AccessControlAllowHeaders": {"Quantity": 1, "Items": ["*"]},
    "AccessControlAllowMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
    "AccessControlAllowCredentials": False,
    "OriginOverride": False,
}
_ORIGIN_HEADERS = ("Origin", "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "Host")

MANAGED: dict[Kind, dict[str, Json]] = {
    CACHE: {
        "658327ea-f89d-4fab-a63d-7e88639e58f6": _cache("CachingOptimized", (1, 86400, _YEAR), True, (), "none", "none"),
        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": _cache("CachingDisabled", (0, 0, 0), False, (), "none", "none"),
        "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": _cache(
            "CachingOptimizedForUncompressedObjects", (1, 86400, _YEAR), False, (), "none", "none"
        ),
        "83da9c7e-98b4-4e11-a168-04f0df8e2c65": _cache(
            "UseOriginCacheControlHeaders", (0, 0, _YEAR), True, _ORIGIN_HEADERS, "all", "none"
        ),
        "4cc15a8a-d715-48a4-82b8-cc0b614638fe": _cache(
            "UseOriginCacheControlHeaders-QueryStrings", (0, 0, _YEAR), True, _ORIGIN_HEADERS, "all", "all"
        ),
    },
    ORIGIN_REQUEST: {
        "216adef6-5c7f-47e4-b989-5492eafa07d3": _origin_request("AllViewer", "allViewer", (), "all"),
        "b689b0a8-53d0-40ab-baf2-68738e2966ac": _origin_request(
            "AllViewerExceptHostHeader", "allExcept", ("Host",), "all"
        ),
        "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": _origin_request(
            "CORS-S3Origin",
            "whitelist",
            ("Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"),
            "none",
        ),
        "59781a5b-3903-41f3-afcb-af62929ccde1": _origin_request("CORS-CustomOrigin", "whitelist", ("Origin",), "none"),
        "acba4595-bd28-49b8-b9fe-13317c0390fa": _origin_request(
            "UserAgentRefererHeaders", "whitelist", ("Referer", "User-Agent"), "none"
        ),
        "bf0718e1-ba1e-49d1-88b1-f726733018ae": _origin_request("HostHeaderOnly", "whitelist", ("Host",), "none"),
    },
    RESPONSE_HEADERS: {
        "67f7725c-6f97-4210-82d7-5512b31e9d03": {
            "Name": "Managed-SecurityHeadersPolicy",
            "Comment": "Adds a set of security headers to every response",
            "SecurityHeadersConfig": _SECURITY,
        },
        "60669652-455b-4ae9-85a4-c4c02393f86c": {
            "Name": "Managed-SimpleCORS",
            "Comment": "Allows all origins for simple CORS requests",
            "CorsConfig": _SIMPLE_CORS,
        },
    },
}
_WRITTEN = datetime.datetime(2021, 11, 2, tzinfo=datetime.UTC)


@dataclass
class Policy(Versioned):
    """A policy of the account's own."""

    config: Json | None = None


def _own(backend: Backend, kind: Kind) -> dict[str, Policy]:
    everything: dict[Kind, dict[str, Policy]] = backend.__dict__.setdefault("lab_policies", {})
    return everything.setdefault(kind, {})


def find(backend: Backend, kind: Kind, identifier: str) -> Json | None:
    """A policy's configuration by its id, managed or the account's own."""
    if identifier in MANAGED[kind]:
        return MANAGED[kind][identifier]
    policy = _own(backend, kind).get(identifier)
    return policy.config if policy else None


def check_known(backend: Backend, behaviour: Json) -> None:
    """Refuse a behaviour that names a policy that does not exist."""
    for kind in KINDS:
        identifier = behaviour.get(kind.in_behaviour)
        if identifier and find(backend, kind, identifier) is None:
            fail(kind.missing, f"The {kind.path.replace('-', ' ')} {identifier} does not exist.")


class PolicyCalls(Base):
    """The same six calls for each of the three kinds."""

    def _policy(self, kind: Kind) -> tuple[str, Json, str, datetime.datetime]:
        identifier = self._get_param("Id")
        if identifier in MANAGED[kind]:
            return identifier, MANAGED[kind][identifier], "EMANAGED00000", _WRITTEN
        policy = _own(self.backend, kind).get(identifier)
        if policy is None or policy.config is None:
            fail(kind.missing, f"The {kind.path.replace('-', ' ')} does not exist.")
        return identifier, policy.config, policy.etag, policy.modified

    def _get_policy(self, kind: Kind) -> ActionResult:
        identifier, wanted, etag, modified = self._policy(kind)
        return ActionResult({"ETag": etag, kind.name: _policy_answer(kind, identifier, wanted, modified)})

    def _get_policy_config(self, kind: Kind) -> ActionResult:
        _, wanted, etag, _ = self._policy(kind)
        return ActionResult({"ETag": etag, f"{kind.name}Config": wanted})

    def _list_policies(self, kind: Kind) -> ActionResult:
        wanted = self._get_param("Type")
        items: list[Json] = []
        if wanted != "custom":
            for identifier, known in MANAGED[kind].items():
                items.append({"Type": "managed", kind.name: _policy_answer(kind, identifier, known, _WRITTEN)})
        if wanted != "managed":
            for identifier, policy in _own(self.backend, kind).items():
                answer = _policy_answer(kind, identifier, policy.config or {}, policy.modified)
                items.append({"Type": "custom", kind.name: answer})
        page: Json = {"MaxItems": 100, "Quantity": len(items), "Items": items}
        return ActionResult({f"{kind.name}List": page})

    def _create_policy(self, kind: Kind) -> ActionResult:
        wanted = self._checked_policy(kind, None)
        policy = Policy(config=wanted)
        _own(self.backend, kind)[policy.id] = policy
        answer = {"ETag": policy.etag, "Location": f"{LOCATION}/{kind.path}/{policy.id}"}
        return ActionResult({**answer, kind.name: _policy_answer(kind, policy.id, wanted, policy.modified)})

    def _update_policy(self, kind: Kind) -> ActionResult:
        identifier = self._get_param("Id")
        self._refuse_managed(kind, identifier)
        policy = _own(self.backend, kind)[identifier]
        check_match(policy.etag, self._get_param("IfMatch"))
        policy.config = self._checked_policy(kind, identifier)
        policy.touch()
        answer = _policy_answer(kind, identifier, policy.config, policy.modified)
        return ActionResult({"ETag": policy.etag, kind.name: answer})

    def _delete_policy(self, kind: Kind) -> ActionResult:
        identifier = self._get_param("Id")
        self._refuse_managed(kind, identifier)
        check_match(_own(self.backend, kind)[identifier].etag, self._get_param("IfMatch"))
        for distribution in self.backend.lab_distributions.values():
            if any(item.get(kind.in_behaviour) == identifier for item in distribution.behaviours()):
                fail(f"{kind.name}InUse", f"The policy is attached to the distribution {distribution.id}.")
        del _own(self.backend, kind)[identifier]
        return EmptyResult()

    def _refuse_managed(self, kind: Kind, identifier: str) -> None:
        if identifier in MANAGED[kind]:
            fail("AccessDenied", "A managed policy cannot be changed.")
        self._policy(kind)

    def _checked_policy(self, kind: Kind, own: str | None) -> Json:
        wanted: Any = self._get_param(f"{kind.name}Config")
        config.check_quantities(wanted)
        for identifier, policy in _own(self.backend, kind).items():
            if identifier != own and (policy.config or {})["Name"] == wanted["Name"]:
                fail(f"{kind.name}AlreadyExists", f"A policy named {wanted['Name']} exists already.")
        return {"Comment": "", **wanted}


def _policy_answer(kind: Kind, identifier: str, wanted: Json, modified: datetime.datetime) -> Json:
    return {"Id": identifier, "LastModifiedTime": modified, f"{kind.name}Config": wanted}


def _method(act: str, kind: Kind) -> Any:
    return lambda self: getattr(self, act)(kind)


for _kind in KINDS:
    _snake = _kind.path.replace("-", "_")
    for _method_name, _act in (
        (f"get_{_snake}", "_get_policy"),
        (f"get_{_snake}_config", "_get_policy_config"),
        (f"list_{_snake.removesuffix('y')}ies", "_list_policies"),
        (f"create_{_snake}", "_create_policy"),
        (f"update_{_snake}", "_update_policy"),
        (f"delete_{_snake}", "_delete_policy"),
    ):
        setattr(PolicyCalls, _method_name, _method(_act, _kind))
