"""What is there, told: distributions by their tags, VPC origins with those who use them."""

from __future__ import annotations

import pytest


@pytest.fixture
def site(run_module, backends):
    origin = run_module(
        "cloudfront_vpc_origin",
        name="backend",
        arn=backends[0],
        origin_protocol_policy="http-only",
        tags={"Project": "shop"},
    )["vpc_origin"]
    distribution = run_module(
        "cloudfront_web_distribution",
        tags={"Name": "shop", "Project": "shop"},
        origins=[
            {"id": "api", "domain_name": "backend.internal", "vpc_origin_config": {"vpc_origin_id": origin["id"]}}
        ],
        default_cache_behavior={"target_origin_id": "api"},
    )["distribution"]
    return origin, distribution


@pytest.mark.parametrize("check", [False, True])
def test_distributions_are_found_by_their_tags(run_module, site, check):
    _, distribution = site
    told = run_module("cloudfront_web_distribution_info", tags={"Project": "shop"}, check=check)
    assert not told["changed"] and told["distributions"] == [distribution]
    assert run_module("cloudfront_web_distribution_info", tags={"Project": "cafe"})["distributions"] == []


def test_a_distribution_is_found_by_its_identifier(run_module, site):
    _, distribution = site
    told = run_module("cloudfront_web_distribution_info", id=distribution["id"])
    assert told["distributions"] == [distribution]
    assert run_module("cloudfront_web_distribution_info", id="EMISSING")["distributions"] == []


@pytest.mark.parametrize("check", [False, True])
def test_vpc_origins_are_found_by_name_and_tags_with_their_users(run_module, site, check):
    origin, distribution = site
    expected = [{**origin, "distributions": [distribution["id"]]}]
    module = "cloudfront_vpc_origin_info"
    assert run_module(module, name="backend", check=check)["vpc_origins"] == expected
    assert run_module(module, tags={"Project": "shop"}, check=check)["vpc_origins"] == expected
    assert run_module(module, name="back")["vpc_origins"] == []
    assert run_module(module, tags={"Project": "cafe"})["vpc_origins"] == []
