"""What a function needs in an account, made with boto3 as AWS's own documentation makes it."""

from __future__ import annotations

import io
import itertools
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import boto3

from lab.functions.environment import own_runtime
from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Settings

VPC_ACCESS = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
_number = itertools.count(1)


def zipped(source: str) -> bytes:
    """A deployment package with one module, ``app``."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", source)
    return content.getvalue()


def awaited[T](look: Callable[[], T], seconds: float = 30) -> T:
    """Return what ``look`` finds once that is true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"still {found!r} after {seconds} s"
        time.sleep(0.1)
    return found


class Account:
    """A VPC with a public and a private subnet, a NAT gateway, and roles."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ec2, self.iam = self.client("ec2"), self.client("iam")
        self.functions, self.scheduler = self.client("lambda"), self.client("scheduler")

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.settings.endpoint_url,
            region_name=self.settings.region,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )

    def build(self) -> None:
        ec2 = self.ec2
        vpc = self.vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        public, self.subnet, self.data = (
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{n}.0/24")["Subnet"]["SubnetId"] for n in (0, 1, 2)
        )
        self.table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.subnet)
        outside = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=outside, SubnetId=public)
        ec2.create_route(RouteTableId=outside, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        address = ec2.allocate_address(Domain="vpc")
        self.nat_address = address["PublicIp"]
        self.nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address["AllocationId"])["NatGateway"][
            "NatGatewayId"
        ]
        ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[self.nat], WaiterConfig={"Delay": 1})
        self.route_out()
        self.group = ec2.create_security_group(GroupName="function", Description="d", VpcId=vpc)["GroupId"]
        self.role = self.make_role("lambda.amazonaws.com", attached=VPC_ACCESS)

    def route_out(self) -> None:
        self.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=self.nat)

    def no_route_out(self) -> None:
        self.ec2.delete_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0")

    def make_role(self, service: str, *, attached: str = "", policy: dict[str, Any] | None = None) -> str:
        name = f"role-{next(_number)}"
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
        if attached:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=attached)
        if policy:
            self.allow(arn, policy)
        return str(arn)

    def allow(self, role: str, statement: dict[str, Any]) -> None:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
        self.iam.put_role_policy(
            RoleName=role.rpartition("/")[2], PolicyName="own", PolicyDocument=json.dumps(document)
        )

    def make_function(self, source: str, **options: Any) -> str:
        """Create a function with a handler ``app.handler``, wait until it is active, and return its name."""
        name = f"function-{next(_number)}"
        given = {
            "Role": self.role,
            "Runtime": own_runtime(),
            "Handler": "app.handler",
            "Timeout": 10,
            "Code": {"ZipFile": zipped(source)},
            "VpcConfig": {"SubnetIds": [self.subnet], "SecurityGroupIds": [self.group]},
        }
        self.functions.create_function(FunctionName=name, **{**given, **options})
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return name

    def invoke(self, name: str, event: Any = None) -> tuple[Any, str]:
        """What the function returned, and Lambda's word for its failure, empty when there was none."""
        answer = self.functions.invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read() or b"null"), answer.get("FunctionError", "")

    def interfaces(self, name: str) -> list[Any]:
        filters = [{"Name": "description", "Values": [f"AWS Lambda VPC ENI-{name}-*"]}]
        return list(self.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"])
