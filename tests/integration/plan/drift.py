"""What somebody might change by hand, one thing of each kind that site.yml manages, and how the plan must show it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

from tests.integration.destroy.deployment import Deployment

BUCKET = "madang-lab-site-123456789012"
P = "madang-lab"
FUNCTION = f"{P}-collector"
LOGS = f"/aws/lambda/{FUNCTION}"
NOTHING = {"Version": "2008-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
BUCKET_TAGS = {"Project": "madang", "Environment": "lab", "Owner": "somebody"}


class Account:
    """The account, asked as its owner would."""

    def __init__(self, url: str) -> None:
        self._url = url

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self._url,
            region_name="ap-northeast-2",
            aws_access_key_id="SOMEBODYSOMEBODYSOME",
            aws_secret_access_key="no-secret-of-anything-outside-this-lab",
        )

    @property
    def ec2(self) -> Any:
        return self.client("ec2")

    def id(self, items: list[dict[str, Any]], key: str, name: str) -> str:
        return str(next(item[key] for item in items if {"Key": "Name", "Value": name} in item.get("Tags", [])))

    @property
    def vpc(self) -> str:
        return self.id(self.ec2.describe_vpcs()["Vpcs"], "VpcId", P)

    def subnet(self, name: str) -> str:
        return self.id(self.ec2.describe_subnets()["Subnets"], "SubnetId", f"{P}-{name}")

    def table(self, name: str) -> str:
        return self.id(self.ec2.describe_route_tables()["RouteTables"], "RouteTableId", f"{P}-{name}")

    def group(self, name: str) -> str:
        return self.id(self.ec2.describe_security_groups()["SecurityGroups"], "GroupId", f"{P}-{name}")

    def instance(self, name: str) -> str:
        # Terminated ones keep their names for a while.
        there = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
        reservations = self.ec2.describe_instances(Filters=there)["Reservations"]
        found = [each for item in reservations for each in item["Instances"]]
        return self.id(found, "InstanceId", name)

    @property
    def endpoint(self) -> str:
        return str(self.ec2.describe_vpc_endpoints()["VpcEndpoints"][0]["VpcEndpointId"])

    @property
    def gateway(self) -> str:
        return str(self.ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"])

    @property
    def nat(self) -> str:
        # Deleted ones are listed for a while.
        there = [{"Name": "state", "Values": ["available"]}]
        return str(self.ec2.describe_nat_gateways(Filters=there)["NatGateways"][0]["NatGatewayId"])

    @property
    def connect(self) -> str:
        endpoints = self.ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
        return str(endpoints[0]["InstanceConnectEndpointId"])

    @property
    def zone(self) -> str:
        return str(self.client("route53").list_hosted_zones()["HostedZones"][0]["Id"])


@dataclass(frozen=True)
class Drift:
    """``kind`` and ``name`` are the entry's in the plan; ``shows`` stands in one of its changes, where it can tell."""

    does: Callable[[Account], Any]
    kind: str
    name: str
    shows: str = ""
    verb: str = "change"


def _permission(port: int, cidr: str) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}]


def _own(account: Account, *resources: str) -> None:
    """Give EC2's resources a tag that is not ours."""
    account.ec2.create_tags(Resources=[*resources], Tags=[{"Key": "Owner", "Value": "somebody"}])


def _move_subnet(account: Account) -> None:
    subnet = account.subnet("app-c")
    tables = account.ec2.describe_route_tables()["RouteTables"]
    links = [link for table in tables for link in table["Associations"] if link.get("SubnetId") == subnet]
    account.ec2.replace_route_table_association(
        AssociationId=links[0]["RouteTableAssociationId"], RouteTableId=account.table("public")
    )


def _rename_record(account: Account) -> None:
    record = {
        "Name": "db1.madang.internal", "Type": "A", "TTL": 30, "ResourceRecords": [{"Value": "10.20.20.99"}],
    }  # fmt: skip
    account.client("route53").change_resource_record_sets(
        HostedZoneId=account.zone, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    )


