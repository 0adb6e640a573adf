"""cloudfront_web_distribution against the lab's API."""

from __future__ import annotations

import pytest

NAME = "cloudfront_web_distribution"
TAGS = {"Name": "shop", "Project": "shop"}
BUCKET = {"id": "assets", "domain_name": "assets.s3.ap-northeast-2.amazonaws.com"}
PAGES = {"target_origin_id": "assets"}
SITE = {"tags": TAGS, "origins": [BUCKET], "default_cache_behavior": PAGES}


def distributions(cloudfront):
    return cloudfront.list_distributions()["DistributionList"].get("Items", [])


def config(cloudfront, done):
    return cloudfront.get_distribution_config(Id=done["distribution"]["id"])["DistributionConfig"]


def test_check_mode_announces_a_new_distribution_and_makes_none(run_module, cloudfront):
    planned = run_module(NAME, check=True, **SITE)
    assert planned["changed"] and planned["diff"]["before"] == {}
    after = planned["diff"]["after"]
    assert after["Tags"] == TAGS
    assert after["DistributionConfig"]["Origins"]["Items"][0]["DomainName"] == BUCKET["domain_name"]
    cache_policy = after["DistributionConfig"]["DefaultCacheBehavior"]["CachePolicyId"]
    assert cache_policy == "658327ea-f89d-4fab-a63d-7e88639e58f6"
    assert planned["distribution"]["domain_name"] == "(known after creation)"
    assert distributions(cloudfront) == []


