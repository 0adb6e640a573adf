"""The argument specification of cloudfront_web_distribution."""

from __future__ import annotations

from typing import Any


def text(default: str | None = None, **more: Any) -> dict[str, Any]:
    """An option that is a string."""
    return {"type": "str", **({} if default is None else {"default": default}), **more}


def number(default: int | None = None, **more: Any) -> dict[str, Any]:
    """An option that is an integer."""
    return {"type": "int", **({} if default is None else {"default": default}), **more}


def flag(default: bool) -> dict[str, Any]:
    """An option that is a boolean."""
    return {"type": "bool", "default": default}


def texts(*default: str) -> dict[str, Any]:
    """An option that is a list of strings."""
    return {"type": "list", "elements": "str", "default": list(default)}


def structure(**members: Any) -> dict[str, Any]:
    """An option that is a dictionary."""
    return {"type": "dict", "options": members}


def structures(**members: Any) -> dict[str, Any]:
    """An option that is a list of dictionaries."""
    return {"type": "list", "elements": "dict", "default": [], "options": members}


def needed(*choices: str) -> dict[str, Any]:
    """A string that must be given, one of the choices if there are any."""
    return {"type": "str", "required": True, **({"choices": list(choices)} if choices else {})}


TIMEOUTS = {"origin_read_timeout": number(30), "origin_keepalive_timeout": number(5)}

ORIGIN = {
    "id": needed(),
    "domain_name": needed(),
    "origin_path": text(""),
    "custom_headers": {"type": "dict", "default": {}},
    "connection_attempts": number(3),
    "connection_timeout": number(10),
    "origin_access_control_id": text(""),
    "origin_shield_region": text(""),
    "vpc_origin_config": structure(vpc_origin_id=needed(), **TIMEOUTS),
    "custom_origin_config": structure(
        http_port=number(80),
        https_port=number(443),
        origin_protocol_policy=text("https-only", choices=["http-only", "https-only", "match-viewer"]),
        origin_ssl_protocols=texts("TLSv1.2"),
        **TIMEOUTS,
    ),
}

BEHAVIOUR = {
    "target_origin_id": needed(),
    "viewer_protocol_policy": text("redirect-to-https", choices=["allow-all", "https-only", "redirect-to-https"]),
    "allowed_methods": texts("GET", "HEAD"),
    "cached_methods": texts("GET", "HEAD"),
    "compress": flag(True),
    "cache_policy": text("CachingOptimized"),
    "origin_request_policy": text(""),
    "response_headers_policy": text(""),
    "function_associations": structures(event_type=needed("viewer-request", "viewer-response"), function_arn=needed()),
    "lambda_function_associations": structures(
        event_type=needed("viewer-request", "viewer-response", "origin-request", "origin-response"),
        lambda_function_arn=needed(),
        include_body=flag(False),
    ),
    "trusted_key_groups": {**texts(), "no_log": False},
    "realtime_log_config_arn": text(""),
}

ARGUMENTS: dict[str, Any] = {
    "id": text(),
    "lookup_tags": texts("Name"),
    "caller_reference": text(),
    "enabled": flag(True),
    "comment": text(""),
    "origins": {**structures(**ORIGIN), "mutually_exclusive": [("vpc_origin_config", "custom_origin_config")]},
    "default_cache_behavior": structure(**BEHAVIOUR),
    "cache_behaviors": structures(path_pattern=needed(), **BEHAVIOUR),
    "custom_error_responses": structures(
        error_code=number(required=True),
        response_page_path=text(""),
        response_code=number(),
        error_caching_min_ttl=number(10),
    ),
    "default_root_object": text(""),
    "aliases": texts(),
    "viewer_certificate": {
        **structure(
            acm_certificate_arn=text(),
            iam_certificate_id=text(),
            ssl_support_method=text("sni-only", choices=["sni-only", "vip", "static-ip"]),
            minimum_protocol_version=text("TLSv1.2_2021"),
        ),
        "mutually_exclusive": [("acm_certificate_arn", "iam_certificate_id")],
        "required_one_of": [("acm_certificate_arn", "iam_certificate_id")],
    },
    "price_class": text("PriceClass_All", choices=["PriceClass_100", "PriceClass_200", "PriceClass_All"]),
    "http_version": text("http2", choices=["http1.1", "http2", "http3", "http2and3"]),
    "ipv6_enabled": flag(True),
    "web_acl_id": text(""),
    "logging": structure(bucket=needed(), prefix=text(""), include_cookies=flag(False)),
    "geo_restriction": structure(restriction_type=needed("blacklist", "whitelist", "none"), locations=texts()),
    "additional_config": {"type": "dict", "default": {}},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": flag(True),
    "wait": flag(True),
    "wait_timeout": number(1800),
    "state": text("present", choices=["present", "absent"]),
}
