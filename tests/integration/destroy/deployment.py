"""A deployment with one thing of every kind, made with boto3: site.yml would take ten times as long."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

from lab.functions.environment import own_runtime
from tests.account import Clients, image, tag_list, tagged, trust

PREFIX = "madang-lab"
TAGS = {"Project": "madang", "Environment": "lab"}
ACCOUNT = "123456789012"
BUCKET, LOCK_BUCKET = f"{PREFIX}-site-{ACCOUNT}", f"{PREFIX}-deploy-{ACCOUNT}"
PLACE = {"LocationConstraint": "ap-northeast-2"}
READS_SECRETS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}],
    }
)
VPC_ACCESS = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


def named(name: str) -> dict[str, str]:
    return {**TAGS, "Name": f"{PREFIX}-{name}"}


@dataclass
class Deployment:
    """Its identifiers, as it is built."""

    client: Clients
    vpc: str = ""
    subnets: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    backend: str = ""

    def build(self) -> None:
        self.network()
        self.security_groups()
        self.hosts()
        self.names()
        self.function()
        self.kept()
        self.cloudfront()

    def network(self) -> None:
        ec2 = self.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", **tagged("vpc", TAGS))["Vpc"]["VpcId"]
        for number, name in enumerate(("public-a", "app-a")):
            subnet = ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.20.{number}.0/24", **tagged("subnet", named(name))
            )["Subnet"]["SubnetId"]
            self.subnets[name] = subnet
        gateway = ec2.create_internet_gateway(**tagged("internet-gateway", TAGS))["InternetGateway"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=self.vpc)
        address = ec2.allocate_address(Domain="vpc", **tagged("elastic-ip", named("nat")))["AllocationId"]
        nat = ec2.create_nat_gateway(
            SubnetId=self.subnets["public-a"], AllocationId=address, **tagged("natgateway", TAGS)
        )["NatGateway"]["NatGatewayId"]
        targets = {
            "public-a": {"GatewayId": gateway["InternetGatewayId"]},
            "app-a": {"NatGatewayId": nat},
        }
        tables = []
        for name, target in targets.items():
            table = ec2.create_route_table(VpcId=self.vpc, **tagged("route-table", named(name)))["RouteTable"]
            tables.append(table["RouteTableId"])
            ec2.create_route(RouteTableId=tables[-1], DestinationCidrBlock="0.0.0.0/0", **target)
            ec2.associate_route_table(RouteTableId=tables[-1], SubnetId=self.subnets[name])
        ec2.create_vpc_endpoint(
            VpcId=self.vpc, ServiceName="com.amazonaws.ap-northeast-2.s3", RouteTableIds=tables,
            **tagged("vpc-endpoint", named("s3")),
        )  # fmt: skip
        options = ec2.create_dhcp_options(
            DhcpConfigurations=[{"Key": "domain-name", "Values": ["madang.internal"]}], **tagged("dhcp-options", TAGS)
        )["DhcpOptions"]["DhcpOptionsId"]
        ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=self.vpc)

    def security_groups(self) -> None:
        ec2 = self.client("ec2")
        for name in ("connect", "backend", "database"):
            self.groups[name] = ec2.create_security_group(
                GroupName=f"{PREFIX}-{name}", Description=name, VpcId=self.vpc, **tagged("security-group", TAGS)
            )["GroupId"]
        # In a circle, and one names itself.
        for name, peer in (("connect", "backend"), ("backend", "database"), ("database", "connect")):
            self.admit(name, self.groups[peer])
        self.admit("database", self.groups["database"])

    def admit(self, name: str, peer: str) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": peer}]}
        self.client("ec2").authorize_security_group_ingress(GroupId=self.groups[name], IpPermissions=[rule])

    def hosts(self) -> None:
        ec2 = self.client("ec2")
        ec2.create_key_pair(KeyName=PREFIX, **tagged("key-pair", TAGS))
        for name in ("backend", "database"):
            started = ec2.run_instances(
                ImageId=image(self.client), InstanceType="t3.micro", MinCount=1, MaxCount=1,
                SubnetId=self.subnets["app-a"], SecurityGroupIds=[self.groups[name]],
                **tagged("instance", {**TAGS, "Name": "db1" if name == "database" else name, "Role": name}),
            )  # fmt: skip
            self.backend = self.backend or started["Instances"][0]["InstanceId"]
        ec2.create_instance_connect_endpoint(
            SubnetId=self.subnets["app-a"], SecurityGroupIds=[self.groups["connect"]],
            **tagged("instance-connect-endpoint", TAGS),
        )  # fmt: skip
        # One that an instance left behind.
        ec2.create_volume(AvailabilityZone="ap-northeast-2a", Size=1, **tagged("volume", TAGS))

    def names(self) -> None:
        route53 = self.client("route53")
        zone = route53.create_hosted_zone(
            Name="madang.internal", CallerReference="madang", HostedZoneConfig={"PrivateZone": True},
            VPC={"VPCRegion": "ap-northeast-2", "VPCId": self.vpc},
        )["HostedZone"]["Id"].rpartition("/")[2]  # fmt: skip
        route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, AddTags=tag_list(TAGS))
        changes = [
            {
                "Action": "CREATE",
                "ResourceRecordSet": {
                    "Name": f"{name}.madang.internal", "Type": "A", "TTL": 30,
                    "ResourceRecords": [{"Value": "10.20.1.4"}],
                },
            }
            for name in ("backend", "db1")
        ]  # fmt: skip
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    def function(self) -> None:
        iam, name = self.client("iam"), f"{PREFIX}-collector"
        roles = {}
        for role, service in ((name, "lambda"), (f"{name}-schedule", "scheduler")):
            made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(service), Tags=tag_list(TAGS))
            roles[service] = made["Role"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=VPC_ACCESS)
        iam.put_role_policy(RoleName=name, PolicyName="secrets", PolicyDocument=READS_SECRETS)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("app.py", "def handler(event, context): return None\n")
        made = self.client("lambda").create_function(
            FunctionName=name, Runtime=own_runtime(), Role=roles["lambda"], Handler="app.handler",
            Code={"ZipFile": content.getvalue()}, Tags=TAGS,
            VpcConfig={"SubnetIds": [self.subnets["app-a"]], "SecurityGroupIds": [self.groups["database"]]},
        )  # fmt: skip
        self.client("scheduler").create_schedule(
            Name=name, ScheduleExpression="rate(1 minute)", FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": made["FunctionArn"], "RoleArn": roles["scheduler"]},
        )  # fmt: skip
        self.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}", tags=TAGS)

    def kept(self) -> None:
        for name in ("ssh-key", "mysql-ca"):
            self.client("secretsmanager").create_secret(
                Name=f"madang/lab/{name}", SecretString=name, Tags=tag_list(TAGS)
            )
        s3 = self.client("s3")
        for bucket in (BUCKET, LOCK_BUCKET):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=PLACE)
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_list(TAGS)})
            s3.put_object(Bucket=bucket, Key="index.html", Body=b"1")
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=BUCKET, Key="index.html", Body=b"2")
        s3.put_object(Bucket=BUCKET, Key="gone.html", Body=b"3")
        s3.delete_object(Bucket=BUCKET, Key="gone.html")
        s3.create_multipart_upload(Bucket=BUCKET, Key="unfinished")

    def cloudfront(self) -> None:
        client = self.client("cloudfront")
        control = client.create_origin_access_control(
            OriginAccessControlConfig={
                "Name": f"{PREFIX}-site", "Description": f"Reads {BUCKET}", "SigningProtocol": "sigv4",
                "SigningBehavior": "always", "OriginAccessControlOriginType": "s3",
            }
        )["OriginAccessControl"]["Id"]  # fmt: skip
        page = f"{PREFIX}-single-page"
        made = client.create_function(
            Name=page, FunctionCode=b"function handler(event) { return event.request; }",
            FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"}, Tags={"Items": tag_list(TAGS)},
        )  # fmt: skip
        client.publish_function(Name=page, IfMatch=made["ETag"])
        origin = self.origin()
        behaviour = {
            "TargetOriginId": "site", "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        }  # fmt: skip
        arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
        associations = {"Quantity": 1, "Items": [{"EventType": "viewer-request", "FunctionARN": arn}]}
        client.create_distribution_with_tags(
            DistributionConfigWithTags={
                "DistributionConfig": {
                    "CallerReference": "madang", "Comment": "", "Enabled": True,
                    "Origins": {
                        "Quantity": 2,
                        "Items": [
                            {
                                "Id": "site", "DomainName": f"{BUCKET}.s3.ap-northeast-2.amazonaws.com",
                                "OriginAccessControlId": control, "S3OriginConfig": {"OriginAccessIdentity": ""},
                            },
                            {
                                "Id": "backend", "DomainName": "backend.internal",
                                "VpcOriginConfig": {"VpcOriginId": origin},
                            },
                        ],
                    },
                    "DefaultCacheBehavior": {**behaviour, "FunctionAssociations": associations},
                },
                "Tags": {"Items": tag_list(named("site"))},
            }
        )  # fmt: skip

    def origin(self) -> str:
        client = self.client("cloudfront")
        origin: dict[str, Any] = client.create_vpc_origin(
            VpcOriginEndpointConfig={
                "Name": f"{PREFIX}-backend",
                "Arn": f"arn:aws:ec2:ap-northeast-2:{ACCOUNT}:instance/{self.backend}",
                "HTTPPort": 8000, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only",
            },
            Tags={"Items": tag_list(TAGS)},
        )["VpcOrigin"]  # fmt: skip
        while client.get_vpc_origin(Id=origin["Id"])["VpcOrigin"]["Status"] != "Deployed":
            pass
        own = [{"Name": "group-name", "Values": ["CloudFront-VPCOrigins-Service-SG"]}]
        groups = self.client("ec2").describe_security_groups(Filters=own)["SecurityGroups"]
        self.admit("backend", groups[0]["GroupId"])
        return str(origin["Id"])
