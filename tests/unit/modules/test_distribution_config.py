"""From a task's options to CloudFront's DistributionConfig, and when two of them mean the same."""

from __future__ import annotations

import pytest
from ansible.module_utils.aws_shapes import overlay
from ansible.module_utils.cloudfront_distribution_config import (
    normalised,
    problem,
    significant,
    wanted_config,
    wire,
)
from ansible.module_utils.cloudfront_distribution_options import ARGUMENTS
from ansible.module_utils.cloudfront_policies import resolver
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
SITE = {
    "tags": {"Name": "shop"},
    "origins": [{"id": "assets", "domain_name": "assets.s3.amazonaws.com", "origin_access_control_id": "E1"}],
    "default_cache_behavior": {"target_origin_id": "assets"},
}
NO_POLICIES = resolver(lambda kind: {})


def asked(**options):
    """Options as a module gets them: checked, and with their defaults."""
    result = ArgumentSpecValidator(ARGUMENTS).validate({**SITE, **options})
    assert not result.error_messages
    return result.validated_parameters


def config(**options):
    return wanted_config(asked(**options), NO_POLICIES)


def as_aws_answers(sent):
    """What CloudFront makes of a configuration: its defaults filled in, its own order."""
    answer = wire({**sent, "CallerReference": "shop"})
    answer["OriginGroups"] = {"Quantity": 0}
    answer["Staging"] = False
    answer["ContinuousDeploymentPolicyId"] = ""
    answer["ViewerCertificate"] = {
        "CloudFrontDefaultCertificate": True,
        "SSLSupportMethod": "vip",
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
    }
    behaviour = answer["DefaultCacheBehavior"]
    behaviour["TrustedSigners"] = {"Enabled": False, "Quantity": 0}
    behaviour["AllowedMethods"]["Items"] = ["HEAD", "GET"]
    behaviour["GrpcConfig"] = {"Enabled": False}
    return answer


def test_what_aws_fills_in_is_no_change():
    wanted = config()
    there = normalised(as_aws_answers(wanted))
    assert significant(overlay(there, wanted)) == significant(there)


