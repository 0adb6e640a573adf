"""cloudfront_vpc_origin against the lab's API, and the replacement of a backend without an outage."""

from __future__ import annotations

import functools

import pytest
from botocore.client import BaseClient

NAME = "cloudfront_vpc_origin"
TAGS = {"Project": "shop", "Environment": "test"}


def origins(cloudfront):
    items = cloudfront.list_vpc_origins()["VpcOriginList"].get("Items", [])
    return [item for item in items if item["Status"] != "Deleting"]


def asked(arn, **more):
    return {"name": "backend", "arn": arn, "http_port": 8000, "origin_protocol_policy": "http-only", **more}


def test_check_mode_announces_a_new_origin_and_makes_none(run_module, cloudfront, backends):
    planned = run_module(NAME, check=True, **asked(backends[0], tags=TAGS))
    assert planned["changed"] and planned["superseded"] == []
    assert planned["vpc_origin"]["id"] == "(known after creation)"
    assert planned["diff"]["before"] == {}
    assert planned["diff"]["after"]["(known after creation)"] == {
        "VpcOriginEndpointConfig": {
            "Name": "backend",
            "Arn": backends[0],
            "HTTPPort": 8000,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
        },
        "Tags": TAGS,
    }
    assert origins(cloudfront) == []


def test_an_origin_is_begun_without_waiting_then_waited_for_then_left_alone(run_module, cloudfront, backends):
    begun = run_module(NAME, **asked(backends[0], tags=TAGS), wait=False)
    assert begun["changed"] and begun["vpc_origin"]["status"] == "Deploying"
    ready = run_module(NAME, **asked(backends[0], tags=TAGS))
    in_check_mode = run_module(NAME, check=True, **asked(backends[0], tags=TAGS))
    assert not ready["changed"] and not in_check_mode["changed"]
    assert ready["vpc_origin"]["status"] == "Deployed"
    assert ready["vpc_origin"]["tags"] == TAGS
    assert ready["vpc_origin"]["vpc_origin_endpoint_config"]["http_port"] == 8000
    assert len(origins(cloudfront)) == 1


def test_an_origin_that_nobody_uses_is_updated_in_place(run_module, cloudfront, backends):
    made = run_module(NAME, **asked(backends[0]))
    planned = run_module(NAME, check=True, **asked(backends[0], origin_ssl_protocols=["TLSv1.1", "TLSv1.2"]))
    done = run_module(NAME, **asked(backends[0], origin_ssl_protocols=["TLSv1.1", "TLSv1.2"]))
    assert planned["changed"] and planned["diff"] == done["diff"]
    assert done["vpc_origin"]["id"] == made["vpc_origin"]["id"]
    there = cloudfront.get_vpc_origin(Id=made["vpc_origin"]["id"])["VpcOrigin"]["VpcOriginEndpointConfig"]
    assert there["OriginSslProtocols"]["Items"] == ["TLSv1.1", "TLSv1.2"]


