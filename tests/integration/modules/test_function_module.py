"""cloudfront_function against the lab's API."""

from __future__ import annotations

import pytest

NAME = "cloudfront_function"
CODE = "function handler(event) { return event.request; }\n"
OTHER_CODE = "function handler(event) { event.request.uri = '/index.html'; return event.request; }\n"


def live_code(cloudfront):
    return cloudfront.get_function(Name="pages", Stage="LIVE")["FunctionCode"].read().decode()


def test_check_mode_announces_a_new_function_and_makes_none(run_module, cloudfront):
    planned = run_module(NAME, check=True, name="pages", code=CODE, tags={"Project": "shop"})
    assert planned["changed"]
    assert planned["diff"]["before"] == {}
    assert planned["diff"]["after"]["LIVE"]["FunctionCode"] == CODE
    assert planned["diff"]["after"]["Tags"] == {"Project": "shop"}
    assert planned["function"]["arn"] == "(known after creation)"
    assert cloudfront.list_functions()["FunctionList"].get("Items", []) == []


def test_a_function_is_created_with_its_tags_published_and_then_left_alone(run_module, cloudfront):
    made = run_module(NAME, name="pages", code=CODE, tags={"Project": "shop"})
    assert made["changed"] and made["function"]["published"]
    assert live_code(cloudfront) == CODE
    tags = cloudfront.list_tags_for_resource(Resource=made["function"]["arn"])["Tags"]["Items"]
    assert tags == [{"Key": "Project", "Value": "shop"}]
    again = run_module(NAME, name="pages", code=CODE, tags={"Project": "shop"})
    in_check_mode = run_module(NAME, name="pages", code=CODE, check=True)
    assert not again["changed"] and not in_check_mode["changed"]
    assert again["function"] == made["function"]


def test_new_code_is_announced_then_live(run_module, cloudfront):
    run_module(NAME, name="pages", code=CODE)
    planned = run_module(NAME, name="pages", code=OTHER_CODE, check=True)
    assert live_code(cloudfront) == CODE
    done = run_module(NAME, name="pages", code=OTHER_CODE)
    assert planned["changed"] and planned["diff"] == done["diff"]
    assert done["diff"]["before"]["LIVE"]["FunctionCode"] == CODE
    assert done["diff"]["after"]["LIVE"]["FunctionCode"] == OTHER_CODE
    assert live_code(cloudfront) == OTHER_CODE
    assert not run_module(NAME, name="pages", code=OTHER_CODE)["changed"]


def test_without_publish_what_distributions_run_stays(run_module, cloudfront):
    run_module(NAME, name="pages", code=CODE)
    edited = run_module(NAME, name="pages", code=OTHER_CODE, publish=False)
    assert edited["changed"] and not edited["function"]["published"]
    assert live_code(cloudfront) == CODE
    assert not run_module(NAME, name="pages", code=OTHER_CODE, publish=False)["changed"]
    assert run_module(NAME, name="pages", code=OTHER_CODE)["changed"]
    assert live_code(cloudfront) == OTHER_CODE


def test_tags_are_updated_without_publishing_again(run_module, cloudfront):
    run_module(NAME, name="pages", code=CODE, tags={"Project": "shop", "Old": "yes"})
    done = run_module(NAME, name="pages", code=CODE, tags={"Project": "cafe"})
    assert done["changed"] and done["diff"]["after"]["Tags"] == {"Project": "cafe"}
    tags = cloudfront.list_tags_for_resource(Resource=done["function"]["arn"])["Tags"]["Items"]
    assert tags == [{"Key": "Project", "Value": "cafe"}]


def test_code_that_cloudfront_would_refuse_for_its_size_is_refused_in_check_mode_too(run_module):
    with pytest.raises(Exception, match="code is 10241 bytes long, and CloudFront takes 10240: shorten or minify it"):
        run_module(NAME, check=True, name="pages", code="x" * 10241)


def test_a_function_is_deleted_once(run_module, cloudfront):
    run_module(NAME, name="pages", code=CODE)
    planned = run_module(NAME, name="pages", state="absent", check=True)
    assert live_code(cloudfront) == CODE
    done = run_module(NAME, name="pages", state="absent")
    again = run_module(NAME, name="pages", state="absent")
    assert planned["changed"] and done["changed"] and not again["changed"]
    assert cloudfront.list_functions()["FunctionList"].get("Items", []) == []


def test_a_function_in_use_is_not_deleted_and_the_distribution_is_named(run_module, cloudfront):
    pages = run_module(NAME, name="pages", code=CODE)["function"]["arn"]
    distribution = run_module(
        "cloudfront_web_distribution",
        tags={"Name": "shop"},
        origins=[{"id": "assets", "domain_name": "assets.s3.ap-northeast-2.amazonaws.com"}],
        default_cache_behavior={
            "target_origin_id": "assets",
            "function_associations": [{"event_type": "viewer-request", "function_arn": pages}],
        },
    )["distribution"]["id"]
    for check in (True, False):
        with pytest.raises(
            Exception, match=f"used by distribution {distribution}: take it out of their function_assoc"
        ):
            run_module(NAME, name="pages", state="absent", check=check)
    assert live_code(cloudfront) == CODE
