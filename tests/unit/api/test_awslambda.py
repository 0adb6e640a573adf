"""Lambda and EventBridge Scheduler as the API tells them; that functions run is tests/integration/functions' matter."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest

from lab.api import awslambda, permissions, ready, view
from lab.api.world import lock, world
from lab.functions.model import Outcome

VPC_ACCESS = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


def role(service: str = "lambda.amazonaws.com", policy: dict[str, Any] | None = None) -> str:
    iam, name = boto3.client("iam"), f"role-{len(boto3.client('iam').list_roles()['Roles'])}"
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=VPC_ACCESS)
    if policy:
        own = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=own)
    return arn


def code() -> dict[str, bytes]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", "")
    return {"ZipFile": content.getvalue()}


@pytest.fixture
def made(inside: Any) -> dict[str, Any]:
    """A function in a subnet, still pending."""
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="function", Description="d", VpcId=vpc)["GroupId"]
    answer: dict[str, Any] = boto3.client("lambda").create_function(
        FunctionName="collector",
        Role=role(),
        Runtime="python3.13",
        Handler="app.handler",
        Code=code(),
        VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [group]},
    )
    return {**answer, "vpc": vpc, "group": group}


def interfaces(vpc: str) -> list[str]:
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    found = boto3.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    return [each["NetworkInterfaceId"] for each in found]


def test_a_function_is_pending_until_the_lab_confirms_and_its_interface_is_one_of_the_network(
    made: dict[str, Any],
) -> None:
    assert made["State"] == "Pending"
    assert made["VpcConfig"]["VpcId"] == made["vpc"]
    (interface,) = view.network_state().interfaces
    assert (interface.kind, interface.owner_id, interface.groups) == ("lambda", "collector", {made["group"]})
    assert [(each.kind, each.id) for each in view.waiting()] == [("function", "collector")]
    ready.function_active("collector")
    client = boto3.client("lambda")
    assert client.get_function_configuration(FunctionName="collector")["State"] == "Active"
    before = view.lambda_functions()[0].revision
    client.update_function_code(FunctionName="collector", **code())
    assert client.get_function_configuration(FunctionName="collector")["LastUpdateStatus"] == "InProgress"
    assert view.lambda_functions()[0].revision != before


def test_a_deleted_functions_interface_goes_when_the_lab_confirms(made: dict[str, Any]) -> None:
    boto3.client("lambda").delete_function(FunctionName="collector")
    assert len(interfaces(made["vpc"])) == 1
    assert view.network_state().interfaces == ()
    for thing in view.waiting():
        ready.lambda_interface_gone(thing.id)
    assert interfaces(made["vpc"]) == []


def test_an_interface_of_a_function_is_not_the_customers_to_delete(made: dict[str, Any]) -> None:
    (interface,) = interfaces(made["vpc"])
    with pytest.raises(botocore.exceptions.ClientError, match="permission"):
        boto3.client("ec2").delete_network_interface(NetworkInterfaceId=interface)


def test_invoke_waits_for_active_and_says_where_nothing_runs(
    made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("lambda", config=botocore.config.Config(retries={"total_max_attempts": 1}))
    with pytest.raises(client.exceptions.ResourceConflictException, match="Pending"):
        client.invoke(FunctionName="collector")
    ready.function_active("collector")
    with pytest.raises(botocore.exceptions.ClientError, match="no hosts"):
        client.invoke(FunctionName="collector")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="other")

    class Runs:
        """Asks the API itself, as a function may while it runs."""

        def now(self, arn: str, payload: bytes) -> Outcome:
            boto3.client("sts").get_caller_identity()
            return Outcome(payload, "Unhandled", "a log")

        def later(self, arn: str, payload: bytes) -> None:
            raise AssertionError

    monkeypatch.setattr(world, "functions", Runs())
    answer = client.invoke(FunctionName="collector", Payload=b"[1]", LogType="Tail")
    assert (answer["Payload"].read(), answer["FunctionError"]) == (b"[1]", "Unhandled")


def test_what_is_no_package_is_refused(inside: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="Could not unzip"):
        boto3.client("lambda").create_function(
            FunctionName="x", Role=role(), Runtime="python3.13", Handler="a.b", Code={"ZipFile": b"text"}
        )


def test_a_roles_policies_decide_with_both_wildcards(inside: Any) -> None:
    secret = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop/db"
    statement = {"Effect": "Allow", "Action": "secretsmanager:Get*", "Resource": f"{secret}-??????"}
    arn = role(policy=statement)
    with lock:
        assert permissions.permits(arn, "secretsmanager:GetSecretValue", f"{secret}-AbCdEf")
        assert not permissions.permits(arn, "secretsmanager:GetSecretValue", f"{secret}-other-AbCdEf")
        assert not permissions.permits(arn, "secretsmanager:PutSecretValue", f"{secret}-AbCdEf")
        assert not permissions.permits("arn:aws:iam::123456789012:role/none", "ec2:CreateNetworkInterface", "*")


def test_a_session_of_a_role_may_do_what_the_role_may(inside: Any) -> None:
    key, secret = permissions.session(role())
    client = boto3.client("secretsmanager", aws_access_key_id=key, aws_secret_access_key=secret)
    with pytest.raises(botocore.exceptions.ClientError, match="not authorized to perform: secretsmanager:ListSecrets"):
        client.list_secrets()
    boto3.client("secretsmanager").list_secrets()


def test_a_schedule_needs_a_role_that_the_scheduler_may_assume(inside: Any) -> None:
    client = boto3.client("scheduler")
    given: dict[str, Any] = {
        "Name": "shop",
        "ScheduleExpression": "rate(1 minute)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
    }
    target = {"Arn": "arn:aws:lambda:ap-northeast-2:123456789012:function:collector", "RoleArn": role()}
    with pytest.raises(client.exceptions.ValidationException, match="must allow AWS EventBridge Scheduler"):
        client.create_schedule(**given, Target=target)
    client.create_schedule(**given, Target={**target, "RoleArn": role("scheduler.amazonaws.com")})
    (schedule,) = view.schedules()
    assert (schedule.expression, schedule.enabled, schedule.target) == ("rate(1 minute)", True, target["Arn"])


def test_the_functions_log_is_kept_in_cloudwatch_logs(inside: Any) -> None:
    awslambda.keep_log("/aws/lambda/collector", "2026/01/01/[$LATEST]0", ["one", "", "two"])
    events = boto3.client("logs").filter_log_events(logGroupName="/aws/lambda/collector")["events"]
    assert [event["message"] for event in events] == ["one", "two"]
