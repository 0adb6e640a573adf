"""A module's options as CloudFront's DistributionConfig, in the plain form of ``aws_shapes``. No call to AWS here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.aws_shapes import item_list, overlay, plain, sendable
from ansible.module_utils.cloudfront_policies import Resolver

Config = dict[str, Any]

# Of a behaviour with a cache policy; some answers still carry them.
LEGACY_CACHE_SETTINGS = ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")

# CloudFront wants these left out rather than empty.
OMITTED_WHEN_EMPTY = frozenset(
    {"CachePolicyId", "OriginRequestPolicyId", "ResponseHeadersPolicyId", "RealtimeLogConfigArn"}
)


def capitals(words: Iterable[str]) -> set[str]:
    """Methods or countries as CloudFront spells them, each once."""
    return {word.upper() for word in words}


def origin_config(origin: Mapping[str, Any]) -> Config:
    """An item of ``Origins``. With neither a custom nor a VPC origin's settings it is an S3 bucket."""
    shield = origin["origin_shield_region"]
    config: Config = {
        "Id": origin["id"],
        "DomainName": origin["domain_name"],
        "OriginPath": origin["origin_path"],
        "ConnectionAttempts": origin["connection_attempts"],
        "ConnectionTimeout": origin["connection_timeout"],
        "OriginAccessControlId": origin["origin_access_control_id"],
        "OriginShield": {"Enabled": True, "OriginShieldRegion": shield} if shield else {"Enabled": False},
        "CustomHeaders": item_list(
            {"HeaderName": name, "HeaderValue": str(value)} for name, value in sorted(origin["custom_headers"].items())
        ),
    }
    vpc, custom = origin["vpc_origin_config"], origin["custom_origin_config"]
    if vpc:
        config["VpcOriginConfig"] = {
            "VpcOriginId": vpc["vpc_origin_id"],
            "OriginReadTimeout": vpc["origin_read_timeout"],
            "OriginKeepaliveTimeout": vpc["origin_keepalive_timeout"],
        }
    elif custom:
        config["CustomOriginConfig"] = {
            "HTTPPort": custom["http_port"],
            "HTTPSPort": custom["https_port"],
            "OriginProtocolPolicy": custom["origin_protocol_policy"],
            "OriginSslProtocols": item_list(sorted(set(custom["origin_ssl_protocols"]))),
            "OriginReadTimeout": custom["origin_read_timeout"],
            "OriginKeepaliveTimeout": custom["origin_keepalive_timeout"],
        }
    else:
        config["S3OriginConfig"] = {"OriginAccessIdentity": ""}
    return config


def behaviour_config(behaviour: Mapping[str, Any], policy: Resolver) -> Config:
    """``DefaultCacheBehavior``, or an item of ``CacheBehaviors`` when there is a path pattern."""
    config: Config = {
        "TargetOriginId": behaviour["target_origin_id"],
        "ViewerProtocolPolicy": behaviour["viewer_protocol_policy"],
        "AllowedMethods": {
            **item_list(sorted(capitals(behaviour["allowed_methods"]))),
            "CachedMethods": item_list(sorted(capitals(behaviour["cached_methods"]))),
        },
        "Compress": behaviour["compress"],
        "SmoothStreaming": False,
        "FieldLevelEncryptionId": "",
        "RealtimeLogConfigArn": behaviour["realtime_log_config_arn"],
        "CachePolicyId": policy("cache_policy", behaviour["cache_policy"]),
        "OriginRequestPolicyId": policy("origin_request_policy", behaviour["origin_request_policy"]),
        "ResponseHeadersPolicyId": policy("response_headers_policy", behaviour["response_headers_policy"]),
        "FunctionAssociations": item_list(
            {"EventType": item["event_type"], "FunctionARN": item["function_arn"]}
            for item in sorted(behaviour["function_associations"], key=lambda item: str(item["event_type"]))
        ),
        "LambdaFunctionAssociations": item_list(
            {
                "EventType": item["event_type"],
                "LambdaFunctionARN": item["lambda_function_arn"],
                "IncludeBody": item["include_body"],
            }
            for item in sorted(behaviour["lambda_function_associations"], key=lambda item: str(item["event_type"]))
        ),
        "TrustedKeyGroups": {
            "Enabled": bool(behaviour["trusted_key_groups"]),
            **item_list(sorted(set(behaviour["trusted_key_groups"]))),
        },
    }
    if behaviour.get("path_pattern"):
        config["PathPattern"] = behaviour["path_pattern"]
    return config


def error_config(response: Mapping[str, Any]) -> Config:
    """An item of ``CustomErrorResponses``."""
    return {
        "ErrorCode": response["error_code"],
        "ResponsePagePath": response["response_page_path"],
        "ResponseCode": str(response["response_code"] or ""),
        "ErrorCachingMinTTL": response["error_caching_min_ttl"],
    }