@pytest.mark.parametrize(
    "change",
    [
        {"comment": "other"},
        {"enabled": False},
        {"aliases": ["shop.example.com"], "viewer_certificate": {"acm_certificate_arn": "arn:aws:acm:x"}},
        {"origins": [{**SITE["origins"][0], "origin_path": "/v2"}]},
        {"origins": [{**SITE["origins"][0], "custom_headers": {"X-From": "cloudfront"}}]},
        {"origins": [*SITE["origins"], {"id": "b", "domain_name": "b", "vpc_origin_config": {"vpc_origin_id": "vo"}}]},
        {"default_cache_behavior": {"target_origin_id": "assets", "cache_policy": "CachingDisabled"}},
        {"default_cache_behavior": {"target_origin_id": "assets", "allowed_methods": ["GET", "HEAD", "OPTIONS"]}},
        {"cache_behaviors": [{"path_pattern": "/api/*", "target_origin_id": "assets"}]},
        {"custom_error_responses": [{"error_code": 404, "response_page_path": "/404.html", "response_code": 404}]},
        {"logging": {"bucket": "logs.s3.amazonaws.com"}},
        {"geo_restriction": {"restriction_type": "whitelist", "locations": ["KR"]}},
        {"price_class": "PriceClass_100"},
        {"ipv6_enabled": False},
        {"additional_config": {"Staging": True}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_is_seen_and_undone_when_no_longer_asked_for(change):
    plain_site = config()
    there = normalised(as_aws_answers(plain_site))
    changed = overlay(there, config(**change))
    assert significant(changed) != significant(there)
    if "additional_config" not in change:  # what no option expresses stays as it is
        assert significant(overlay(changed, plain_site)) == significant(there)


def test_the_order_of_behaviours_is_a_change_and_that_of_origins_is_none():
    behaviours = [{"path_pattern": path, "target_origin_id": "assets"} for path in ("/a/*", "/*.png")]
    origins = [*SITE["origins"], {"id": "a", "domain_name": "a.example.com", "custom_origin_config": {}}]
    assert config(cache_behaviors=behaviours) != config(cache_behaviors=behaviours[::-1])
    assert config(origins=origins) == config(origins=origins[::-1])


def test_spelling_and_repetition_are_no_change():
    """AWS answers aliases in small letters, countries and methods in capitals, and each once."""
    certificate = {"viewer_certificate": {"acm_certificate_arn": "arn:aws:acm:x"}}
    asked_for = config(
        aliases=["WWW.Example.com", "www.example.com"],
        default_cache_behavior={
            "target_origin_id": "assets",
            "allowed_methods": ["get", "GET", "HEAD", "Options"],
            "cached_methods": ["HEAD", "get", "GET"],
        },
        geo_restriction={"restriction_type": "whitelist", "locations": ["kr", "KR", "jp"]},
        **certificate,
    )
    answered = config(
        aliases=["www.example.com"],
        default_cache_behavior={"target_origin_id": "assets", "allowed_methods": ["GET", "HEAD", "OPTIONS"]},
        geo_restriction={"restriction_type": "whitelist", "locations": ["JP", "KR"]},
        **certificate,
    )
    assert asked_for == answered


def test_a_headers_value_is_text_whatever_yaml_made_of_it():
    origin = {**SITE["origins"][0], "custom_headers": {"X-Version": 2, "X-From": "cloudfront"}}
    [there] = config(origins=[origin])["Origins"]["Items"]
    assert [item["HeaderValue"] for item in there["CustomHeaders"]["Items"]] == ["cloudfront", "2"]


def test_each_kind_of_origin_has_its_own_structure_and_no_other():
    kinds = config(
        origins=[
            SITE["origins"][0],
            {"id": "vpc", "domain_name": "b.internal", "vpc_origin_config": {"vpc_origin_id": "vo_1"}},
            {"id": "web", "domain_name": "c.example.com", "custom_origin_config": {"http_port": 8080}},
        ]
    )["Origins"]["Items"]
    structures = {item["Id"]: {key for key in item if key.endswith("OriginConfig")} for item in kinds}
    assert structures == {"assets": {"S3OriginConfig"}, "vpc": {"VpcOriginConfig"}, "web": {"CustomOriginConfig"}}


def test_a_policy_that_is_not_asked_for_is_left_out_of_the_request():
    behaviour = wire(config())["DefaultCacheBehavior"]
    assert behaviour["CachePolicyId"] == OPTIMIZED
    assert "OriginRequestPolicyId" not in behaviour and "ResponseHeadersPolicyId" not in behaviour


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({}, None),
        ({"origins": []}, "needs one origin at least"),
        ({"default_cache_behavior": {"target_origin_id": "asset"}}, "is the id of no origin. Origins are assets."),
        (
            {"cache_behaviors": [{"path_pattern": "/api/*", "target_origin_id": "api"}]},
            "cache_behaviors /api/*: target_origin_id is api",
        ),
        (
            {"default_cache_behavior": {"target_origin_id": "assets", "cached_methods": ["GET", "HEAD", "OPTIONS"]}},
            "cached_methods has methods that allowed_methods has not",
        ),
        (
            {"default_cache_behavior": {"target_origin_id": "assets", "allowed_methods": ["get", "head"]}},
            None,
        ),
        ({"aliases": ["shop.example.com"]}, "give viewer_certificate, with a certificate for them"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write_instead(options, advice):
    found = problem(asked(**options))
    assert found is None if advice is None else advice in found


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("", ""),
        ("CachingOptimized", OPTIMIZED),
        ("Managed-CachingOptimized", OPTIMIZED),
        (OPTIMIZED, OPTIMIZED),
        ("ours", "11111111-2222-3333-4444-555555555555"),
    ],
)
def test_a_policy_is_named_or_identified(name, identifier):
    resolve = resolver(lambda kind: {"ours": "11111111-2222-3333-4444-555555555555"})
    assert resolve("cache_policy", name) == identifier


def test_managed_policies_are_resolved_without_asking_aws():
    def ask(kind):
        raise AssertionError(f"asked for the {kind} names")

    assert resolver(ask)("origin_request_policy", "AllViewer") == "216adef6-5c7f-47e4-b989-5492eafa07d3"


def test_a_policy_that_nobody_has_is_an_error_that_lists_the_managed_ones():
    with pytest.raises(Exception, match=r"cache_policy CacheOptimised is neither .* CachingDisabled, CachingOptimized"):
        NO_POLICIES("cache_policy", "CacheOptimised")