def _edit_function(account: Account) -> None:
    client = account.client("cloudfront")
    name = f"{P}-single-page"
    found = client.describe_function(Name=name)
    etag = client.update_function(
        Name=name,
        IfMatch=found["ETag"],
        FunctionConfig=found["FunctionSummary"]["FunctionConfig"],
        FunctionCode=b"function handler(event) { return event.request; }",
    )["ETag"]
    client.publish_function(Name=name, IfMatch=etag)


def _edit_distribution(account: Account) -> None:
    client = account.client("cloudfront")
    identifier = client.list_distributions()["DistributionList"]["Items"][0]["Id"]
    found = client.get_distribution_config(Id=identifier)
    config = {**found["DistributionConfig"], "PriceClass": "PriceClass_All"}
    client.update_distribution(Id=identifier, IfMatch=found["ETag"], DistributionConfig=config)


def _own_distribution(account: Account) -> None:
    client = account.client("cloudfront")
    arn = client.list_distributions()["DistributionList"]["Items"][0]["ARN"]
    client.tag_resource(Resource=arn, Tags={"Items": [{"Key": "Owner", "Value": "somebody"}]})


def _edit_access_control(account: Account) -> None:
    client = account.client("cloudfront")
    identifier = client.list_origin_access_controls()["OriginAccessControlList"]["Items"][0]["Id"]
    found = client.get_origin_access_control(Id=identifier)
    config = {**found["OriginAccessControl"]["OriginAccessControlConfig"], "SigningBehavior": "never"}
    client.update_origin_access_control(Id=identifier, IfMatch=found["ETag"], OriginAccessControlConfig=config)


def _edit_endpoint(account: Account) -> None:
    account.ec2.modify_instance_connect_endpoint(InstanceConnectEndpointId=account.connect, PreserveClientIp=True)


def _open_policy(account: Account) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    account.client("s3").put_bucket_policy(
        Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )


def _own_origin(account: Account) -> None:
    client = account.client("cloudfront")
    arn = client.list_vpc_origins()["VpcOriginList"]["Items"][0]["Arn"]
    client.tag_resource(Resource=arn, Tags={"Items": [{"Key": "Owner", "Value": "somebody"}]})


def _resize(account: Account) -> None:
    ec2, identifier = account.ec2, account.instance("db1")
    ec2.stop_instances(InstanceIds=[identifier])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[identifier], WaiterConfig={"Delay": 1})
    ec2.modify_instance_attribute(InstanceId=identifier, InstanceType={"Value": "t4g.large"})
    ec2.start_instances(InstanceIds=[identifier])
    ec2.get_waiter("instance_running").wait(InstanceIds=[identifier], WaiterConfig={"Delay": 1})


def make_function(account: Account) -> None:
    """The collector in Lambda, without the run of site.yml, which would have to run it."""
    made = Deployment(account.client)
    made.subnets["app-a"], made.groups["database"] = account.subnet("app-a"), account.group("collector")
    made.function()


