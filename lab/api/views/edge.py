"""Distributions with everything that they refer to resolved, as lab.edge.model has them."""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from lab.api import cloudfront
from lab.api.cloudfront import policies
from lab.api.cloudfront.store import Backend, Json
from lab.api.world import world
from lab.edge import model

_BUCKET = re.compile(r"(?P<bucket>.+?)\.s3(?:[.-](?P<region>[a-z0-9-]+))?\.amazonaws\.com")
_Selection = Literal["none", "whitelist", "allExcept", "all"]


def distributions() -> tuple[model.Distribution, ...]:
    """Every distribution, the disabled ones too. Hold the lock."""
    backend = cloudfront.backend()
    return tuple(_distribution(backend, known) for known in backend.lab_distributions.values())


def pending_invalidations() -> tuple[model.Invalidation, ...]:
    """Invalidations that the edge has not done yet, oldest first. Hold the lock."""
    return tuple(
        model.Invalidation(item.id, item.distribution_id, tuple(item.batch["Paths"]["Items"]))
        for known in cloudfront.backend().lab_invalidations.values()
        for item in known.values()
        if item.unsettled
    )


def _items(value: Json | None) -> list[Any]:
    return (value or {}).get("Items") or []


def _distribution(backend: Backend, known: Any) -> model.Distribution:
    config = known.config
    behaviours = [*_items(config["CacheBehaviors"]), {**config["DefaultCacheBehavior"], "PathPattern": "*"}]
    return model.Distribution(
        id=known.id,
        arn=known.arn,
        domain_name=known.domain_name,
        enabled=config["Enabled"],
        etag=known.etag,
        origins=tuple(_origin(backend, origin) for origin in known.origins()),
        behaviours=tuple(_behaviour(backend, behaviour) for behaviour in behaviours),
        aliases=tuple(_items(config["Aliases"])),
        default_root_object=config["DefaultRootObject"],
        custom_errors=tuple(
            model.CustomError(
                item["ErrorCode"],
                item["ResponsePagePath"] or None,
                int(item["ResponseCode"]) if item["ResponseCode"] else None,
                item["ErrorCachingMinTTL"],
            )
            for item in _items(config["CustomErrorResponses"])
        ),
    )


def _origin(backend: Backend, origin: Json) -> model.Origin:
    own = origin.get("VpcOriginConfig") or origin.get("CustomOriginConfig") or origin.get("S3OriginConfig") or {}
    return model.Origin(
        id=origin["Id"],
        domain_name=origin["DomainName"],
        origin_path=origin["OriginPath"],
        target=_target(backend, origin),
        custom_headers=tuple((item["HeaderName"], item["HeaderValue"]) for item in _items(origin["CustomHeaders"])),
        read_timeout=own.get("OriginReadTimeout", 30),
        keepalive_timeout=own.get("OriginKeepaliveTimeout", 5),
        connection_attempts=origin["ConnectionAttempts"],
        connection_timeout=origin["ConnectionTimeout"],
    )


def _target(backend: Backend, origin: Json) -> model.S3Origin | model.VpcOrigin | model.CustomOrigin:
    if "S3OriginConfig" in origin:
        found = _BUCKET.fullmatch(origin["DomainName"])
        control = backend.lab_access_controls.get(origin["OriginAccessControlId"])
        return model.S3Origin(
            bucket=found["bucket"] if found else origin["DomainName"],
            region=(found["region"] if found else None) or world.settings.region,
            signed=control is not None and control.config["SigningBehavior"] != "never",
        )
    if "VpcOriginConfig" in origin:
        identifier = origin["VpcOriginConfig"]["VpcOriginId"]
        known = backend.lab_origins.get(identifier)
        config = known.config if known else {}
        return model.VpcOrigin(
            id=identifier,
            interface_id=known.interface_id if known else None,
            target_ip=known.target_ip if known else None,
            http_port=config.get("HTTPPort", 80),
            https_port=config.get("HTTPSPort", 443),
            protocol_policy=config.get("OriginProtocolPolicy", "http-only"),
        )
    config = origin["CustomOriginConfig"]
    return model.CustomOrigin(config["HTTPPort"], config["HTTPSPort"], config["OriginProtocolPolicy"])


def _behaviour(backend: Backend, behaviour: Json) -> model.Behaviour:
    request_policy = behaviour.get("OriginRequestPolicyId")
    functions = {item["EventType"]: item["FunctionARN"] for item in _items(behaviour["FunctionAssociations"])}
    methods = behaviour["AllowedMethods"]
    return model.Behaviour(
        path_pattern=behaviour["PathPattern"],
        origin_id=behaviour["TargetOriginId"],
        viewer_protocol_policy=behaviour["ViewerProtocolPolicy"],
        allowed_methods=tuple(methods["Items"]),
        cached_methods=tuple(methods["CachedMethods"]["Items"]),
        cache_policy=_cache_policy(backend, behaviour),
        origin_request_policy=_origin_request_policy(backend, request_policy) if request_policy else None,
        response_headers=_response_headers(backend, behaviour.get("ResponseHeadersPolicyId")),
        compress=behaviour["Compress"],
        viewer_request=_function(backend, functions.get("viewer-request")),
        viewer_response=_function(backend, functions.get("viewer-response")),
    )


