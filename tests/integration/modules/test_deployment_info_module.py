"""ec2_deployment_info against the lab's API: what a deployment has, and nothing of what others have."""

from __future__ import annotations

import io
import json
import zipfile

import boto3
import pytest

from tests import kill

NAME = "ec2_deployment_info"
TAGS = {"Project": "shop", "Environment": "test"}
OTHERS = {"Project": "shop", "Environment": "production"}
BUCKET = "shop-test-site"
VPC_ACCESS = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


def tagged(kind, tags):
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


class Environment:
    """A VPC with one of everything that verify looks at."""

    def __init__(self, ec2, tags):
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc", tags))["Vpc"]["VpcId"]
        self.subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=gateway)
        self.nat = ec2.create_nat_gateway(
            SubnetId=self.subnet,
            AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"],
            TagSpecifications=tagged("natgateway", tags),
        )["NatGateway"]["NatGatewayId"]
        self.group = ec2.create_security_group(GroupName="backend", Description="backend", VpcId=self.vpc)["GroupId"]
        permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[permission])
        self.instance = ec2.run_instances(
            ImageId=ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
            MinCount=1,
            MaxCount=1,
            SubnetId=self.subnet,
            TagSpecifications=tagged("instance", tags),
        )["Instances"][0]["InstanceId"]


@pytest.fixture
def ours(ec2):
    return Environment(ec2, TAGS)


@pytest.fixture
def theirs(ec2):
    return Environment(ec2, OTHERS)


def identifiers(deployment):
    """The identifiers of what was found, by kind."""
    keys = {
        "vpcs": "vpc_id",
        "subnets": "subnet_id",
        "route_tables": "vpc_id",
        "nat_gateways": "nat_gateway_id",
        "instances": "instance_id",
    }
    return {kind: {item[key] for item in deployment[kind]} for kind, key in keys.items()}


@pytest.mark.parametrize("check", [False, True])
def test_a_deployment_is_read_whole_and_no_other_one_with_it(run_module, ours, theirs, check):
    told = run_module(NAME, tags=TAGS, check=check)
    assert not told["changed"]
    deployment = told["deployment"]
    assert identifiers(deployment) == {
        "vpcs": {ours.vpc},
        "subnets": {ours.subnet},
        "route_tables": {ours.vpc},
        "nat_gateways": {ours.nat},
        "instances": {ours.instance},
    }
    volumes = {link["instance_id"] for volume in deployment["volumes"] for link in volume["attachments"]}
    assert volumes == {ours.instance}
    groups = {group["group_name"]: group["group_id"] for group in deployment["security_groups"]}
    assert groups["backend"] == ours.group
    rules = [rule for rule in deployment["security_group_rules"] if not rule["is_egress"]]
    assert {rule["group_id"] for rule in rules} <= set(groups.values())
    assert [rule["cidr_ipv4"] for rule in rules if rule["group_id"] == ours.group] == ["10.0.0.0/8"]


def test_a_nat_gateway_that_is_deleted_but_still_listed_is_not_there(run_module, ours, ec2):
    ec2.delete_nat_gateway(NatGatewayId=ours.nat)
    assert ec2.describe_nat_gateways()["NatGateways"] != []
    assert run_module(NAME, tags=TAGS)["deployment"]["nat_gateways"] == []


def test_an_empty_account_has_nothing_and_its_default_vpc_is_nobodys(run_module):
    deployment = run_module(NAME, tags=TAGS, bucket=BUCKET)["deployment"]
    bucket = deployment.pop("bucket")
    assert bucket == {"name": BUCKET, "exists": False, "public_access_block": None, "policy": None}
    assert {kind: found for kind, found in deployment.items() if found} == {}


@pytest.fixture
def collector(api, ours):
    """A function in the VPC, and a schedule of its name."""
    iam, roles = boto3.client("iam"), {}
    for service in ("lambda", "scheduler"):
        trusted = {"Service": f"{service}.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        roles[service] = iam.create_role(RoleName=service, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="lambda", PolicyArn=VPC_ACCESS)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    functions = boto3.client("lambda")
    function = functions.create_function(
        FunctionName="collector",
        Runtime="python3.13",
        Role=roles["lambda"],
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"TOKEN": "nobody's"}},
        VpcConfig={"SubnetIds": [ours.subnet], "SecurityGroupIds": [ours.group]},
    )["FunctionArn"]
    functions.get_waiter("function_active").wait(FunctionName="collector")
    boto3.client("scheduler").create_schedule(
        Name="collector",
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": function, "RoleArn": roles["scheduler"]},
    )
    return function


def test_a_function_and_its_schedule_are_told_and_what_the_function_is_given_is_not(run_module, ours, collector):
    told = run_module(NAME, tags=TAGS, function="collector", schedule="collector")["deployment"]
    function, schedule = told["function"], told["schedule"]
    assert (function["function_arn"], function["runtime"], function["state"]) == (collector, "python3.13", "Active")
    assert function["vpc_config"]["subnet_ids"] == [ours.subnet]
    assert function["vpc_config"]["security_group_ids"] == [ours.group]
    assert "environment" not in function
    assert (schedule["schedule_expression"], schedule["state"]) == ("rate(1 minute)", "ENABLED")
    assert schedule["target"]["arn"] == collector


def test_a_function_and_a_schedule_that_are_not_there_are_none(run_module, collector):
    told = run_module(NAME, tags=TAGS, function="other", schedule="other")["deployment"]
    assert (told["function"], told["schedule"]) == (None, None)


def test_nobody_is_asked_for_what_has_no_name(run_module, collector, api):
    kill.forget(api)
    told = run_module(NAME, tags=TAGS)["deployment"]
    assert (told["function"], told["schedule"]) == (None, None)
    assert not {"lambda", "scheduler"} & {*kill.asked(api)}


def test_who_may_not_look_for_a_function_is_told_what_the_credentials_need(run_module, order):
    order(kind="error", action="GetFunctionConfiguration", status=403, code="AccessDeniedException")
    with pytest.raises(Exception, match="need lambda:GetFunctionConfiguration and scheduler:GetSchedule"):
        run_module(NAME, tags=TAGS, function="other", schedule="other")


def test_a_distribution_is_found_by_its_tags(run_module, ours):
    site = {
        "origins": [{"id": "assets", "domain_name": "assets.s3.ap-northeast-2.amazonaws.com"}],
        "default_cache_behavior": {"target_origin_id": "assets"},
    }
    mine = run_module("cloudfront_web_distribution", tags={**TAGS, "Name": "mine"}, **site)["distribution"]
    run_module("cloudfront_web_distribution", tags={**OTHERS, "Name": "theirs"}, **site)
    found = run_module(NAME, tags=TAGS)["deployment"]["distributions"]
    assert [each["id"] for each in found] == [mine["id"]]


def test_a_buckets_protection_is_told_as_it_is(run_module, api):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    bare = run_module(NAME, tags=TAGS, bucket=BUCKET)["deployment"]["bucket"]
    assert bare["exists"] and bare["policy"] is None
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": False,
    }
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=block)
    told = run_module(NAME, tags=TAGS, bucket=BUCKET)["deployment"]["bucket"]
    assert told == {"name": BUCKET, "exists": True, "public_access_block": block, "policy": policy}


def test_who_may_not_look_is_told_what_the_credentials_need(run_module, order, ours):
    order(kind="error", action="DescribeSubnets", status=403, code="UnauthorizedOperation")
    with pytest.raises(Exception, match="The credentials need ec2:Describe"):
        run_module(NAME, tags=TAGS)
