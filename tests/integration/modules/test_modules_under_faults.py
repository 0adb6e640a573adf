"""The modules when AWS throttles them, and when the answer to a request is lost after the work was done."""

from __future__ import annotations

import boto3
import pytest

from tests import kill

SITE = {
    "tags": {"Name": "shop"},
    "origins": [{"id": "assets", "domain_name": "assets.s3.ap-northeast-2.amazonaws.com"}],
    "default_cache_behavior": {"target_origin_id": "assets"},
}
CODE = "function handler(event) { return event.request; }"
OTHER_CODE = "function handler(event) { event.request.uri = '/'; return event.request; }"


def invalidations(cloudfront, task):
    return cloudfront.list_invalidations(DistributionId=task["distribution_id"])["InvalidationList"]


@pytest.fixture
def tasks(run_module, backends):
    """For each module: a task that makes something, or looks for it."""
    instance = boto3.client("ec2").describe_instances()["Reservations"][0]["Instances"][0]
    vpc, subnet = instance["VpcId"], instance["SubnetId"]
    table = boto3.client("ec2").describe_route_tables()["RouteTables"][0]["RouteTableId"]
    cafe = run_module("cloudfront_web_distribution", **{**SITE, "tags": {"Name": "cafe"}}, wait=False)
    gateway = [{"destination": "0.0.0.0/0", "target": "internet_gateway"}]
    return {
        "cloudfront_origin_access_control": {"name": "assets"},
        "cloudfront_function": {"name": "pages", "code": CODE},
        "cloudfront_vpc_origin": {"name": "backend", "arn": backends[0], "origin_protocol_policy": "http-only"},
        "cloudfront_web_distribution": SITE,
        "ec2_instance_connect_endpoint": {"subnet_id": subnet, "tags": {"Name": "shop"}},
        "ec2_routing_table": {"vpc_id": vpc, "routes": gateway, "subnets": [subnet], "tags": {"Name": "shop"}},
        "ec2_gateway_endpoint": {
            "vpc_id": vpc,
            "service": "com.amazonaws.ap-northeast-2.s3",
            "route_table_ids": [table],
            "tags": {"Name": "shop"},
        },
        "cloudfront_cache_invalidation": {
            "distribution_id": cafe["distribution"]["id"],
            "paths": ["/*"],
            "caller_reference": "release-42",
        },
        "s3_private_bucket": {"name": "shop-site", "tags": {"Project": "shop"}},
        "cloudfront_vpc_origin_info": {"name": "backend"},
        "cloudfront_web_distribution_info": {"tags": {"Name": "shop"}},
        "deployment_resources_info": {"tags": {"Name": "shop"}, "prefix": "shop", "secrets_prefix": "shop/"},
        "ec2_deployment_info": {
            "tags": {"Name": "shop"},
            "bucket": "shop-site",
            "function": "shop",
            "schedule": "shop",
        },
        "ec2_managed_prefix_list_info": {"names": ["com.amazonaws.global.cloudfront.origin-facing"]},
    }


MODULES = [
    "cloudfront_cache_invalidation",
    "cloudfront_function",
    "cloudfront_origin_access_control",
    "cloudfront_vpc_origin",
    "cloudfront_vpc_origin_info",
    "cloudfront_web_distribution",
    "cloudfront_web_distribution_info",
    "deployment_resources_info",
    "ec2_deployment_info",
    "ec2_gateway_endpoint",
    "ec2_instance_connect_endpoint",
    "ec2_managed_prefix_list_info",
    "ec2_routing_table",
    "s3_private_bucket",
]
# What may happen to a look at what is there: no answer, or no time for one.
TROUBLES = [{"kind": "drop_after"}, {"kind": "throttle", "times": 2}, {"kind": "error", "status": 500, "times": 2}]


