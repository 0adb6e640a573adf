"""CloudFront over its wire protocol, as boto3 sees it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


def error_code(failure: pytest.ExceptionInfo[ClientError]) -> str:
    return str(failure.value.response["Error"]["Code"])


def status_of(failure: pytest.ExceptionInfo[ClientError]) -> int:
    return int(failure.value.response["ResponseMetadata"]["HTTPStatusCode"])


@pytest.fixture
def instance(api: str) -> dict[str, Any]:
    """An instance in a private subnet of a VPC with an internet gateway."""
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    launched = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, InstanceType="t3.micro")
    return {"vpc": vpc, "subnet": subnet, **launched["Instances"][0]}


def origin_config(instance: dict[str, Any], name: str = "backend") -> dict[str, Any]:
    return {
        "Name": name,
        "Arn": f"arn:aws:ec2:ap-northeast-2:123456789012:instance/{instance['InstanceId']}",
        "HTTPPort": 8000,
        "HTTPSPort": 443,
        "OriginProtocolPolicy": "http-only",
    }


def deployed_origin(instance: dict[str, Any]) -> tuple[str, str]:
    cloudfront = boto3.client("cloudfront")
    made = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=origin_config(instance))
    for _ in range(3):
        seen = cloudfront.get_vpc_origin(Id=made["VpcOrigin"]["Id"])
        if seen["VpcOrigin"]["Status"] == "Deployed":
            return seen["VpcOrigin"]["Id"], seen["ETag"]
    raise AssertionError(seen)


def distribution_config(origin: dict[str, Any], **behaviour: Any) -> dict[str, Any]:
    return {
        "CallerReference": "one",
        "Comment": "shop",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "x.s3.ap-northeast-2.amazonaws.com", **origin}]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": OPTIMIZED,
            **behaviour,
        },
    }


S3 = {"S3OriginConfig": {"OriginAccessIdentity": ""}}


def test_a_vpc_origin_is_deploying_first_and_then_deployed(instance: dict[str, Any]) -> None:
    cloudfront = boto3.client("cloudfront")
    made = cloudfront.create_vpc_origin(
        VpcOriginEndpointConfig=origin_config(instance), Tags={"Items": [{"Key": "Project", "Value": "shop"}]}
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    origin = made["VpcOrigin"]
    assert (origin["Status"], origin["VpcOriginEndpointConfig"]["HTTPPort"]) == ("Deploying", 8000)
    assert cloudfront.get_vpc_origin(Id=origin["Id"])["VpcOrigin"]["Status"] == "Deploying"
    assert cloudfront.get_vpc_origin(Id=origin["Id"])["VpcOrigin"]["Status"] == "Deployed"
    assert cloudfront.list_tags_for_resource(Resource=origin["Arn"])["Tags"]["Items"] == [
        {"Key": "Project", "Value": "shop"}
    ]
    assert cloudfront.list_vpc_origins()["VpcOriginList"]["Items"][0]["Name"] == "backend"


def test_a_vpc_origin_has_an_interface_and_the_service_group_until_the_last_one_is_gone(
    instance: dict[str, Any],
) -> None:
    ec2, cloudfront = boto3.client("ec2"), boto3.client("cloudfront")
    identifier, etag = deployed_origin(instance)
    by_name = [{"Name": "group-name", "Values": ["CloudFront-VPCOrigins-Service-SG"]}]
    (group,) = ec2.describe_security_groups(Filters=by_name)["SecurityGroups"]
    assert group["VpcId"] == instance["vpc"]
    in_group = [{"Name": "group-id", "Values": [group["GroupId"]]}]
    (interface,) = ec2.describe_network_interfaces(Filters=in_group)["NetworkInterfaces"]
    assert interface["SubnetId"] == instance["subnet"]
    assert interface["RequesterManaged"]
    with pytest.raises(ClientError) as failure:
        ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    assert error_code(failure) == "OperationNotPermitted"

    cloudfront.delete_vpc_origin(Id=identifier, IfMatch=etag)
    cloudfront.get_vpc_origin(Id=identifier)
    with pytest.raises(ClientError) as failure:
        cloudfront.get_vpc_origin(Id=identifier)
    assert (error_code(failure), status_of(failure)) == ("EntityNotFound", 404)
    assert ec2.describe_security_groups(Filters=by_name)["SecurityGroups"] == []
    assert ec2.describe_network_interfaces(Filters=in_group)["NetworkInterfaces"] == []


def test_the_service_group_stays_while_a_rule_names_it(instance: dict[str, Any]) -> None:
    ec2, cloudfront = boto3.client("ec2"), boto3.client("cloudfront")
    identifier, etag = deployed_origin(instance)
    by_name = [{"Name": "group-name", "Values": ["CloudFront-VPCOrigins-Service-SG"]}]
    service = ec2.describe_security_groups(Filters=by_name)["SecurityGroups"][0]["GroupId"]
    own = ec2.create_security_group(GroupName="backend", Description="b", VpcId=instance["vpc"])["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "UserIdGroupPairs": [{"GroupId": service}]}
    ec2.authorize_security_group_ingress(GroupId=own, IpPermissions=[rule])
    cloudfront.delete_vpc_origin(Id=identifier, IfMatch=etag)
    cloudfront.get_vpc_origin(Id=identifier)
    with pytest.raises(ClientError):
        cloudfront.get_vpc_origin(Id=identifier)
    assert ec2.describe_security_groups(Filters=by_name)["SecurityGroups"]


def test_a_vpc_origin_that_a_distribution_uses_cannot_be_changed_or_deleted(instance: dict[str, Any]) -> None:
    cloudfront = boto3.client("cloudfront")
    identifier, etag = deployed_origin(instance)
    config = distribution_config(
        {"DomainName": instance["PrivateDnsName"], "VpcOriginConfig": {"VpcOriginId": identifier}}
    )
    made = cloudfront.create_distribution(DistributionConfig=config)
    with pytest.raises(ClientError) as failure:
        cloudfront.update_vpc_origin(
            Id=identifier, IfMatch=etag, VpcOriginEndpointConfig={**origin_config(instance), "HTTPPort": 9000}
        )
    assert (error_code(failure), status_of(failure)) == ("CannotUpdateEntityWhileInUse", 409)
    with pytest.raises(ClientError) as failure:
        cloudfront.delete_vpc_origin(Id=identifier, IfMatch=etag)
    assert error_code(failure) == "CannotDeleteEntityWhileInUse"
    users = cloudfront.list_distributions_by_vpc_origin_id(VpcOriginId=identifier)["DistributionIdList"]["Items"]
    assert users == [made["Distribution"]["Id"]]


def test_a_vpc_origin_that_is_not_deployed_cannot_be_used(instance: dict[str, Any]) -> None:
    cloudfront = boto3.client("cloudfront")
    made = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=origin_config(instance))
    origin = {"DomainName": "x", "VpcOriginConfig": {"VpcOriginId": made["VpcOrigin"]["Id"]}}
    with pytest.raises(ClientError) as failure:
        cloudfront.create_distribution(DistributionConfig=distribution_config(origin))
    assert error_code(failure) == "InvalidArgument"


def test_a_stale_etag_is_refused_everywhere(instance: dict[str, Any]) -> None:
    cloudfront = boto3.client("cloudfront")
    identifier, _ = deployed_origin(instance)
    distribution = cloudfront.create_distribution(DistributionConfig=distribution_config(S3))["Distribution"]
    for act in (
        lambda: cloudfront.delete_vpc_origin(Id=identifier, IfMatch="EOLD"),
        lambda: cloudfront.delete_distribution(Id=distribution["Id"], IfMatch="EOLD"),
        lambda: cloudfront.update_distribution(
            Id=distribution["Id"], IfMatch="EOLD", DistributionConfig=distribution["DistributionConfig"]
        ),
    ):
        with pytest.raises(ClientError) as failure:
            act()
        assert (error_code(failure), status_of(failure)) == ("PreconditionFailed", 412)


def test_a_distribution_answers_everything_that_it_was_given(api: str) -> None:
    cloudfront = boto3.client("cloudfront")
    control = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": "shop",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]
    function = cloudfront.create_function(
        Name="spa",
        FunctionConfig={"Comment": "routes", "Runtime": "cloudfront-js-2.0"},
        FunctionCode=b"function handler(event) { return event.request; }",
    )
    cloudfront.publish_function(Name="spa", IfMatch=function["ETag"])
    arn = function["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    associations = {"Quantity": 1, "Items": [{"FunctionARN": arn, "EventType": "viewer-request"}]}
    given = distribution_config(
        {**S3, "OriginAccessControlId": control},
        FunctionAssociations=associations,
        Compress=True,
        ResponseHeadersPolicyId="67f7725c-6f97-4210-82d7-5512b31e9d03",
    )
    given |= {"HttpVersion": "http2and3", "DefaultRootObject": "index.html", "PriceClass": "PriceClass_200"}
    given["CacheBehaviors"] = {
        "Quantity": 1,
        "Items": [
            {
                "PathPattern": "/api/*",
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "https-only",
                "CachePolicyId": DISABLED,
                "OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
                "AllowedMethods": {
                    "Quantity": 7,
                    "Items": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
                    "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
                },
            }
        ],
    }
    made = cloudfront.create_distribution(DistributionConfig=given)
    seen = cloudfront.get_distribution_config(Id=made["Distribution"]["Id"])["DistributionConfig"]
    assert seen["Origins"]["Items"][0]["OriginAccessControlId"] == control
    assert seen["DefaultCacheBehavior"]["FunctionAssociations"] == associations
    assert seen["DefaultCacheBehavior"]["Compress"] is True
    assert seen["CacheBehaviors"]["Items"][0]["AllowedMethods"]["Quantity"] == 7
    assert {name: seen[name] for name in ("HttpVersion", "DefaultRootObject", "PriceClass")} == {
        "HttpVersion": "http2and3",
        "DefaultRootObject": "index.html",
        "PriceClass": "PriceClass_200",
    }
    assert seen["Aliases"] == {"Quantity": 0}
    # What was answered can be sent again as it is, and answers the same.
    again = cloudfront.update_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"], DistributionConfig=seen)
    assert again["Distribution"]["DistributionConfig"] == seen

    with pytest.raises(ClientError) as failure:
        cloudfront.delete_function(Name="spa", IfMatch=function["ETag"])
    assert error_code(failure) == "FunctionInUse"
    etag = cloudfront.get_origin_access_control(Id=control)["ETag"]
    with pytest.raises(ClientError) as failure:
        cloudfront.delete_origin_access_control(Id=control, IfMatch=etag)
    assert error_code(failure) == "OriginAccessControlInUse"


def test_a_distribution_must_be_disabled_and_deployed_before_it_is_deleted(api: str) -> None:
    cloudfront = boto3.client("cloudfront")
    made = cloudfront.create_distribution_with_tags(
        DistributionConfigWithTags={
            "DistributionConfig": distribution_config(S3),
            "Tags": {"Items": [{"Key": "Project", "Value": "shop"}]},
        }
    )
    identifier, arn = made["Distribution"]["Id"], made["Distribution"]["ARN"]
    assert cloudfront.list_tags_for_resource(Resource=arn)["Tags"]["Items"][0]["Value"] == "shop"
    with pytest.raises(ClientError) as failure:
        cloudfront.delete_distribution(Id=identifier, IfMatch=made["ETag"])
    assert error_code(failure) == "DistributionNotDisabled"
    changed = cloudfront.update_distribution(
        Id=identifier,
        IfMatch=made["ETag"],
        DistributionConfig={**made["Distribution"]["DistributionConfig"], "Enabled": False},
    )
    assert changed["Distribution"]["Status"] == "InProgress"
    with pytest.raises(ClientError) as failure:
        cloudfront.delete_distribution(Id=identifier, IfMatch=changed["ETag"])
    assert error_code(failure) == "DistributionNotDisabled"
    cloudfront.get_waiter("distribution_deployed").wait(Id=identifier, WaiterConfig={"Delay": 0, "MaxAttempts": 3})
    cloudfront.delete_distribution(Id=identifier, IfMatch=changed["ETag"])
    assert cloudfront.list_distributions()["DistributionList"]["Quantity"] == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"CachePolicyId": "00000000-0000-0000-0000-000000000000"}, "NoSuchCachePolicy"),
        ({"TargetOriginId": "other"}, "NoSuchOrigin"),
        ({"AllowedMethods": {"Quantity": 3, "Items": ["GET", "HEAD"]}}, "InconsistentQuantities"),
        (
            {
                "FunctionAssociations": {
                    "Quantity": 1,
                    "Items": [{"FunctionARN": "arn:aws:cloudfront::1:function/no", "EventType": "viewer-request"}],
                }
            },
            "InvalidFunctionAssociation",
        ),
    ],
)
def test_a_distribution_that_refers_to_what_does_not_exist_is_refused(
    api: str, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as failure:
        boto3.client("cloudfront").create_distribution(DistributionConfig=distribution_config(S3, **change))
    assert error_code(failure) == code


def test_a_function_has_two_stages_and_publishing_copies_one_to_the_other(api: str) -> None:
    cloudfront = boto3.client("cloudfront")
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    made = cloudfront.create_function(Name="spa", FunctionConfig=config, FunctionCode=b"one")
    with pytest.raises(ClientError) as failure:
        cloudfront.describe_function(Name="spa", Stage="LIVE")
    assert error_code(failure) == "NoSuchFunctionExists"
    cloudfront.publish_function(Name="spa", IfMatch=made["ETag"])
    updated = cloudfront.update_function(Name="spa", IfMatch=made["ETag"], FunctionConfig=config, FunctionCode=b"two")
    assert updated["ETag"] != made["ETag"]
    assert cloudfront.get_function(Name="spa", Stage="LIVE")["FunctionCode"].read() == b"one"
    assert cloudfront.get_function(Name="spa")["FunctionCode"].read() == b"two"
    stages = [item["FunctionMetadata"]["Stage"] for item in cloudfront.list_functions()["FunctionList"]["Items"]]
    assert stages == ["DEVELOPMENT", "LIVE"]


def test_managed_policies_are_known_by_awss_ids(api: str) -> None:
    cloudfront = boto3.client("cloudfront")
    policy = cloudfront.get_cache_policy(Id=OPTIMIZED)["CachePolicy"]["CachePolicyConfig"]
    assert (policy["Name"], policy["MinTTL"]) == ("Managed-CachingOptimized", 1)
    names = [
        item["OriginRequestPolicy"]["OriginRequestPolicyConfig"]["Name"]
        for item in cloudfront.list_origin_request_policies(Type="managed")["OriginRequestPolicyList"]["Items"]
    ]
    assert "Managed-AllViewerExceptHostHeader" in names
    headers = cloudfront.get_response_headers_policy(Id="67f7725c-6f97-4210-82d7-5512b31e9d03")
    assert headers["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["FrameOptions"]


def test_an_account_can_have_a_response_headers_policy_of_its_own(api: str) -> None:
    cloudfront = boto3.client("cloudfront")
    config = {
        "Name": "csp",
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": "default-src 'self'"}
        },
    }
    made = cloudfront.create_response_headers_policy(ResponseHeadersPolicyConfig=config)
    identifier = made["ResponseHeadersPolicy"]["Id"]
    listed = cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]
    assert [item["ResponseHeadersPolicy"]["Id"] for item in listed["Items"]] == [identifier]
    cloudfront.delete_response_headers_policy(Id=identifier, IfMatch=made["ETag"])
    assert cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]["Quantity"] == 0


def test_an_invalidation_is_in_progress_first_and_then_completed(api: str) -> None:
    cloudfront = boto3.client("cloudfront")
    made = cloudfront.create_distribution(DistributionConfig=distribution_config(S3))["Distribution"]
    batch = {"CallerReference": "r1", "Paths": {"Quantity": 2, "Items": ["/index.html", "/assets/*"]}}
    invalidation = cloudfront.create_invalidation(DistributionId=made["Id"], InvalidationBatch=batch)["Invalidation"]
    assert (invalidation["Status"], invalidation["InvalidationBatch"]) == ("InProgress", batch)
    again = cloudfront.create_invalidation(DistributionId=made["Id"], InvalidationBatch=batch)["Invalidation"]
    assert again["Id"] == invalidation["Id"]
    cloudfront.get_waiter("invalidation_completed").wait(
        DistributionId=made["Id"], Id=invalidation["Id"], WaiterConfig={"Delay": 0, "MaxAttempts": 3}
    )
    (listed,) = cloudfront.list_invalidations(DistributionId=made["Id"])["InvalidationList"]["Items"]
    assert listed["Status"] == "Completed"