def _edit_schedule(account: Account, **settings: str) -> None:
    client = account.client("scheduler")
    found = client.get_schedule(Name=FUNCTION)
    known = {key: found[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State")}
    client.update_schedule(**{**known, **settings})


DRIFTS: dict[str, Drift] = {
    "VPC attribute": Drift(
        lambda a: a.ec2.modify_vpc_attribute(VpcId=a.vpc, EnableDnsHostnames={"Value": False}), "VPC", P
    ),
    "VPC tag": Drift(lambda a: _own(a, a.vpc), "VPC", P, "tags.Owner: somebody → (removed)"),
    "subnet attribute": Drift(
        lambda a: a.ec2.modify_subnet_attribute(SubnetId=a.subnet("app-a"), MapPublicIpOnLaunch={"Value": True}),
        "subnet", f"{P}-app-a", "map_public: true → false",
    ),
    "subnet tag": Drift(
        lambda a: _own(a, a.subnet("database-a")), "subnet", f"{P}-database-a", "tags.Owner: somebody → (removed)"
    ),
    "internet gateway": Drift(
        lambda a: _own(a, a.gateway), "internet gateway", P, "tags.Owner: somebody → (removed)"
    ),
    "NAT gateway": Drift(lambda a: _own(a, a.nat), "NAT gateway", P, "tags.Owner: somebody → (removed)"),
    "S3 endpoint's tables": Drift(
        lambda a: a.ec2.modify_vpc_endpoint(VpcEndpointId=a.endpoint, RemoveRouteTableIds=[a.table("public")]),
        "gateway endpoint", f"{P}-s3", "route_table_ids: (none) → rtb-",
    ),
    "S3 endpoint's policy": Drift(
        lambda a: a.ec2.modify_vpc_endpoint(VpcEndpointId=a.endpoint, PolicyDocument=json.dumps(NOTHING)),
        "gateway endpoint", f"{P}-s3", "policy.Statement.Effect: Deny → Allow",
    ),
    "S3 endpoint's tag": Drift(
        lambda a: _own(a, a.endpoint), "gateway endpoint", f"{P}-s3", "tags.Owner: somebody → (removed)"
    ),
    "subnet association": Drift(_move_subnet, "route table", f"{P}-private"),
    "route": Drift(
        lambda a: a.ec2.create_route(
            RouteTableId=a.table("public"), DestinationCidrBlock="192.168.0.0/16",
            GatewayId=a.gateway,
        ),
        "route table", f"{P}-public",
    ),
    "group rule added": Drift(
        lambda a: a.ec2.authorize_security_group_ingress(
            GroupId=a.group("database"), IpPermissions=_permission(22, "0.0.0.0/0")
        ),
        "security group", f"{P}-database", "tcp 22 from 0.0.0.0/0 → (removed)",
    ),
    "group rule removed": Drift(
        lambda a: a.ec2.revoke_security_group_egress(
            GroupId=a.group("collector"), IpPermissions=_permission(443, "0.0.0.0/0")
        ),
        "security group", f"{P}-collector", "(none) → tcp 443 to 0.0.0.0/0",
    ),
    "group tag": Drift(
        lambda a: _own(a, a.group("connect")), "security group", f"{P}-connect", "tags.Owner: somebody → (removed)"
    ),
    "instance attribute": Drift(
        lambda a: a.ec2.modify_instance_metadata_options(InstanceId=a.instance("db2"), HttpTokens="optional"),
        "instance", "db2", "metadata_options.http_tokens: optional → required",
    ),
    "instance tag": Drift(
        lambda a: a.ec2.create_tags(Resources=[a.instance("collector")], Tags=[{"Key": "Role", "Value": "none"}]),
        "instance", "collector", "tags.Role: none → collector",
    ),
    "stopped instance": Drift(
        lambda a: a.ec2.stop_instances(InstanceIds=[a.instance("collector")]),
        "instance", "collector", "state: stopped → running",
    ),
    "private name": Drift(_rename_record, "private name", "db1.madang.internal", "10.20.20.99 → 10.20.20."),
    "private zone": Drift(
        lambda a: a.client("route53").update_hosted_zone_comment(Id=a.zone, Comment="mine"),
        "private zone", "madang.internal",
    ),
    "DHCP options": Drift(
        lambda a: a.ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=a.vpc), "DHCP options", P
    ),
    "key pair": Drift(lambda a: a.ec2.delete_key_pair(KeyName=P), "key pair", P, verb="create"),
    "instance connect endpoint": Drift(
        _edit_endpoint, "instance connect endpoint", P, "PreserveClientIp: true → false"
    ),
    "connect endpoint's tag": Drift(
        lambda a: _own(a, a.connect), "instance connect endpoint", P, "Tags.Owner: somebody → (removed)"
    ),
    "bucket tag": Drift(
        lambda a: a.client("s3").put_bucket_tagging(
            Bucket=BUCKET, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in BUCKET_TAGS.items()]}
        ),
        "bucket", BUCKET, "Tags.Owner: somebody → (removed)",
    ),
    "bucket encryption": Drift(
        lambda a: a.client("s3").delete_bucket_encryption(Bucket=BUCKET),
        "bucket", BUCKET, "Encryption: (none) → AES256",
    ),
    "bucket lifecycle": Drift(
        lambda a: a.client("s3").delete_bucket_lifecycle(Bucket=BUCKET),
        "bucket", BUCKET, "AbortIncompleteMultipartUpload.DaysAfterInitiation: (none) → 1",
    ),
    "bucket ownership": Drift(
        lambda a: a.client("s3").delete_bucket_ownership_controls(Bucket=BUCKET),
        "bucket", BUCKET, "ObjectOwnership: (none) → BucketOwnerEnforced",
    ),
    # Without it, a policy that is public is not even taken.
    "public access block": Drift(
        lambda a: a.client("s3").delete_public_access_block(Bucket=BUCKET),
        "bucket", BUCKET, "PublicAccessBlock.BlockPublicPolicy: (none) → true",
    ),
    "bucket policy": Drift(
        _open_policy, "bucket", BUCKET, 'Policy.Statement: {"Action": "s3:GetObject", "Effect": "Allow", "Principal"'
    ),
    "origin access control": Drift(
        _edit_access_control, "origin access control", f"{P}-site", "SigningBehavior: never → always"
    ),
    "function code": Drift(_edit_function, "CloudFront function", f"{P}-single-page", "LIVE.FunctionCode: "),
    "VPC origin's tag": Drift(_own_origin, "VPC origin", f"{P}-backend", "Tags.Owner: somebody → (removed)"),
    "distribution tag": Drift(_own_distribution, "distribution", P, "Tags.Owner: somebody → (removed)"),
    "distribution": Drift(
        _edit_distribution, "distribution", P, "DistributionConfig.PriceClass: PriceClass_All → PriceClass_200"
    ),
}  # fmt: skip
# Not for hosts that work: it stops one.
ALONE: dict[str, Drift] = {
    "instance type": Drift(_resize, "instance", "db1", "instance_type: t4g.large → t4g.small"),
}
# After make_function.
FUNCTION_DRIFTS: dict[str, Drift] = {
    "settings": Drift(
        lambda a: a.client("lambda").update_function_configuration(FunctionName=FUNCTION, MemorySize=512),
        "Lambda function", FUNCTION, "memory_size: 512 → 256",
    ),
    "tag": Drift(
        lambda a: a.client("lambda").tag_resource(
            Resource=f"arn:aws:lambda:ap-northeast-2:123456789012:function:{FUNCTION}", Tags={"Owner": "somebody"}
        ),
        "Lambda function", FUNCTION, "tags.Owner: somebody → (removed)",
    ),
    "role": Drift(
        lambda a: a.client("iam").attach_role_policy(
            RoleName=FUNCTION, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        "role", FUNCTION, "managed_policies: arn:aws:iam::aws:policy/AdministratorAccess → (removed)",
    ),
    "role's tag": Drift(
        lambda a: a.client("iam").tag_role(RoleName=FUNCTION, Tags=[{"Key": "Owner", "Value": "somebody"}]),
        "role", FUNCTION, "tags.Owner: somebody → (removed)",
    ),
    # make_function's own: it may read every secret.
    "role's policy": Drift(
        lambda _: None,
        "role's policy", f"secrets of {FUNCTION}", 'secrets.Statement.Resource: * → ["arn:aws:secretsmanager:',
    ),
    "log group's tag": Drift(
        lambda a: a.client("logs").tag_log_group(logGroupName=LOGS, tags={"Owner": "somebody"}),
        "log group", LOGS, "tags.Owner: somebody → (removed)",
    ),
    "schedule": Drift(
        lambda a: _edit_schedule(a, ScheduleExpression="rate(1 hour)"),
        "schedule", FUNCTION, "ScheduleExpression: rate(1 hour) → rate(1 minute)",
    ),
    "schedule's state": Drift(
        lambda a: _edit_schedule(a, State="DISABLED"), "schedule", FUNCTION, "State: DISABLED → ENABLED"
    ),
}  # fmt: skip
