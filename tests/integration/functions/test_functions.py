"""Functions really run: by AWS's runtime client, in a namespace with the subnet, route table and groups of theirs."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import botocore.exceptions
import pytest
from function_account import Account, awaited, zipped

from lab import cli

ECHO = "def handler(event, context):\n    return {'event': event, 'id': context.aws_request_id}\n"
FETCH = """
import urllib.request
def handler(event, context):
    return urllib.request.urlopen(event, timeout=2).read().decode()
"""
CONNECT = """
import socket
def handler(event, context):
    try:
        with socket.create_connection((event, 3306), timeout=1) as connection:
            return connection.recv(5).decode()
    except OSError as error:
        return type(error).__name__
"""
ENVIRONMENT = """
import os, pathlib
def handler(event, context):
    def writable(path):
        try:
            pathlib.Path(path, 'mark').write_text('x')
            return True
        except OSError:
            return False
    return {
        'variables': dict(os.environ),
        'user': os.getuid(),
        'groups': os.getgroups(),
        'capabilities': [l for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapBnd', 'NoNewPrivs'))],
        'processes': [p for p in os.listdir('/proc') if p.isdigit()],
        'writable': [p for p in ('/', '/var/task', '/var/runtime', '/usr', '/etc', '/tmp', '/dev') if writable(p)],
        'root': sorted(os.listdir('/')),
    }
"""


def test_a_function_runs_and_answers(account: Account) -> None:
    name = account.make_function(ECHO)
    answer, failed = account.invoke(name, {"a": 1})
    assert not failed
    assert answer["event"] == {"a": 1}
    assert len(answer["id"]) == 36


def test_what_a_function_raises_is_its_answer(account: Account) -> None:
    name = account.make_function("def handler(event, context):\n    raise ValueError('no readings')\n")
    answer, failed = account.invoke(name)
    assert failed == "Unhandled"
    assert (answer["errorType"], answer["errorMessage"]) == ("ValueError", "no readings")


def test_a_module_that_does_not_load_is_said(account: Account) -> None:
    answer, failed = account.invoke(account.make_function("import not_there\n"))
    assert failed == "Unhandled"
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "not_there" in answer["errorMessage"]


def test_a_function_that_takes_too_long_is_ended_and_runs_again(account: Account) -> None:
    source = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'done'\n"
    name = account.make_function(source, Timeout=1)
    answer, failed = account.invoke(name, 30)
    assert failed == "Unhandled"
    assert "Task timed out after 1.00 seconds" in answer["errorMessage"]
    assert account.invoke(name, 0) == ("done", "")


def test_a_function_that_takes_too_much_memory_is_ended(account: Account) -> None:
    source = "def handler(event, context):\n    return len(bytearray(event * 1024 * 1024).hex())\n"
    name = account.make_function(source, MemorySize=128)
    answer, failed = account.invoke(name, 200)
    assert failed == "Unhandled"
    assert "signal: killed" in answer["errorMessage"]
    assert account.invoke(name, 1)[1] == ""


def test_a_function_sees_only_what_lambda_gives_it(account: Account) -> None:
    variables = {"Variables": {"OWN": "value"}}
    answer, failed = account.invoke(account.make_function(ENVIRONMENT, Environment=variables))
    assert not failed, answer
    given = answer["variables"]
    assert given["OWN"] == "value"
    assert given["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    foreign = {name for name in given if not name.startswith(("AWS_", "LAMBDA_", "_"))}
    assert foreign == {"OWN", "PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LANG", "LC_CTYPE", "TZ"} & set(given)
    assert answer["writable"] == ["/tmp"]  # noqa: S108 - the function's own
    assert answer["user"] > 60000 and answer["groups"] in ([], [answer["user"]])
    assert [line.split()[1] for line in answer["capabilities"]] == ["0" * 16, "0" * 16, "1"]
    assert len(answer["processes"]) <= 3
    assert not {"home", "root", "work", "run"} - {"root"} & set(answer["root"])


def test_the_warm_environment_stays_and_a_changed_function_gets_a_new_one(account: Account) -> None:
    source = "import os\nseen = []\ndef handler(event, context):\n    seen.append(1)\n    return len(seen)\n"
    name = account.make_function(source)
    assert [account.invoke(name)[0] for _ in range(3)] == [1, 2, 3]
    account.functions.update_function_code(FunctionName=name, ZipFile=zipped(source.replace("len(seen)", "'new'")))
    account.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    assert account.invoke(name)[0] == "new"


def test_what_a_function_prints_is_in_cloudwatch_logs(account: Account) -> None:
    name = account.make_function("def handler(event, context):\n    print('three readings')\n")
    answer = account.functions.invoke(FunctionName=name, LogType="Tail")
    assert "three readings" in base64.b64decode(answer["LogResult"]).decode()
    group = f"/aws/lambda/{name}"
    events = account.client("logs").filter_log_events(logGroupName=group)["events"]
    messages = [event["message"] for event in events]
    assert "three readings" in messages
    assert any(message.startswith("REPORT RequestId:") for message in messages)


@pytest.fixture
def blocked(account: Account) -> Iterator[None]:
    """While it lasts, the function's subnet has no route to the NAT gateway."""
    account.no_route_out()
    yield
    account.route_out()


def test_a_function_gets_out_under_the_nat_gateways_address(account: Account) -> None:
    name = account.make_function(FETCH)
    answer, failed = account.invoke(name, "http://readings.example.com/v1/address")
    assert not failed, answer
    assert account.nat_address in answer


def test_without_a_route_to_nat_a_function_does_not_get_out(account: Account, blocked: None) -> None:
    name = account.make_function(FETCH)
    answer, failed = account.invoke(name, "http://readings.example.com/v1/address")
    assert failed == "Unhandled"
    assert "No route to host" in answer["errorMessage"]  # on AWS nothing answers at all


def test_a_groups_rule_decides_whether_a_function_reaches_mysql(account: Account) -> None:
    ec2 = account.ec2
    database = ec2.create_security_group(GroupName="database", Description="d", VpcId=account.vpc)["GroupId"]
    # Another function's interface stands for the database host; what answers there is this test's own.
    stand_in = account.make_function(ECHO, VpcConfig={"SubnetIds": [account.data], "SecurityGroupIds": [database]})
    (interface,) = account.interfaces(stand_in)
    address = interface["PrivateIpAddress"]
    server = subprocess.Popen(
        ["ip", "netns", "exec", f"lab-{interface['NetworkInterfaceId']}", "python3", "-c", GREETER, address],
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None and server.stdout.readline() == b"ready\n"
        name = account.make_function(CONNECT)
        assert account.invoke(name, address)[0] == "TimeoutError"
        peer = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "UserIdGroupPairs": [{"GroupId": account.group}]}
        ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=[peer])
        awaited(lambda: account.invoke(name, address)[0] == "MySQL")
    finally:
        server.kill()
        server.wait()


