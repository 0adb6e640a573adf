#!/usr/bin/python
"""Manage schedules of Amazon EventBridge Scheduler."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scheduler_schedule
short_description: Manage schedules of Amazon EventBridge Scheduler
description:
  - Creates, updates and deletes a schedule, which invokes a target, such as a Lambda function, again and again or once.
  - A schedule is found by its name and its group. AWS gives schedules no tags; their groups have them.
  - What an option does not say stays as it is.
author: The Madang authors
options:
  name:
    description: The schedule's name, one of its kind in its group.
    type: str
    required: true
  group_name:
    description: The schedule group, which must exist.
    type: str
    default: default
  schedule_expression:
    description:
      - When it fires, such as V(rate(5 minutes\)), V(cron(0 12 * * ? *\)) or V(at(2026-12-31T23:59:00\)).
      - Required with O(state=present).
    type: str
  schedule_expression_timezone:
    description: The time zone of V(cron) and V(at) expressions. AWS's default is V(UTC).
    type: str
  flexible_time_window:
    description: Minutes within which AWS may choose the moment; V(0) for none, which is AWS's default here.
    type: int
  description:
    description: A description.
    type: str
  target_arn:
    description: The ARN of what it invokes. Required with O(state=present).
    type: str
  role_arn:
    description:
      - The ARN of the role that it invokes as, which must let C(scheduler.amazonaws.com) assume it.
      - A role that was only just created is waited for. Required with O(state=present).
    type: str
  input:
    description: What the target is given, as text; usually JSON.
    type: str
  maximum_retry_attempts:
    description: How often an invocation that the target did not take is tried again. AWS's default is V(185).
    type: int
  maximum_event_age:
    description: For how many seconds. AWS's default is V(86400).
    type: int
  dead_letter_arn:
    description: The ARN of an SQS queue for events that were never taken; empty for none.
    type: str
  enabled:
    description: Whether it fires. AWS's default is V(true).
    type: bool
  state:
    description: Whether the schedule is to be there.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Invoke a function every five minutes
  scheduler_schedule:
    name: shop-collector
    schedule_expression: rate(5 minutes)
    target_arn: arn:aws:lambda:ap-northeast-2:123456789012:function:shop-collector
    role_arn: arn:aws:iam::123456789012:role/shop-collector-schedule
    maximum_retry_attempts: 0

- name: Hold it for a while
  scheduler_schedule:
    name: shop-collector
    schedule_expression: rate(5 minutes)
    target_arn: arn:aws:lambda:ap-northeast-2:123456789012:function:shop-collector
    role_arn: arn:aws:iam::123456789012:role/shop-collector-schedule
    enabled: false

- name: Delete it
  scheduler_schedule:
    name: shop-collector
    state: absent
"""

RETURN = r"""
schedule:
  description:
    - The schedule. Empty after V(absent).
    - In check mode what only AWS can choose of a new one is V((known after creation\)).
  returned: always
  type: dict
  contains:
    arn: {description: Its ARN., type: str}
    name: {description: Its name., type: str}
    group_name: {description: Its group., type: str}
    schedule_expression: {description: When it fires., type: str, sample: rate(5 minutes)}
    state: {description: V(ENABLED) or V(DISABLED)., type: str}
    target: {description: What it invokes, and as whom., type: dict}
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.aws_outcome import (
    UNKNOWN,
    Outcome,
    doing,
    error_code,
    finish,
    looking_again,
    patient,
    patient_with,
    refusal,
)
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.transformation import boto3_resource_to_ansible_dict

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "group_name": {"type": "str", "default": "default"},
    "schedule_expression": {"type": "str"},
    "schedule_expression_timezone": {"type": "str"},
    "flexible_time_window": {"type": "int"},
    "description": {"type": "str"},
    "target_arn": {"type": "str"},
    "role_arn": {"type": "str"},
    "input": {"type": "str"},
    "maximum_retry_attempts": {"type": "int"},
    "maximum_event_age": {"type": "int"},
    "dead_letter_arn": {"type": "str"},
    "enabled": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

REMEDIES = {
    "ResourceNotFoundException": "Check group_name: the schedule group must exist",
    "ServiceQuotaExceededException": "The account has no room for another schedule: delete one, or ask AWS for more",
    "AccessDeniedException": "The credentials need scheduler:GetSchedule, scheduler:CreateSchedule, "
    "scheduler:UpdateSchedule, scheduler:DeleteSchedule, and iam:PassRole on role_arn",
    "ValidationException": "Check the expression, and that role_arn lets scheduler.amazonaws.com assume it",
}

# An update replaces a schedule whole, so what is not asked for has to be sent again.
SETTINGS = (
    "ActionAfterCompletion", "Description", "EndDate", "FlexibleTimeWindow", "KmsKeyArn", "ScheduleExpression",
    "ScheduleExpressionTimezone", "StartDate", "State", "Target",
)  # fmt: skip
NEW: dict[str, Any] = {
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "ScheduleExpressionTimezone": "UTC",
    "State": "ENABLED",
    "Target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}},
}


def settings_of(schedule: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a schedule, comparable; empty ones are left out, as AWS does."""
    return {key: schedule[key] for key in SETTINGS if schedule.get(key) not in (None, "")}


