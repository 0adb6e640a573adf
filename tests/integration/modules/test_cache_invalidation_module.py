"""cloudfront_cache_invalidation against the lab's API."""

from __future__ import annotations

import pytest

NAME = "cloudfront_cache_invalidation"


@pytest.fixture
def distribution(run_module):
    done = run_module(
        "cloudfront_web_distribution",
        tags={"Name": "shop"},
        origins=[{"id": "assets", "domain_name": "assets.s3.ap-northeast-2.amazonaws.com"}],
        default_cache_behavior={"target_origin_id": "assets"},
    )
    return done["distribution"]["id"]


def made(cloudfront, distribution):
    items = cloudfront.list_invalidations(DistributionId=distribution)["InvalidationList"].get("Items", [])
    batches = [cloudfront.get_invalidation(DistributionId=distribution, Id=item["Id"]) for item in items]
    return [sorted(batch["Invalidation"]["InvalidationBatch"]["Paths"]["Items"]) for batch in batches]


def test_check_mode_announces_the_paths_and_invalidates_none(run_module, cloudfront, distribution):
    planned = run_module(NAME, check=True, distribution_id=distribution, paths=["/index.html", "/"])
    assert planned["changed"] and planned["invalidations"] == []
    assert planned["diff"] == {"before": {}, "after": {"Paths": ["/", "/index.html"]}}
    assert made(cloudfront, distribution) == []


def test_paths_are_invalidated_and_waited_for(run_module, cloudfront, distribution):
    done = run_module(NAME, distribution_id=distribution, paths=["/index.html", "/"], wait=True)
    assert done["changed"]
    assert [item["status"] for item in done["invalidations"]] == ["Completed"]
    assert made(cloudfront, distribution) == [["/", "/index.html"]]


def test_no_paths_need_no_invalidation(run_module, cloudfront, distribution):
    assert not run_module(NAME, distribution_id=distribution, paths=[])["changed"]
    assert made(cloudfront, distribution) == []


def test_an_interrupted_release_is_invalidated_once(run_module, cloudfront, distribution):
    asked = {"distribution_id": distribution, "paths": ["/*"], "caller_reference": "release-42"}
    first, again = run_module(NAME, **asked), run_module(NAME, **asked)
    in_check_mode = run_module(NAME, check=True, **asked)
    assert first["changed"] and not again["changed"] and not in_check_mode["changed"]
    assert again["invalidations"][0]["id"] == first["invalidations"][0]["id"]
    assert made(cloudfront, distribution) == [["/*"]]


def test_a_reference_that_stands_for_other_paths_is_refused(run_module, distribution):
    run_module(NAME, distribution_id=distribution, paths=["/a"], caller_reference="release-42")
    with pytest.raises(Exception, match="caller_reference release-42 was used for the other paths of invalidation"):
        run_module(NAME, check=True, distribution_id=distribution, paths=["/b"], caller_reference="release-42")


def test_more_wildcards_than_cloudfront_takes_go_in_turns(run_module, cloudfront, distribution):
    paths = [f"/{number}/*" for number in range(20)]
    done = run_module(NAME, distribution_id=distribution, paths=paths)
    assert len(done["invalidations"]) == 2
    assert sorted(path for batch in made(cloudfront, distribution) for path in batch) == sorted(paths)


def test_a_distribution_that_is_not_there_is_an_error_in_check_mode_too(run_module, api):
    with pytest.raises(Exception, match=r"Could not read distribution EMISSING. Check distribution_id"):
        run_module(NAME, check=True, distribution_id="EMISSING", paths=["/*"])


def test_a_plan_of_a_first_deployment_needs_no_distribution_yet(run_module):
    planned = run_module(NAME, check=True, distribution_id="(known after creation)", paths=["/*"])
    assert planned["changed"]