def certificate_config(certificate: Mapping[str, Any] | None) -> Config:
    """``ViewerCertificate``: that of *.cloudfront.net when none is asked for."""
    if not certificate:
        return {"CloudFrontDefaultCertificate": True}
    source = "ACMCertificateArn" if certificate["acm_certificate_arn"] else "IAMCertificateId"
    return {
        source: certificate["acm_certificate_arn"] or certificate["iam_certificate_id"],
        "SSLSupportMethod": certificate["ssl_support_method"],
        "MinimumProtocolVersion": certificate["minimum_protocol_version"],
    }


def logging_config(logging: Mapping[str, Any] | None) -> Config:
    """``Logging``: off when none is asked for."""
    if not logging:
        return {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
    return {
        "Enabled": True,
        "IncludeCookies": logging["include_cookies"],
        "Bucket": logging["bucket"],
        "Prefix": logging["prefix"],
    }


def wanted_config(asked: Mapping[str, Any], policy: Resolver) -> Config:
    """The DistributionConfig that the options ask for, without its CallerReference."""
    restriction = asked["geo_restriction"] or {"restriction_type": "none", "locations": []}
    config: Config = {
        "Comment": asked["comment"],
        "Enabled": asked["enabled"],
        "Aliases": item_list(sorted({alias.lower() for alias in asked["aliases"]})),
        "DefaultRootObject": asked["default_root_object"],
        "Origins": item_list(sorted((origin_config(o) for o in asked["origins"]), key=lambda o: str(o["Id"]))),
        "DefaultCacheBehavior": behaviour_config(asked["default_cache_behavior"], policy),
        "CacheBehaviors": item_list(behaviour_config(b, policy) for b in asked["cache_behaviors"]),
        "CustomErrorResponses": item_list(
            sorted((error_config(r) for r in asked["custom_error_responses"]), key=lambda r: str(r["ErrorCode"]))
        ),
        "Logging": logging_config(asked["logging"]),
        "PriceClass": asked["price_class"],
        "ViewerCertificate": certificate_config(asked["viewer_certificate"]),
        "Restrictions": {
            "GeoRestriction": {
                "RestrictionType": restriction["restriction_type"],
                **item_list(sorted(capitals(restriction["locations"]))),
            }
        },
        "WebACLId": asked["web_acl_id"],
        "HttpVersion": asked["http_version"],
        "IsIPV6Enabled": asked["ipv6_enabled"],
    }
    additional: Config = overlay(config, plain(asked["additional_config"]))
    return additional


def problem(asked: Mapping[str, Any]) -> str | None:
    """What is wrong with the options, in a sentence that says what to write instead; None when nothing is."""
    if not asked["origins"]:
        return "origins is empty: a distribution needs one origin at least."
    known = [origin["id"] for origin in asked["origins"]]
    for place, behaviour in [
        ("default_cache_behavior", asked["default_cache_behavior"]),
        *((f"cache_behaviors {item['path_pattern']}", item) for item in asked["cache_behaviors"]),
    ]:
        if behaviour["target_origin_id"] not in known and not asked["additional_config"].get("OriginGroups"):
            return (
                f"{place}: target_origin_id is {behaviour['target_origin_id']}, which is the id of no origin. "
                f"Origins are {', '.join(known)}."
            )
        if not capitals(behaviour["cached_methods"]) <= capitals(behaviour["allowed_methods"]):
            return f"{place}: cached_methods has methods that allowed_methods has not. Add them there."
    if asked["aliases"] and not asked["viewer_certificate"]:
        return f"aliases has {', '.join(asked['aliases'])}: give viewer_certificate, with a certificate for them."
    return None


def normalised(config: Mapping[str, Any]) -> Config:
    """A DistributionConfig as AWS answers it, in plain form and without what it only echoes."""
    result: Config = plain(config)
    behaviours = [result["DefaultCacheBehavior"], *(result.get("CacheBehaviors") or {}).get("Items", [])]
    for behaviour in behaviours:
        if behaviour.get("CachePolicyId"):
            for legacy in LEGACY_CACHE_SETTINGS:
                behaviour.pop(legacy, None)
    certificate = result.get("ViewerCertificate") or {}
    if certificate.get("CloudFrontDefaultCertificate"):
        result["ViewerCertificate"] = {"CloudFrontDefaultCertificate": True}
    else:
        echoed = ("Certificate", "CertificateSource", "CloudFrontDefaultCertificate")
        result["ViewerCertificate"] = {key: value for key, value in certificate.items() if key not in echoed and value}
    return result


def significant(value: Any) -> Any:
    """A plain value without its empty, false and absent members: equal for what CloudFront treats alike."""
    if isinstance(value, Mapping):
        members = {key: significant(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member not in ("", None, False, {}, [])}
    if isinstance(value, list):
        return [significant(item) for item in value]
    return value


def wire(config: Mapping[str, Any]) -> Config:
    """A plain DistributionConfig as the API takes it."""

    def without_empty(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: without_empty(v) for k, v in value.items() if not (k in OMITTED_WHEN_EMPTY and v == "")}
        return [without_empty(item) for item in value] if isinstance(value, list) else value

    result: Config = sendable(without_empty(config))
    return result