def test_tags_are_updated(run_module, cloudfront, backends):
    made = run_module(NAME, **asked(backends[0], tags={**TAGS, "Old": "yes"}))
    kept = run_module(NAME, **asked(backends[0], tags=TAGS, purge_tags=False))
    purged = run_module(NAME, **asked(backends[0], tags=TAGS))
    assert not kept["changed"] and purged["changed"]
    tags = cloudfront.list_tags_for_resource(Resource=made["vpc_origin"]["arn"])["Tags"]["Items"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == TAGS


def test_an_origin_of_the_name_with_other_tags_is_not_adopted(run_module, backends):
    run_module(NAME, **asked(backends[0], tags={"Project": "cafe"}))
    with pytest.raises(Exception, match=r"it is not this one. Choose another name, or tag it if it is yours"):
        run_module(NAME, check=True, **asked(backends[0], tags=TAGS, lookup_tags=["Project"]))


def test_an_origin_is_deleted_once(run_module, cloudfront, backends):
    run_module(NAME, **asked(backends[0]), wait=False)
    planned = run_module(NAME, name="backend", state="absent", check=True)
    assert len(origins(cloudfront)) == 1
    done = run_module(NAME, name="backend", state="absent")
    again = run_module(NAME, name="backend", state="absent")
    assert planned["changed"] and done["changed"] and not again["changed"]
    assert cloudfront.list_vpc_origins()["VpcOriginList"].get("Items", []) == []


class Site:
    """The three tasks of a playbook that keeps a distribution on the backend of the day."""

    def __init__(self, run_module, cloudfront):
        self.run_module, self.cloudfront = run_module, cloudfront

    def have_origin(self, arn, **more):
        return self.run_module(NAME, **asked(arn, tags=TAGS, lookup_tags=["Project", "Environment"], **more))

    def point_at(self, vpc_origin_id, **more):
        return self.run_module(
            "cloudfront_web_distribution",
            tags={"Name": "shop"},
            origins=[
                {
                    "id": "api",
                    "domain_name": "ip-10-0-0-4.internal",
                    "vpc_origin_config": {"vpc_origin_id": vpc_origin_id},
                }
            ],
            default_cache_behavior={"target_origin_id": "api", "cache_policy": "CachingDisabled"},
            **more,
        )

    def deploy(self, arn):
        origin = self.have_origin(arn)
        distribution = self.point_at(origin["vpc_origin"]["id"])
        cleaned = self.have_origin(arn, purge_superseded=True)
        return origin, distribution, cleaned

    def steps(self, arn):
        """The three tasks, each once the one before is done."""
        yield functools.partial(self.have_origin, arn)
        [there] = [item["Id"] for item in origins(self.cloudfront) if item["OriginEndpointArn"] == arn]
        yield functools.partial(self.point_at, there)
        yield functools.partial(self.have_origin, arn, purge_superseded=True)

    def serves_through(self):
        """The target of the origin that the distribution uses: at no time may there be none."""
        [summary] = self.cloudfront.list_distributions()["DistributionList"]["Items"]
        used = summary["Origins"]["Items"][0]["VpcOriginConfig"]["VpcOriginId"]
        return self.cloudfront.get_vpc_origin(Id=used)["VpcOrigin"]["VpcOriginEndpointConfig"]["Arn"]


@pytest.fixture
def site(run_module, cloudfront):
    return Site(run_module, cloudfront)


def test_replacing_the_backend_replaces_its_origin_without_an_outage(site, cloudfront, backends):
    old, new = backends
    site.deploy(old)
    assert site.serves_through() == old

    replacement = site.have_origin(new)
    assert replacement["changed"]
    assert [len(item["distributions"]) for item in replacement["superseded"]] == [1]
    assert site.serves_through() == old
    assert len(origins(cloudfront)) == 2

    still_in_use = site.have_origin(new, purge_superseded=True)
    assert not still_in_use["changed"] and len(origins(cloudfront)) == 2

    repointed = site.point_at(replacement["vpc_origin"]["id"])
    assert repointed["changed"] and repointed["distribution"]["status"] == "Deployed"
    assert site.serves_through() == new

    planned = site.have_origin(new, purge_superseded=True, check=True)
    assert planned["changed"] and len(origins(cloudfront)) == 2
    cleaned = site.have_origin(new, purge_superseded=True)
    assert cleaned["changed"] and cleaned["superseded"] == []
    assert [item["OriginEndpointArn"] for item in origins(cloudfront)] == [new]
    assert site.serves_through() == new

    assert [task["changed"] for task in site.deploy(new)] == [False, False, False]


class Killed(BaseException):
    """What a kill -9 is to a module in this process: nothing handles it, and nothing more is asked for."""


class Changes:
    """What modules change, looked at after each change by a client of its own; ``last`` is the one to be killed at."""

    def __init__(self, cloudfront):
        self.cloudfront, self.made, self.outages, self.last = cloudfront, [], [], None

    def after(self, operation):
        if operation.startswith(("Get", "List")):
            return
        self.made.append(operation)
        [distribution] = self.cloudfront.list_distributions()["DistributionList"]["Items"]
        used = distribution["Origins"]["Items"][0]["VpcOriginConfig"]["VpcOriginId"]
        if used not in [item["Id"] for item in origins(self.cloudfront)]:
            self.outages.append(operation)
        if operation == self.last:
            raise Killed


@pytest.fixture
def changes(site, cloudfront, backends, monkeypatch):
    """Those that are made from now on, with the old backend's origin in place."""
    site.deploy(backends[0])
    changes, ask = Changes(cloudfront), BaseClient._make_api_call

    def asked(client, operation, parameters):
        answer = ask(client, operation, parameters)
        if client is not cloudfront:
            changes.after(operation)
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", asked)
    return changes


def run_planned(steps, changes):
    """Run each task after its check mode, which is to foretell whether it changes anything, and to change nothing."""
    for step in steps:
        made = len(changes.made)
        planned = step(check=True)
        assert len(changes.made) == made
        assert planned["changed"] == step()["changed"] == (len(changes.made) > made)


REPLACEMENT = ["CreateVpcOrigin", "UpdateDistribution", "DeleteVpcOrigin"]


def test_a_replacement_is_three_changes_and_check_mode_foretells_each(site, changes, backends):
    run_planned(site.steps(backends[1]), changes)
    assert (changes.made, changes.outages) == (REPLACEMENT, [])


@pytest.mark.parametrize("last", REPLACEMENT)
def test_a_replacement_killed_after_any_change_converges_when_run_again(site, changes, cloudfront, backends, last):
    new, changes.last = backends[1], last
    with pytest.raises(Killed):
        site.deploy(new)
    changes.last = None
    run_planned(site.steps(new), changes)
    assert (changes.made, changes.outages) == (REPLACEMENT, [])
    assert site.serves_through() == new
    assert [item["OriginEndpointArn"] for item in cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]] == [new]


def test_going_back_to_a_backend_takes_its_origin_back(site, cloudfront, backends):
    old, new = backends
    first, _, _ = site.deploy(old)
    site.point_at(site.have_origin(new)["vpc_origin"]["id"])
    back, _, _ = site.deploy(old)
    assert back["vpc_origin"]["id"] == first["vpc_origin"]["id"] and site.serves_through() == old


def test_an_origin_in_use_is_not_deleted_and_the_distribution_is_named(site, run_module, cloudfront, backends):
    _, distribution, _ = site.deploy(backends[0])
    identifier = distribution["distribution"]["id"]
    for check in (True, False):
        with pytest.raises(Exception, match=f"is used by distribution {identifier}: change or delete that first"):
            run_module(NAME, name="backend", state="absent", check=check)
    assert len(origins(cloudfront)) == 1