def test_a_distribution_is_created_with_its_tags_and_then_left_alone(run_module, cloudfront):
    made = run_module(NAME, **SITE)
    assert made["changed"] and made["distribution"]["status"] == "Deployed"
    tags = cloudfront.list_tags_for_resource(Resource=made["distribution"]["arn"])["Tags"]["Items"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == TAGS
    again = run_module(NAME, **SITE)
    in_check_mode = run_module(NAME, check=True, **SITE)
    assert not again["changed"] and not in_check_mode["changed"]
    assert again["diff"]["before"] == again["diff"]["after"]
    assert [item["Id"] for item in distributions(cloudfront)] == [again["distribution"]["id"]]


def test_a_whole_product_is_expressed_and_idempotent(run_module, cloudfront, backends):
    access = run_module("cloudfront_origin_access_control", name="assets")
    pages = run_module("cloudfront_function", name="pages", code="function handler(event) { return event.request; }")
    backend = run_module(
        "cloudfront_vpc_origin",
        name="backend",
        arn=backends[0],
        origin_protocol_policy="http-only",
    )
    product = {
        "tags": TAGS,
        "comment": "The shop",
        "default_root_object": "index.html",
        "price_class": "PriceClass_200",
        "http_version": "http2and3",
        "origins": [
            {**BUCKET, "origin_access_control_id": access["origin_access_control"]["id"]},
            {
                "id": "backend",
                "domain_name": "ip-10-0-16-10.ap-northeast-2.compute.internal",
                "vpc_origin_config": {"vpc_origin_id": backend["vpc_origin"]["id"], "origin_read_timeout": 20},
            },
        ],
        "default_cache_behavior": {
            **PAGES,
            "response_headers_policy": "SecurityHeadersPolicy",
            "function_associations": [{"event_type": "viewer-request", "function_arn": pages["function"]["arn"]}],
        },
        "cache_behaviors": [
            {
                "path_pattern": "/api/*",
                "target_origin_id": "backend",
                "cache_policy": "CachingDisabled",
                "origin_request_policy": "AllViewer",
                "allowed_methods": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
            }
        ],
        "custom_error_responses": [{"error_code": 504, "error_caching_min_ttl": 0}],
    }
    made = run_module(NAME, **product)
    assert not run_module(NAME, **product)["changed"]
    there = config(cloudfront, made)
    origins = {origin["Id"]: origin for origin in there["Origins"]["Items"]}
    assert origins["assets"]["OriginAccessControlId"] == access["origin_access_control"]["id"]
    assert origins["backend"]["VpcOriginConfig"]["VpcOriginId"] == backend["vpc_origin"]["id"]
    assert "CustomOriginConfig" not in origins["backend"]
    assert there["DefaultCacheBehavior"]["FunctionAssociations"]["Items"][0]["EventType"] == "viewer-request"
    assert there["CacheBehaviors"]["Items"][0]["OriginRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"


def test_an_update_says_what_it_changes(run_module, cloudfront):
    made = run_module(NAME, **SITE)
    planned = run_module(NAME, check=True, **SITE, default_root_object="index.html")
    assert config(cloudfront, made)["DefaultRootObject"] == ""
    done = run_module(NAME, **SITE, default_root_object="index.html")
    assert planned["changed"] and planned["diff"] == done["diff"]
    assert "DefaultRootObject" not in done["diff"]["before"]["DistributionConfig"]
    assert done["diff"]["after"]["DistributionConfig"]["DefaultRootObject"] == "index.html"
    assert config(cloudfront, made)["DefaultRootObject"] == "index.html"


def test_an_option_that_is_no_longer_given_is_undone(run_module, cloudfront):
    made = run_module(NAME, **SITE, default_root_object="index.html", comment="The shop")
    run_module(NAME, **SITE)
    there = config(cloudfront, made)
    assert (there["DefaultRootObject"], there["Comment"]) == ("", "")


def test_tags_are_updated_without_touching_the_configuration(run_module, cloudfront):
    made = run_module(NAME, **SITE)
    etag = cloudfront.get_distribution(Id=made["distribution"]["id"])["ETag"]
    done = run_module(NAME, **{**SITE, "tags": {"Name": "shop", "Environment": "lab"}})
    assert done["changed"] and done["distribution"]["tags"] == {"Name": "shop", "Environment": "lab"}
    assert cloudfront.get_distribution(Id=made["distribution"]["id"])["ETag"] == etag


def test_a_distribution_that_lacks_the_tags_is_not_adopted(run_module, cloudfront):
    run_module(NAME, **SITE)
    run_module(NAME, **{**SITE, "tags": {"Name": "cafe"}})
    assert len(distributions(cloudfront)) == 2


def test_two_distributions_with_the_tags_are_a_question_not_a_guess(run_module, cloudfront):
    run_module(NAME, **{**SITE, "tags": {"Name": "shop", "Project": "a"}}, lookup_tags=["Name", "Project"])
    run_module(NAME, **{**SITE, "tags": {"Name": "shop", "Project": "b"}}, lookup_tags=["Name", "Project"])
    with pytest.raises(Exception, match=r"all have the tags .* give the id of the one you mean, or more lookup_tags"):
        run_module(NAME, check=True, **SITE)


def test_a_distribution_is_disabled_then_deleted_once(run_module, cloudfront):
    run_module(NAME, **SITE)
    planned = run_module(NAME, check=True, tags=TAGS, state="absent")
    assert len(distributions(cloudfront)) == 1
    done = run_module(NAME, tags=TAGS, state="absent")
    again = run_module(NAME, tags=TAGS, state="absent")
    assert planned["changed"] and done["changed"] and not again["changed"]
    assert distributions(cloudfront) == []


def test_without_waiting_a_distribution_is_disabled_now_and_deleted_by_a_later_task(run_module, cloudfront):
    made = run_module(NAME, **SITE)
    absent = {"tags": TAGS, "state": "absent", "wait": False}
    planned = run_module(NAME, check=True, **absent)
    begun = run_module(NAME, **absent)
    assert planned["changed"] and begun["changed"] and planned["diff"] == begun["diff"]
    assert planned["distribution"] == begun["distribution"] and "run the task again" in begun["msg"]
    assert not config(cloudfront, made)["Enabled"]

    planned = run_module(NAME, check=True, **absent)
    assert len(distributions(cloudfront)) == 1
    done, again = run_module(NAME, **absent), run_module(NAME, **absent)
    assert planned["changed"] and done["changed"] and not again["changed"]
    assert planned["diff"] == done["diff"] and done["distribution"] == {}
    assert distributions(cloudfront) == []


def test_spelling_and_repetition_are_no_change(run_module, cloudfront):
    asked = {
        **SITE,
        "origins": [{**BUCKET, "custom_headers": {"X-Version": 2}}],
        "aliases": ["Shop.example.com", "shop.example.com"],
        "viewer_certificate": {"acm_certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/shop"},
        "default_cache_behavior": {**PAGES, "allowed_methods": ["get", "HEAD", "GET"], "cached_methods": ["GET"]},
        "geo_restriction": {"restriction_type": "whitelist", "locations": ["kr", "KR"]},
    }
    there = config(cloudfront, run_module(NAME, **asked))
    assert there["Aliases"]["Items"] == ["shop.example.com"]
    assert there["Restrictions"]["GeoRestriction"]["Items"] == ["KR"]
    assert there["Origins"]["Items"][0]["CustomHeaders"]["Items"] == [{"HeaderName": "X-Version", "HeaderValue": "2"}]
    assert not run_module(NAME, **asked)["changed"]
    assert not run_module(NAME, **{**asked, "aliases": ["shop.example.com"]})["changed"]


def test_a_behaviour_that_names_no_origin_is_refused_in_check_mode_too(run_module):
    with pytest.raises(Exception, match=r"target_origin_id is asets, which is the id of no origin. Origins are assets"):
        run_module(NAME, check=True, **{**SITE, "default_cache_behavior": {"target_origin_id": "asets"}})