def wanted_settings(asked: Mapping[str, Any], current: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings that the options ask for, over what there is."""
    before = current or NEW
    wanted = {
        **before,
        **_given(
            Description=asked["description"],
            ScheduleExpression=asked["schedule_expression"],
            ScheduleExpressionTimezone=asked["schedule_expression_timezone"],
        ),
        "Target": wanted_target(asked, before["Target"]),
    }
    if asked["enabled"] is not None:
        wanted["State"] = "ENABLED" if asked["enabled"] else "DISABLED"
    window = asked["flexible_time_window"]
    if window is not None:
        wanted["FlexibleTimeWindow"] = (
            {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": window} if window else {"Mode": "OFF"}
        )
    return settings_of(wanted)


def wanted_target(asked: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The target that the options ask for, over what there is."""
    retries = _given(
        MaximumRetryAttempts=asked["maximum_retry_attempts"], MaximumEventAgeInSeconds=asked["maximum_event_age"]
    )
    target = {
        **before,
        **_given(Arn=asked["target_arn"], RoleArn=asked["role_arn"], Input=asked["input"]),
        "RetryPolicy": {**(before.get("RetryPolicy") or {}), **retries},
    }
    if asked["dead_letter_arn"] is not None:
        target["DeadLetterConfig"] = {"Arn": asked["dead_letter_arn"]} if asked["dead_letter_arn"] else None
    return {key: value for key, value in target.items() if value not in (None, "")}


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def find(client: Any, asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schedule, or None."""
    try:
        with doing(f"look for the schedule {asked['name']}", REMEDIES):
            found: Mapping[str, Any] = client.get_schedule(
                Name=asked["name"], GroupName=asked["group_name"], aws_retry=True
            )
            return found
    except AnsibleAWSError as error:
        if error_code(error) == "ResourceNotFoundException":
            return None
        raise


def ensure_present(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Create or update."""
    found = find(client, asked)
    before = settings_of(found) if found else None
    after = wanted_settings(asked, before)
    named = {"Name": asked["name"], "GroupName": asked["group_name"]}
    if before != after and not check_mode:
        # A role takes seconds until the scheduler may assume it, and until then that is a ValidationException.
        action = client.update_schedule if found else client.create_schedule
        with doing(f"{'update' if found else 'create'} the schedule {asked['name']}", REMEDIES):
            patient_with(action, "ValidationException")(**named, **after)
        found = find(client, asked)
        if found is None:
            raise refusal(f"The schedule {asked['name']} was deleted by someone else meanwhile: run this again.")
    result = {**named, "Arn": UNKNOWN, **(found or {}), **(after if check_mode else {})}
    return Outcome(before != after, before or {}, after, {"schedule": _returned(result)})


def ensure_absent(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Delete."""
    found = find(client, asked)
    if found is None:
        return Outcome(False, values={"schedule": {}})
    if not check_mode:
        with doing(f"delete the schedule {asked['name']}", REMEDIES):
            client.delete_schedule(Name=asked["name"], GroupName=asked["group_name"], aws_retry=True)
    return Outcome(True, settings_of(found), {}, {"schedule": {}})


def _returned(schedule: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in schedule.items() if key != "ResponseMetadata" and value is not None}
    returned: dict[str, Any] = boto3_resource_to_ansible_dict(kept)
    return returned


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_if=[("state", "present", ["schedule_expression", "target_arn", "role_arn"])],
    )
    client = module.client("scheduler", retry_decorator=patient("InternalServerException"))
    asked, check_mode = module.params, module.check_mode
    ensure = ensure_present if asked["state"] == "present" else ensure_absent
    # Someone else's change, or our own request sent twice because its answer was lost: look again.
    conflicts = ("ConflictException", "ResourceNotFoundException")
    finish(module, lambda: looking_again(lambda: ensure(client, asked, check_mode), conflicts, acting=not check_mode))


if __name__ == "__main__":
    main()
