"""cloudfront_origin_access_control against the lab's API."""

from __future__ import annotations

import pytest

NAME = "cloudfront_origin_access_control"


def controls(cloudfront):
    return cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items", [])


def test_check_mode_announces_a_new_control_and_makes_none(run_module, cloudfront):
    planned = run_module(NAME, check=True, name="assets")
    assert planned["changed"]
    assert planned["diff"] == {
        "before": {},
        "after": {
            "Name": "assets",
            "Description": "",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        },
    }
    assert planned["origin_access_control"]["id"] == "(known after creation)"
    assert controls(cloudfront) == []


def test_a_control_is_created_once_and_then_left_alone(run_module, cloudfront):
    made = run_module(NAME, name="assets", description="The frontend")
    again = run_module(NAME, name="assets")
    in_check_mode = run_module(NAME, name="assets", check=True)
    assert made["changed"] and not again["changed"] and not in_check_mode["changed"]
    assert [control["Id"] for control in controls(cloudfront)] == [again["origin_access_control"]["id"]]
    assert again["origin_access_control"]["description"] == "The frontend"


def test_an_update_says_what_it_changes(run_module, cloudfront):
    run_module(NAME, name="assets")
    planned = run_module(NAME, name="assets", signing_behavior="no-override", check=True)
    assert controls(cloudfront)[0]["SigningBehavior"] == "always"
    done = run_module(NAME, name="assets", signing_behavior="no-override")
    assert planned["changed"] and planned["diff"] == done["diff"]
    assert done["diff"]["before"]["SigningBehavior"] == "always"
    assert done["diff"]["after"]["SigningBehavior"] == "no-override"
    assert controls(cloudfront)[0]["SigningBehavior"] == "no-override"


def test_a_control_is_deleted_once(run_module, cloudfront):
    run_module(NAME, name="assets")
    planned = run_module(NAME, name="assets", state="absent", check=True)
    assert len(controls(cloudfront)) == 1
    done = run_module(NAME, name="assets", state="absent")
    again = run_module(NAME, name="assets", state="absent")
    assert planned["changed"] and done["changed"] and not again["changed"]
    assert controls(cloudfront) == []


def test_a_control_in_use_is_not_deleted_and_the_distribution_is_named(run_module, cloudfront):
    access = run_module(NAME, name="assets")["origin_access_control"]["id"]
    bucket = {
        "id": "assets",
        "domain_name": "assets.s3.ap-northeast-2.amazonaws.com",
        "origin_access_control_id": access,
    }
    distribution = run_module(
        "cloudfront_web_distribution",
        tags={"Name": "shop"},
        origins=[bucket],
        default_cache_behavior={"target_origin_id": "assets"},
    )["distribution"]["id"]
    for check in (True, False):
        with pytest.raises(Exception, match=f"used by distribution {distribution}: change or delete that first"):
            run_module(NAME, name="assets", state="absent", check=check)
    assert len(controls(cloudfront)) == 1