@pytest.mark.parametrize("name", MODULES)
def test_a_task_that_is_done_looks_again_whatever_becomes_of_each_of_its_looks(run_module, tasks, order, api, name):
    run_module(name, **tasks[name])
    kill.forget(api)
    quiet, looks = run_module(name, **tasks[name]), kill.asked(api)
    assert not quiet["changed"]
    for trouble in TROUBLES:
        kill.forget(api)
        for service, actions in looks.items():
            for action in actions:
                order(service=service, action=action, **trouble)
        assert run_module(name, **tasks[name]) == quiet, trouble
        again = kill.asked(api)
        assert all(
            again[service][action] > count for service, found in looks.items() for action, count in found.items()
        )


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("cloudfront_cache_invalidation", "cloudfront"),
        ("cloudfront_origin_access_control", "cloudfront"),
        ("cloudfront_function", "cloudfront"),
        ("cloudfront_vpc_origin", "cloudfront"),
        ("cloudfront_web_distribution", "cloudfront"),
        ("ec2_instance_connect_endpoint", "ec2"),
    ],
)
def test_throttling_slows_a_task_down_and_fails_it_not(run_module, tasks, order, name, service):
    order(kind="throttle", service=service, times=12)  # boto3 alone gives up after five
    assert run_module(name, **tasks[name])["changed"]
    assert not run_module(name, **tasks[name])["changed"]


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("cloudfront_cache_invalidation", "CreateInvalidation"),
        ("cloudfront_origin_access_control", "CreateOriginAccessControl"),
        ("cloudfront_function", "CreateFunction"),
        ("cloudfront_function", "PublishFunction"),
        ("cloudfront_vpc_origin", "CreateVpcOrigin"),
        ("cloudfront_web_distribution", "CreateDistributionWithTags"),
        ("ec2_instance_connect_endpoint", "CreateInstanceConnectEndpoint"),
        # CreateRouteTable and CreateVpcEndpoint have tokens, which the lab does not remember.
        ("ec2_routing_table", "CreateRoute"),
        ("ec2_routing_table", "AssociateRouteTable"),
    ],
)
def test_a_creation_whose_answer_is_lost_makes_one_thing_and_the_task_succeeds(
    run_module, tasks, order, cloudfront, ec2, name, action
):
    made = {
        "cloudfront_cache_invalidation": lambda: invalidations(cloudfront, tasks[name]),
        "cloudfront_origin_access_control": lambda: cloudfront.list_origin_access_controls()["OriginAccessControlList"],
        "cloudfront_function": lambda: cloudfront.list_functions(Stage="LIVE")["FunctionList"],
        "cloudfront_vpc_origin": lambda: cloudfront.list_vpc_origins()["VpcOriginList"],
        "cloudfront_web_distribution": lambda: cloudfront.list_distributions()["DistributionList"],
        "ec2_instance_connect_endpoint": lambda: {
            "Items": ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
        },
        "ec2_routing_table": lambda: {"Items": ec2.describe_route_tables()["RouteTables"]},
    }
    before = made[name]().get("Items", [])
    order(kind="drop_after", action=action)
    assert run_module(name, **tasks[name])["changed"]
    assert not run_module(name, **tasks[name])["changed"]
    assert len(made[name]()["Items"]) == len(before) + 1


def test_an_invalidation_without_a_reference_of_its_own_is_made_once_too(run_module, tasks, order, cloudfront, api):
    task = {**tasks["cloudfront_cache_invalidation"], "caller_reference": None}
    order(kind="drop_after", action="CreateInvalidation")
    assert run_module("cloudfront_cache_invalidation", **task)["changed"]
    assert len(invalidations(cloudfront, task)["Items"]) == 1
    assert kill.asked(api)["cloudfront"]["CreateInvalidation"] == 2


TAGGED = {"tags": {"Name": "shop", "Old": "yes"}}
NOTHING = {"Version": "2012-10-17", "Statement": []}
RETAGGED = {"tags": {"Name": "shop", "New": "yes"}}


@pytest.mark.parametrize(
    ("name", "action", "change"),
    [
        ("ec2_instance_connect_endpoint", "ModifyInstanceConnectEndpoint", {"preserve_client_ip": True}),
        ("ec2_instance_connect_endpoint", "CreateTags", RETAGGED),
        ("ec2_instance_connect_endpoint", "DeleteTags", RETAGGED),
        ("ec2_gateway_endpoint", "ModifyVpcEndpoint", {"policy": NOTHING}),
        ("ec2_gateway_endpoint", "DeleteTags", {"tags": {"Name": "shop"}}),
        ("ec2_routing_table", "DeleteRoute", {"routes": []}),
        ("cloudfront_function", "TagResource", RETAGGED),
        ("cloudfront_function", "UntagResource", RETAGGED),
        ("cloudfront_vpc_origin", "TagResource", RETAGGED),
        ("cloudfront_vpc_origin", "UntagResource", RETAGGED),
        ("cloudfront_web_distribution", "TagResource", RETAGGED),
        ("cloudfront_web_distribution", "UntagResource", RETAGGED),
        ("cloudfront_origin_access_control", "UpdateOriginAccessControl", {"description": "changed"}),
        ("cloudfront_function", "UpdateFunction", {"code": OTHER_CODE}),
        ("cloudfront_vpc_origin", "UpdateVpcOrigin", {"http_port": 8000}),
        ("cloudfront_web_distribution", "UpdateDistribution", {"comment": "changed"}),
    ],
)
def test_an_update_whose_answer_is_lost_is_made_once(run_module, tasks, order, api, name, action, change):
    tagged = TAGGED if "tags" in change else {}
    run_module(name, **{**tasks[name], **tagged})
    order(kind="drop_after", action=action)
    kill.forget(api)
    assert run_module(name, **{**tasks[name], **change})["changed"]
    assert sum(actions.get(action, 0) for actions in kill.asked(api).values()) == 2
    assert not run_module(name, **{**tasks[name], **change})["changed"]


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("cloudfront_origin_access_control", "DeleteOriginAccessControl"),
        ("cloudfront_function", "DeleteFunction"),
        ("cloudfront_vpc_origin", "DeleteVpcOrigin"),
        ("cloudfront_web_distribution", "DeleteDistribution"),
        ("ec2_instance_connect_endpoint", "DeleteInstanceConnectEndpoint"),
    ],
)
def test_a_deletion_whose_answer_is_lost_is_a_deletion(run_module, tasks, order, name, action):
    run_module(name, **tasks[name])
    order(kind="drop_after", action=action)
    identity = {key: tasks[name][key] for key in ("name", "tags") if key in tasks[name]}
    assert run_module(name, **identity, state="absent")["changed"]
    assert not run_module(name, **identity, state="absent")["changed"]
