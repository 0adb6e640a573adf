"""A DistributionConfig completed with AWS's defaults, and refused where AWS refuses it. Pure."""

from __future__ import annotations

import copy
from typing import Any

from lab.api.cloudfront.errors import fail

Json = dict[str, Any]

_EMPTY: Json = {"Quantity": 0}
_BEHAVIOUR: Json = {
    "TrustedSigners": {"Enabled": False, "Quantity": 0},
    "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
    "SmoothStreaming": False,
    "Compress": False,
    "LambdaFunctionAssociations": _EMPTY,
    "FunctionAssociations": _EMPTY,
    "FieldLevelEncryptionId": "",
    "GrpcConfig": {"Enabled": False},
}
_METHODS = {"Quantity": 2, "Items": ["HEAD", "GET"]}
_ORIGIN: Json = {
    "OriginPath": "",
    "CustomHeaders": _EMPTY,
    "ConnectionAttempts": 3,
    "ConnectionTimeout": 10,
    "OriginShield": {"Enabled": False},
    "OriginAccessControlId": "",
}
_CONFIG: Json = {
    "Aliases": _EMPTY,
    "DefaultRootObject": "",
    "OriginGroups": _EMPTY,
    "CacheBehaviors": _EMPTY,
    "CustomErrorResponses": _EMPTY,
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
    "PriceClass": "PriceClass_All",
    "ViewerCertificate": {
        "CloudFrontDefaultCertificate": True,
        "SSLSupportMethod": "vip",
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
    },
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    "WebACLId": "",
    "HttpVersion": "http2",
    "IsIPV6Enabled": True,
    "ContinuousDeploymentPolicyId": "",
    "Staging": False,
}


def _with_defaults(given: Json, defaults: Json) -> Json:
    """Keys that are missing, and empty lists that were left out, as AWS answers them."""
    return {**copy.deepcopy(defaults), **given}


def _origin(given: Json) -> Json:
    origin = _with_defaults(given, _ORIGIN)
    if "S3OriginConfig" in origin:
        origin["S3OriginConfig"] = _with_defaults(
            origin["S3OriginConfig"], {"OriginAccessIdentity": "", "OriginReadTimeout": 30}
        )
    timeouts = {"OriginReadTimeout": 30, "OriginKeepaliveTimeout": 5}
    if "VpcOriginConfig" in origin:
        origin["VpcOriginConfig"] = _with_defaults(origin["VpcOriginConfig"], timeouts)
    if "CustomOriginConfig" in origin:
        protocols = {"OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]}, "IpAddressType": "ipv4"}
        origin["CustomOriginConfig"] = _with_defaults(origin["CustomOriginConfig"], timeouts | protocols)
    return origin


def _behaviour(given: Json) -> Json:
    behaviour = _with_defaults(given, _BEHAVIOUR)
    methods = _with_defaults(behaviour.get("AllowedMethods") or {}, _METHODS)
    methods["CachedMethods"] = _with_defaults(methods.get("CachedMethods") or {}, _METHODS)
    behaviour["AllowedMethods"] = methods
    if not behaviour.get("CachePolicyId") and "ForwardedValues" in behaviour:
        behaviour = _with_defaults(behaviour, {"MinTTL": 0, "DefaultTTL": 86400, "MaxTTL": 31536000})
    return behaviour


def complete(given: Json) -> Json:
    """A DistributionConfig as CloudFront answers it after having been given ``given``."""
    config = _with_defaults(given, _CONFIG)
    config["Origins"] = {
        "Quantity": config["Origins"]["Quantity"],
        "Items": [_origin(origin) for origin in config["Origins"].get("Items", [])],
    }
    config["DefaultCacheBehavior"] = _behaviour(config["DefaultCacheBehavior"])
    if items := config["CacheBehaviors"].get("Items"):
        config["CacheBehaviors"] = {**config["CacheBehaviors"], "Items": [_behaviour(item) for item in items]}
    if items := config["CustomErrorResponses"].get("Items"):
        defaults = {"ResponsePagePath": "", "ResponseCode": "", "ErrorCachingMinTTL": 10}
        config["CustomErrorResponses"] = {
            **config["CustomErrorResponses"],
            "Items": [_with_defaults(item, defaults) for item in items],
        }
    config["Restrictions"] = _with_defaults(config["Restrictions"], _CONFIG["Restrictions"])
    completed: Json = _without_empty_items(config)
    return completed


def _without_empty_items(value: Any) -> Any:
    """AWS leaves an empty ``Items`` out where ``Quantity`` is 0."""
    if isinstance(value, dict):
        return {
            name: _without_empty_items(item)
            for name, item in value.items()
            if not (name == "Items" and not item and value.get("Quantity") == 0)
        }
    if isinstance(value, list):
        return [_without_empty_items(item) for item in value]
    return value


def check_quantities(value: Any, path: str = "") -> None:
    """Refuse lists whose ``Quantity`` is not their length."""
    if isinstance(value, dict):
        if "Quantity" in value and value["Quantity"] != len(value.get("Items") or []):
            fail("InconsistentQuantities", f"The value of Quantity and the size of Items don't match: {path}")
        for name, item in value.items():
            check_quantities(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            check_quantities(item, path)


def check(config: Json) -> None:
    """Refuse what no knowledge of other resources is needed for."""
    origin_ids = [origin["Id"] for origin in config["Origins"]["Items"]]
    if len(set(origin_ids)) != len(origin_ids):
        fail("InvalidArgument", "Two origins have the same Id.")
    for origin in config["Origins"]["Items"]:
        kinds = [kind for kind in ("S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig") if kind in origin]
        if len(kinds) != 1:
            fail(
                "InvalidOrigin",
                f"Origin {origin['Id']} needs exactly one of S3OriginConfig, CustomOriginConfig and VpcOriginConfig.",
            )
        if kinds == ["S3OriginConfig"] and not origin["DomainName"].endswith(".amazonaws.com"):
            fail("InvalidArgument", "The parameter Origin DomainName does not refer to a valid S3 bucket.")
    behaviours = [*config["CacheBehaviors"].get("Items", []), config["DefaultCacheBehavior"]]
    for behaviour in behaviours:
        if behaviour["TargetOriginId"] not in origin_ids:
            fail("NoSuchOrigin", "One or more of your origins or origin groups do not exist.")
        if behaviour.get("CachePolicyId") and "ForwardedValues" in behaviour:
            fail("InvalidArgument", "The parameter ForwardedValues cannot be used when a cache policy is associated.")
        if not behaviour.get("CachePolicyId") and "ForwardedValues" not in behaviour:
            fail("InvalidArgument", "The parameter ForwardedValues is required.")
        methods = set(behaviour["AllowedMethods"]["Items"])
        if methods not in ({"GET", "HEAD"}, {"GET", "HEAD", "OPTIONS"}, _ALL_METHODS):
            fail("InvalidArgument", "The parameter AllowedMethods contains methods that cannot be combined.")
    if config["DefaultRootObject"].startswith("/"):
        fail("InvalidDefaultRootObject", "The default root object must not begin with a slash.")


_ALL_METHODS = {"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"}
