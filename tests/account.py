"""An account as its owner sees it: everything in it, and what others keep there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# A client for a service.
Clients = Callable[[str], Any]

# EC2's kinds: the call, where its answer has them, and what identifies one.
_EC2 = (
    ("describe_vpcs", "Vpcs", "VpcId"),
    ("describe_subnets", "Subnets", "SubnetId"),
    ("describe_route_tables", "RouteTables", "RouteTableId"),
    ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("describe_addresses", "Addresses", "AllocationId"),
    ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("describe_instance_connect_endpoints", "InstanceConnectEndpoints", "InstanceConnectEndpointId"),
    ("describe_security_groups", "SecurityGroups", "GroupId"),
    ("describe_network_acls", "NetworkAcls", "NetworkAclId"),
    ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("describe_dhcp_options", "DhcpOptions", "DhcpOptionsId"),
    ("describe_volumes", "Volumes", "VolumeId"),
    ("describe_key_pairs", "KeyPairs", "KeyName"),
)
# Whatever is not EC2's: the service, the call, and what to read from its answer.
_OTHERS: tuple[tuple[str, str, Callable[[Mapping[str, Any]], list[str]]], ...] = (
    ("s3", "list_buckets", lambda a: [item["Name"] for item in a["Buckets"]]),
    ("secretsmanager", "list_secrets", lambda a: [item["Name"] for item in a["SecretList"]]),
    ("route53", "list_hosted_zones", lambda a: [item["Id"] for item in a["HostedZones"]]),
    ("lambda", "list_functions", lambda a: [item["FunctionName"] for item in a["Functions"]]),
    ("scheduler", "list_schedules", lambda a: [item["Name"] for item in a["Schedules"]]),
    ("logs", "describe_log_groups", lambda a: [item["logGroupName"] for item in a["logGroups"]]),
    ("iam", "list_roles", lambda a: [item["RoleName"] for item in a["Roles"]]),
    ("cloudfront", "list_distributions", lambda a: [item["Id"] for item in a["DistributionList"].get("Items", [])]),
    ("cloudfront", "list_vpc_origins", lambda a: [item["Id"] for item in a["VpcOriginList"].get("Items", [])]),
    ("cloudfront", "list_functions", lambda a: [item["Name"] for item in a["FunctionList"].get("Items", [])]),
    (
        "cloudfront",
        "list_origin_access_controls",
        lambda a: [item["Name"] for item in a["OriginAccessControlList"].get("Items", [])],
    ),
)
_GONE = ("deleted", "terminated", "delete-complete")


def everything(client: Clients) -> set[str]:
    """What the account has of every kind, as ``kind identifier``; AWS's default VPC and what is in it left out."""
    ec2 = client("ec2")
    defaults = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if vpc["IsDefault"]]
    found = {f"instance {instance['InstanceId']}" for instance in _instances(ec2)}
    for call, member, key in _EC2:
        for item in getattr(ec2, call)()[member]:
            places = [item.get("VpcId"), *(each.get("VpcId") for each in item.get("Attachments", []))]
            if item.get("State") not in _GONE and not any(place in defaults for place in places if place):
                found.add(f"{member} {item[key]}")
    for service, call, read in _OTHERS:
        found |= {f"{service} {call.partition('_')[2]} {name}" for name in read(getattr(client(service), call)())}
    return found


def _instances(ec2: Any) -> Iterator[Mapping[str, Any]]:
    for reservation in ec2.describe_instances()["Reservations"]:
        yield from (each for each in reservation["Instances"] if each["State"]["Name"] not in _GONE)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tagged(kind: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """EC2's argument for tags at creation."""
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tag_list(tags)}]} if tags else {}


def trust(service: str) -> str:
    """A role's trust policy."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def image(client: Clients) -> str:
    """A Debian image."""
    name = "/aws/service/debian/release/13/latest/amd64"
    return str(client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def others(client: Clients, prefix: str, tags: Mapping[str, str], label: str, cidr: str) -> None:
    """What somebody else keeps in the account, called as much like a deployment's as AWS lets it be."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock=cidr, **tagged("vpc", tags))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, **tagged("subnet", tags))["Subnet"]["SubnetId"]
    group = ec2.create_security_group(
        GroupName=f"{prefix}-database", Description=label, VpcId=vpc, **tagged("security-group", tags)
    )["GroupId"]
    ec2.run_instances(
        ImageId=image(client), InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet,
        SecurityGroupIds=[group], **tagged("instance", {**tags, "Name": "db1", "Role": "database"}),
    )  # fmt: skip
    gateway = ec2.create_internet_gateway(**tagged("internet-gateway", tags))["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_route_table(VpcId=vpc, **tagged("route-table", tags))
    ec2.allocate_address(Domain="vpc", **tagged("elastic-ip", tags))
    ec2.create_volume(AvailabilityZone="ap-northeast-2a", Size=1, **tagged("volume", tags))
    ec2.create_key_pair(KeyName=f"{prefix}-{label}", **tagged("key-pair", tags))
    _other_services(client, prefix, tags, label, vpc)


def _other_services(client: Clients, prefix: str, tags: Mapping[str, str], label: str, vpc: str) -> None:
    project, _, environment = prefix.partition("-")
    bucket = f"{prefix}-site-{label}"
    place = {"LocationConstraint": "ap-northeast-2"}
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    client("s3").put_object(Bucket=bucket, Key="theirs", Body=b"kept")
    if tags:
        client("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_list(tags)})
    client("secretsmanager").create_secret(
        Name=f"{project}/{environment}/{label}", SecretString="theirs", Tags=tag_list(tags)
    )
    client("route53").create_hosted_zone(
        Name=f"{label}.internal", CallerReference=label, VPC={"VPCRegion": "ap-northeast-2", "VPCId": vpc},
        HostedZoneConfig={"PrivateZone": True},
    )  # fmt: skip
    client("iam").create_role(
        RoleName=f"{prefix}-{label}", AssumeRolePolicyDocument=trust("scheduler"), Tags=tag_list(tags)
    )
    client("logs").create_log_group(logGroupName=f"/aws/lambda/{prefix}-{label}", tags=dict(tags))
    client("scheduler").create_schedule(
        Name=f"{prefix}-{label}", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:lambda:ap-northeast-2:123456789012:function:{label}",
            "RoleArn": f"arn:aws:iam::123456789012:role/{prefix}-{label}",
        },
    )  # fmt: skip
    client("cloudfront").create_function(
        Name=f"{prefix}-{label}", FunctionCode=b"function handler(event) { return event.request; }",
        FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"},
    )  # fmt: skip
    client("cloudfront").create_origin_access_control(
        OriginAccessControlConfig={
            "Name": f"{prefix}-{label}",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )
