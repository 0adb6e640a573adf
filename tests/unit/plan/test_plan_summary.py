"""What results in check mode mean, as tables, and how a plan says them."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def plan() -> ModuleType:
    package: ModuleType = runpy.run_path(str(ROOT / "plugins/packages.py"))["load"]("plan")
    return package


def permission(port: int, cidr: str) -> dict[str, Any]:
    return {"ip_protocol": "tcp", "from_port": port, "to_port": port, "ip_ranges": [{"cidr_ip": cidr}]}


TAGS = {"Name": "shop-a", "Project": "shop"}
# Action, arguments, result; then verb, kind, name and changes as text.
READ: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, str, str, list[str]]]] = [
    ("amazon.aws.ec2_vpc_net", {"name": "shop"}, {}, ("create", "VPC", "shop", [])),
    (
        "amazon.aws.ec2_vpc_net",
        {"name": "shop", "dns_hostnames": True, "tags": {"Project": "shop"}},
        {"vpc": {"enable_dns_hostnames": False, "tags": {"Name": "shop", "Project": "shop", "Owner": "x"}}},
        ("change", "VPC", "shop", ["dns_hostnames: false → true", "tags.Owner: x → (removed)"]),
    ),
    (
        "amazon.aws.ec2_vpc_subnet",
        {"tags": TAGS, "map_public": False},
        {"subnet": {"id": "subnet-1", "map_public_ip_on_launch": True, "tags": TAGS}},
        ("change", "subnet", "shop-a", ["map_public: true → false"]),
    ),
    ("amazon.aws.ec2_vpc_subnet", {"tags": TAGS}, {"subnet": {}}, ("create", "subnet", "shop-a", [])),
    (
        "amazon.aws.ec2_security_group",
        {"name": "shop-db"},
        {
            "diff": [
                {
                    "before": {
                        "security_group_arn": "arn:sg",
                        "ip_permissions": [permission(22, "0.0.0.0/0"), permission(3306, "10.0.0.0/16")],
                    },
                    "after": {"ip_permissions": [permission(3306, "10.0.0.0/16")]},
                }
            ]
        },
        ("change", "security group", "shop-db", ["ip_permissions: tcp 22 from 0.0.0.0/0 → (removed)"]),
    ),
    (
        "amazon.aws.ec2_instance",
        {"name": "db1", "metadata_options": {"http_tokens": "required"}, "security_groups": ["sg-2", "sg-1"]},
        {
            "instances": [
                {
                    "metadata_options": {"http_tokens": "optional"},
                    "security_groups": [{"group_id": "sg-1"}, {"group_id": "sg-2"}],
                }
            ]
        },
        ("change", "instance", "db1", ["metadata_options.http_tokens: optional → required"]),
    ),
    ("amazon.aws.iam_role", {"name": "collector"}, {}, ("create", "role", "collector", [])),
    (
        "amazon.aws.iam_role",
        {"name": "collector", "description": "May run", "managed_policies": ["arn:run"], "tags": {"Project": "shop"}},
        {
            "iam_role": {
                "description": "May run",
                "attached_policies": [{"policy_arn": "arn:run"}, {"policy_arn": "arn:admin"}],
                "tags": {"Project": "shop", "Owner": "x"},
            }
        },
        (
            "change",
            "role",
            "collector",
            ["tags.Owner: x → (removed)", "managed_policies: arn:admin → (removed)"],
        ),
    ),
    (
        "amazon.aws.iam_policy",
        {"iam_name": "collector", "policy_name": "secrets"},
        {"diff": {"before": {"secrets": {"Action": "*"}}, "after": {"secrets": {"Action": "s3:GetObject"}}}},
        ("change", "role's policy", "secrets of collector", ["secrets.Action: * → s3:GetObject"]),
    ),
    (
        "amazon.aws.lambda",
        {"name": "collector", "memory_size": 256, "timeout": 60},
        {"configuration": {"memory_size": 512, "timeout": 60}},
        ("change", "Lambda function", "collector", ["memory_size: 512 → 256"]),
    ),
    ("amazon.aws.lambda", {"name": "collector"}, {}, ("create", "Lambda function", "collector", [])),
    (
        "amazon.aws.cloudwatchlogs_log_group",
        {"log_group_name": "/aws/lambda/collector", "retention": 30},
        {"log_group_name": "/aws/lambda/collector", "retention_in_days": 3653},
        ("change", "log group", "/aws/lambda/collector", ["retention: 3653 → 30"]),
    ),
    (
        "scheduler_schedule",
        {"name": "collector"},
        {"diff": {"before": {"State": "DISABLED"}, "after": {"State": "ENABLED"}}},
        ("change", "schedule", "collector", ["State: DISABLED → ENABLED"]),
    ),
    (
        "s3_private_bucket",
        {"name": "site"},
        {"diff": {"before": {}, "after": {"Bucket": "site"}}},
        ("create", "bucket", "site", ["Bucket: (none) → site"]),
    ),
    (
        "cloudfront_vpc_origin",
        {"name": "shop-backend", "state": "absent"},
        {"diff": {"before": {"a": 1}, "after": {}}},
        ("delete", "VPC origin", "shop-backend", ["a: 1 → (removed)"]),
    ),
    (
        "ansible.builtin.template",
        {"dest": "/etc/my.cnf"},
        {"diff": [{"before": "a=1\nb=2\n", "after": "a=1\nb=3\n"}]},
        ("change", "file", "/etc/my.cnf on db1", ["line: b=2 → (removed)", "line: (none) → b=3"]),
    ),
    (
        "ansible.builtin.file",
        {"path": "/srv"},
        {"diff": {"before": {"state": "absent"}, "after": {"state": "directory"}}},
        ("create", "file", "/srv on db1", ["state: absent → directory"]),
    ),
    # Of what holds a secret nothing is told.
    ("ansible.builtin.copy", {"dest": "/etc/secret"}, {}, ("change", "file", "/etc/secret on db1", [])),
    ("ansible.mysql.mysql_user", {"name": "backend"}, {}, ("change", "MySQL user", "backend", [])),
    (
        "amazon.aws.route53",
        {"record": "db1.internal"},
        {
            "diff": {
                "before": {"Name": "db1.internal.", "values": ["10.0.0.9"], "value": ["10.0.0.9"]},
                "after": {"name": "db1.internal.", "values": ["10.0.0.4"], "value": ["10.0.0.4"]},
            }
        },
        ("change", "private name", "db1.internal", ["values: 10.0.0.9 → 10.0.0.4"]),
    ),
    ("ansible.builtin.debug", {}, {"msg": "Would run db1 in app"}, ("create", "instance", "db1 in app on db1", [])),
    (
        "ansible.builtin.debug",
        {},
        {"msg": ["Would delete NAT gateway: shop (nat-1)"]},
        ("delete", "NAT gateway", "shop (nat-1) on db1", []),
    ),
    ("ansible.builtin.command", {}, {}, ("change", "task", "Do it on db1", [])),
]


@pytest.mark.parametrize(("action", "args", "result", "means"), READ, ids=[f"{row[0]} {row[3][0]}" for row in READ])
def test_a_result_is_read_as_what_a_run_would_do(
    plan: ModuleType, action: str, args: dict[str, Any], result: dict[str, Any], means: tuple[str, str, str, list[str]]
) -> None:
    host = "db1" if action.startswith("ansible.builtin") else "localhost"
    (entry,) = plan.entries(action=action, task="Do it", host=host, label="", args=args, result=result)
    changes = [f"{each.what}: {each.before} → {each.after}" for each in entry.changes]
    assert (entry.verb, entry.kind, entry.name, changes) == means


def test_what_several_tasks_tell_of_is_one_entry(plan: ModuleType) -> None:
    created = plan.Entry("create", "bucket", "site")
    changed = plan.Entry("change", "bucket", "site", (plan.Change("Policy", "(none)", "{}"),))
    assert plan.merged([created, changed]) == [created]
    other = plan.Entry("change", "bucket", "site", (plan.Change("Tags", "a", "b"),))
    (entry,) = plan.merged([changed, other, changed])
    assert [each.what for each in entry.changes] == ["Policy", "Tags"]


def test_long_values_that_differ_only_at_their_end_are_shown(plan: ModuleType) -> None:
    before, after = {"code": "x" * 500 + "a"}, {"code": "x" * 500 + "b"}
    (entry,) = plan.entries(
        action="cloudfront_function", task="", host="localhost", label="", args={"name": "f"},
        result={"diff": {"before": before, "after": after}},
    )  # fmt: skip
    assert [each.what for each in entry.changes] == ["code"]


def test_a_plan_is_said_by_what_is_created_changed_and_deleted(plan: ModuleType) -> None:
    entries = [
        plan.Entry("create", "VPC", "shop"),
        plan.Entry("change", "security group", "shop-db", (plan.Change("ip_permissions", "tcp 22", "(removed)"),)),
        plan.Entry("delete", "VPC origin", "old"),
    ]
    assert plan.render(entries, ["Databases"]).splitlines() == [
        "",
        "Plan: 1 to create, 1 to change, 1 to delete. Nothing was touched.",
        "",
        "To create",
        "  + VPC  shop",
        "",
        "To change",
        "  ~ security group  shop-db",
        "      ip_permissions: tcp 22 → (removed)",
        "",
        "To delete",
        "  - VPC origin  old",
        "",
        "Then, on hosts that are not there yet:",
        "  + Databases",
    ]
    assert "Plan: nothing to do." in plan.render([], [])
    assert "ends where a task failed" in plan.render(entries, [], complete=False)
