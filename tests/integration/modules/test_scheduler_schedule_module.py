"""scheduler_schedule against the lab's API."""

from __future__ import annotations

import json

import boto3
import pytest
import urllib3

NAME = "scheduler_schedule"
FUNCTION = "arn:aws:lambda:ap-northeast-2:123456789012:function:shop"


@pytest.fixture
def scheduler(api):
    return boto3.client("scheduler")


def make_role(service="scheduler.amazonaws.com", name="shop-schedule"):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


@pytest.fixture
def asked(api):
    return {
        "name": "shop",
        "schedule_expression": "rate(5 minutes)",
        "target_arn": FUNCTION,
        "role_arn": make_role(),
        "maximum_retry_attempts": 0,
    }


def names(scheduler):
    return [schedule["Name"] for schedule in scheduler.list_schedules()["Schedules"]]


def test_check_mode_announces_a_new_schedule_and_makes_none(run_module, scheduler, asked):
    planned = run_module(NAME, check=True, **asked)
    assert planned["changed"]
    assert planned["diff"]["before"] == {}
    assert planned["diff"]["after"]["ScheduleExpression"] == "rate(5 minutes)"
    assert planned["schedule"]["arn"] == "(known after creation)"
    assert names(scheduler) == []


def test_a_schedule_is_created_and_then_left_alone(run_module, scheduler, asked):
    done, again = run_module(NAME, **asked), run_module(NAME, **asked)
    assert done["changed"] and not again["changed"] and not run_module(NAME, check=True, **asked)["changed"]
    assert done["schedule"]["arn"].endswith(":schedule/default/shop")
    made = scheduler.get_schedule(Name="shop")
    assert made["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 0}
    assert (made["State"], made["FlexibleTimeWindow"]) == ("ENABLED", {"Mode": "OFF"})


def test_an_update_says_what_it_changes_and_keeps_what_it_does_not_name(run_module, scheduler, asked):
    run_module(NAME, **asked, description="Fetches", input='{"a": 1}', flexible_time_window=3)
    changed = {**asked, "schedule_expression": "rate(1 hour)", "enabled": False}
    planned, done = run_module(NAME, check=True, **changed), run_module(NAME, **changed)
    assert planned["changed"] and planned["diff"] == done["diff"]
    assert done["diff"]["before"]["ScheduleExpression"] == "rate(5 minutes)"
    made = scheduler.get_schedule(Name="shop")
    assert (made["ScheduleExpression"], made["State"]) == ("rate(1 hour)", "DISABLED")
    assert (made["Description"], made["Target"]["Input"]) == ("Fetches", '{"a": 1}')
    assert made["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 3}
    assert not run_module(NAME, **changed)["changed"]


def test_a_schedule_is_deleted_once(run_module, scheduler, asked):
    run_module(NAME, **asked)
    planned = run_module(NAME, check=True, name="shop", state="absent")
    assert planned["changed"] and names(scheduler) == ["shop"]
    assert run_module(NAME, name="shop", state="absent")["changed"]
    assert not run_module(NAME, name="shop", state="absent")["changed"]
    assert names(scheduler) == []


def test_a_group_that_is_not_there_is_said_with_what_to_do(run_module, asked):
    with pytest.raises(Exception, match="the schedule group must exist"):
        run_module(NAME, **asked, group_name="nowhere")


def test_a_lost_answer_is_no_second_schedule_and_no_error(run_module, api, scheduler, asked):
    fault = [{"service": "scheduler", "action": "CreateSchedule", "kind": "drop_after", "times": 1}]
    assert urllib3.request("POST", f"{api}/_lab/faults", json=fault, timeout=60).status == 200
    assert run_module(NAME, **asked)["changed"]
    assert names(scheduler) == ["shop"]