GREETER = """
import socket, sys
server = socket.create_server((sys.argv[1], 3306))
print("ready", flush=True)
while True:
    connection, _ = server.accept()
    connection.sendall(b"MySQL")
    connection.close()
"""


def test_a_function_reads_the_secrets_that_its_role_names_and_no_others(account: Account) -> None:
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    client = boto3.client('secretsmanager')\n"
        "    try:\n"
        "        return client.get_secret_value(SecretId=event)['SecretString']\n"
        "    except client.exceptions.ClientError as error:\n"
        "        return error.response['Error']['Code']\n"
    )
    manager = account.client("secretsmanager")
    own = manager.create_secret(Name="own", SecretString="mine")["ARN"]
    manager.create_secret(Name="other", SecretString="theirs")
    role = account.make_role(
        "lambda.amazonaws.com",
        attached="arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
        policy={"Action": "secretsmanager:GetSecretValue", "Resource": own},
    )
    name = account.make_function(source, Role=role, Timeout=20)
    assert account.invoke(name, "own") == ("mine", "")
    assert account.invoke(name, "other") == ("AccessDeniedException", "")


def test_a_role_that_lambda_may_not_use_is_refused(account: Account) -> None:
    for role, words in (
        (account.make_role("ec2.amazonaws.com"), "cannot be assumed by Lambda"),
        (account.make_role("lambda.amazonaws.com"), "does not have permissions to call CreateNetworkInterface"),
    ):
        with pytest.raises(botocore.exceptions.ClientError, match=words):
            account.make_function(ECHO, Role=role)


def test_a_schedule_fires_and_its_role_must_allow_it(account: Account) -> None:
    name = account.make_function("def handler(event, context):\n    print('fired', event)\n")
    arn = account.functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    role = account.make_role("scheduler.amazonaws.com")
    target = {"Arn": arn, "RoleArn": role, "Input": json.dumps({"by": "schedule"})}
    given = {"ScheduleExpression": "rate(1 minute)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    account.scheduler.create_schedule(Name=f"refused-{name}", Target=target, **given)
    account.allow(role, {"Action": "lambda:InvokeFunction", "Resource": arn})
    account.scheduler.create_schedule(Name=name, Target=target, **given)
    file = account.settings.state / "functions" / f"{name}.log"
    awaited(lambda: file.exists() and "fired {'by': 'schedule'}" in file.read_text())
    account.scheduler.delete_schedule(Name=name)
    account.scheduler.delete_schedule(Name=f"refused-{name}")


def test_a_deleted_function_leaves_nothing(account: Account) -> None:
    name = account.make_function(ECHO)
    account.invoke(name)
    (interface,) = account.interfaces(name)
    namespace = Path("/run/netns") / f"lab-{interface['NetworkInterfaceId']}"
    assert namespace.exists()
    assert _processes(namespace)
    account.functions.delete_function(FunctionName=name)
    awaited(lambda: not account.interfaces(name))
    assert not namespace.exists()
    assert not (account.settings.state / "functions" / name).exists()
    assert not _processes(namespace)


def test_a_lab_that_is_killed_leaves_no_function_running(account: Account) -> None:
    name = account.make_function(ECHO)
    account.invoke(name)
    (interface,) = account.interfaces(name)
    namespace = Path("/run/netns") / f"lab-{interface['NetworkInterfaceId']}"
    assert _processes(namespace)
    os.kill(cli.status_of(account.settings)["pid"], signal.SIGKILL)
    awaited(lambda: not _processes(namespace))


def _processes(namespace: Path) -> list[str]:
    """The processes whose network is the namespace's, or whose command line names it."""
    wanted = namespace.stat().st_ino if namespace.exists() else 0
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "ns/net").stat().st_ino == wanted or namespace.name in (process / "cmdline").read_text():
                found.append(process.name)
        except OSError:
            continue
    return found