def _function(backend: Backend, arn: str | None) -> model.Function | None:
    for function in backend.lab_functions.values():
        if function.arn == arn and function.live:
            return model.Function(function.name, arn, function.live.code.decode(), function.live.config["Runtime"])
    return None


def _cache_policy(backend: Backend, behaviour: Json) -> model.CachePolicy:
    identifier = behaviour.get("CachePolicyId")
    if not identifier:
        return _forwarded_values(behaviour)
    config = policies.find(backend, policies.CACHE, identifier) or {}
    parameters = config.get("ParametersInCacheKeyAndForwardedToOrigin") or {}
    queries, cookies = parameters.get("QueryStringsConfig") or {}, parameters.get("CookiesConfig") or {}
    least = int(config.get("MinTTL", 0))
    return model.CachePolicy(
        id=identifier,
        min_ttl=least,
        default_ttl=int(config.get("DefaultTTL", max(86400, least))),
        max_ttl=int(config.get("MaxTTL", max(31536000, least))),
        query_strings=cast(_Selection, queries.get("QueryStringBehavior", "none")),
        query_string_names=tuple(_items(queries.get("QueryStrings"))),
        header_names=tuple(_items((parameters.get("HeadersConfig") or {}).get("Headers"))),
        cookies=cast(_Selection, cookies.get("CookieBehavior", "none")),
        cookie_names=tuple(_items(cookies.get("Cookies"))),
        gzip=parameters.get("EnableAcceptEncodingGzip", False),
        brotli=parameters.get("EnableAcceptEncodingBrotli", False),
    )


def _forwarded_values(behaviour: Json) -> model.CachePolicy:
    """The older way to say what a cache key is made of."""
    forwarded = behaviour.get("ForwardedValues") or {}
    cookies = forwarded.get("Cookies") or {}
    return model.CachePolicy(
        id="",
        min_ttl=int(behaviour.get("MinTTL", 0)),
        default_ttl=int(behaviour.get("DefaultTTL", 86400)),
        max_ttl=int(behaviour.get("MaxTTL", 31536000)),
        query_strings="all" if forwarded.get("QueryString") else "none",
        header_names=tuple(_items(forwarded.get("Headers"))),
        cookies=cast(_Selection, cookies.get("Forward", "none")),
        cookie_names=tuple(_items(cookies.get("WhitelistedNames"))),
        gzip=True,
        brotli=False,
    )


def _origin_request_policy(backend: Backend, identifier: str) -> model.OriginRequestPolicy:
    config = policies.find(backend, policies.ORIGIN_REQUEST, identifier) or {}
    headers, queries = config.get("HeadersConfig") or {}, config.get("QueryStringsConfig") or {}
    cookies = config.get("CookiesConfig") or {}
    return model.OriginRequestPolicy(
        id=identifier,
        headers=headers.get("HeaderBehavior", "none"),
        header_names=tuple(_items(headers.get("Headers"))),
        query_strings=queries.get("QueryStringBehavior", "none"),
        query_string_names=tuple(_items(queries.get("QueryStrings"))),
        cookies=cookies.get("CookieBehavior", "none"),
        cookie_names=tuple(_items(cookies.get("Cookies"))),
    )


def _response_headers(backend: Backend, identifier: str | None) -> tuple[tuple[str, str], ...]:
    if not identifier:
        return ()
    config = policies.find(backend, policies.RESPONSE_HEADERS, identifier) or {}
    security = config.get("SecurityHeadersConfig") or {}
    headers: list[tuple[str, str]] = []
    if content := security.get("ContentSecurityPolicy"):
        headers.append(("Content-Security-Policy", content["ContentSecurityPolicy"]))
    if "ContentTypeOptions" in security:
        headers.append(("X-Content-Type-Options", "nosniff"))
    if frame := security.get("FrameOptions"):
        headers.append(("X-Frame-Options", frame["FrameOption"]))
    if referrer := security.get("ReferrerPolicy"):
        headers.append(("Referrer-Policy", referrer["ReferrerPolicy"]))
    if transport := security.get("StrictTransportSecurity"):
        parts = [f"max-age={transport['AccessControlMaxAgeSec']}"]
        parts += ["includeSubDomains"] if transport.get("IncludeSubdomains") else []
        parts += ["preload"] if transport.get("Preload") else []
        headers.append(("Strict-Transport-Security", "; ".join(parts)))
    if xss := security.get("XSSProtection"):
        mode = "; mode=block" if xss.get("ModeBlock") else ""
        headers.append(("X-XSS-Protection", f"1{mode}" if xss["Protection"] else "0"))
    if origins := _items((config.get("CorsConfig") or {}).get("AccessControlAllowOrigins")):
        headers.append(("Access-Control-Allow-Origin", origins[0]))
    headers.extend((item["Header"], item["Value"]) for item in _items(config.get("CustomHeadersConfig")))
    return tuple(headers)
