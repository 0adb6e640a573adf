"""ec2_instance_connect_endpoint against the lab's API."""

from __future__ import annotations

import pytest

NAME = "ec2_instance_connect_endpoint"
TAGS = {"Name": "shop", "Project": "shop"}


@pytest.fixture
def subnets(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"] for number in range(2)]


@pytest.fixture
def groups(ec2, subnets):
    vpc = ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    return [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("one", "two")
    ]


def endpoints(ec2):
    found = ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
    return [endpoint for endpoint in found if not endpoint["State"].startswith("delete")]


def test_check_mode_announces_a_new_endpoint_and_makes_none(run_module, ec2, subnets):
    planned = run_module(NAME, check=True, subnet_id=subnets[0], tags=TAGS)
    assert planned["changed"]
    assert planned["diff"] == {"before": {}, "after": {"SubnetId": subnets[0], "Tags": TAGS}}
    assert planned["instance_connect_endpoint"]["instance_connect_endpoint_id"] == "(known after creation)"
    assert endpoints(ec2) == []


def test_an_endpoint_is_created_with_its_tags_and_then_left_alone(run_module, ec2, subnets, groups):
    asked = {"subnet_id": subnets[0], "security_group_ids": groups[:1], "tags": TAGS}
    begun = run_module(NAME, **asked, wait=False)
    assert begun["instance_connect_endpoint"]["state"] == "create-in-progress"
    ready = run_module(NAME, **asked)
    in_check_mode = run_module(NAME, **asked, check=True)
    assert begun["changed"] and not ready["changed"] and not in_check_mode["changed"]
    assert ready["instance_connect_endpoint"]["state"] == "create-complete"
    assert ready["instance_connect_endpoint"]["tags"] == TAGS
    assert len(endpoints(ec2)) == 1


def test_an_update_says_what_it_changes(run_module, ec2, subnets, groups):
    run_module(NAME, subnet_id=subnets[0], security_group_ids=groups[:1], tags={**TAGS, "Old": "yes"})
    asked = {"subnet_id": subnets[0], "security_group_ids": groups, "tags": TAGS}
    planned = run_module(NAME, **asked, check=True)
    assert endpoints(ec2)[0]["SecurityGroupIds"] == groups[:1]
    done = run_module(NAME, **asked)
    assert planned["changed"] and planned["diff"] == done["diff"]
    assert done["diff"]["before"]["Tags"] == {**TAGS, "Old": "yes"}
    assert sorted(endpoints(ec2)[0]["SecurityGroupIds"]) == sorted(groups)
    assert done["instance_connect_endpoint"]["tags"] == TAGS
    assert not run_module(NAME, **asked)["changed"]


def test_an_endpoint_in_another_subnet_is_refused_with_what_to_do(run_module, subnets):
    run_module(NAME, subnet_id=subnets[0], tags=TAGS)
    with pytest.raises(Exception, match=rf"stands in {subnets[0]}, and AWS moves none: delete it with state absent"):
        run_module(NAME, check=True, subnet_id=subnets[1], tags=TAGS)


def test_an_endpoint_is_deleted_once_and_can_be_made_again(run_module, ec2, subnets):
    run_module(NAME, subnet_id=subnets[0], tags=TAGS)
    planned = run_module(NAME, tags=TAGS, state="absent", check=True)
    assert len(endpoints(ec2)) == 1
    done = run_module(NAME, tags=TAGS, state="absent")
    again = run_module(NAME, tags=TAGS, state="absent")
    assert planned["changed"] and done["changed"] and not again["changed"]
    assert endpoints(ec2) == []
    assert run_module(NAME, subnet_id=subnets[1], tags=TAGS)["changed"]


def test_a_tag_that_identifies_must_be_among_the_tags(run_module, subnets):
    with pytest.raises(Exception, match="lookup_tags names 'Environment', which tags does not have: add it to tags"):
        run_module(NAME, check=True, subnet_id=subnets[0], tags=TAGS, lookup_tags=["Name", "Environment"])
