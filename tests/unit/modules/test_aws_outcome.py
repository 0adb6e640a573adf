"""How failures are told, and how waits are paced."""

from __future__ import annotations

import functools
import time

import boto3
import pytest
from ansible.module_utils.aws_outcome import STALE, Outcome, doing, error_code, looking_again, patient_with
from ansible.module_utils.cloudfront_waiters import PACE, WAITERS, paces, wait_until
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from botocore.exceptions import ClientError, WaiterError


def failure(code):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DeleteFunction")


def test_a_failure_says_what_was_tried_and_what_to_do_and_what_aws_said():
    with (
        pytest.raises(AnsibleAWSError) as caught,
        doing("delete function pages", {"FunctionInUse": "Take it out of the behaviours first"}),
    ):
        raise failure("FunctionInUse")
    assert str(caught.value).startswith("Could not delete function pages. Take it out of the behaviours first: ")
    assert "FunctionInUse" in str(caught.value)
    assert error_code(caught.value) == "FunctionInUse"


@pytest.mark.parametrize(
    ("reason", "said"), [("Max attempts exceeded", "raise that, or run the task again"), ("failed", "it failed")]
)
def test_a_wait_that_ended_badly_says_why(reason, said):
    with pytest.raises(AnsibleAWSError, match=said), doing("see it deployed"):
        raise WaiterError("vpc_origin_deployed", reason, {})


def test_a_refusal_of_our_own_passes_as_it_is():
    with pytest.raises(AnsibleAWSError, match=r"^write this instead$"), doing("look"):
        raise AnsibleAWSError(message="write this instead")


def test_a_result_carries_its_diff():
    outcome = Outcome(True, {"Name": "a"}, {"Name": "b"}, {"function": {"name": "b"}})
    expected = {"changed": True, "diff": {"before": {"Name": "a"}, "after": {"Name": "b"}}, "function": {"name": "b"}}
    assert outcome.as_result() == expected


def test_throttling_and_named_errors_are_retried_and_others_are_not(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    answers = [failure("Throttling"), failure("NotYet"), failure("NoSuchFunctionExists")]

    def operation():
        raise answers.pop(0)

    with pytest.raises(ClientError, match="NoSuchFunctionExists"):
        patient_with(operation, "NotYet")()
    assert answers == []


def tries(*outcomes):
    """Work that ends one way after another."""
    left = list(outcomes)

    def attempt():
        outcome = left.pop(0)
        if isinstance(outcome, str):
            with doing("update it"):
                raise failure(outcome)
        return outcome

    return attempt


NOTHING_LEFT = Outcome(False)


@pytest.mark.parametrize(("acting", "changed"), [(True, True), (False, False)])
def test_work_that_met_a_conflict_is_done_again_and_counts_as_a_change_if_it_acts(acting, changed):
    again = tries("PreconditionFailed", NOTHING_LEFT)
    assert looking_again(again, STALE, acting=acting).changed is changed


def test_work_without_a_conflict_is_done_once():
    assert not looking_again(tries(NOTHING_LEFT), STALE, acting=True).changed


@pytest.mark.parametrize("outcomes", [["PreconditionFailed"] * 3, ["PreconditionFailed", "AccessDenied"]])
def test_conflicts_without_end_and_other_errors_are_told(outcomes):
    with pytest.raises(AnsibleAWSError, match=outcomes[-1]):
        looking_again(tries(*outcomes), STALE, acting=True)


@pytest.mark.parametrize("timeout", [1, 10, 60, 900, 1800])
def test_a_wait_lasts_its_timeout_and_at_most_a_step_more(timeout):
    slept = sum(delay * (attempts - 1) for delay, attempts in paces(timeout))
    assert timeout <= slept <= timeout + max(delay for delay, _ in PACE)


@functools.cache
def described():
    """What a botocore client knows of CloudFront's API."""
    return boto3.client("cloudfront", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b").meta


class Edge:
    """A CloudFront that answers one state after another."""

    def __init__(self, *states):
        self.meta = described()
        self.states, self.looks = list(states), 0

    def get_vpc_origin(self, **_):
        self.looks += 1
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return {"VpcOrigin": {"Status": state}}


@pytest.fixture
def slept(monkeypatch):
    seconds = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def test_what_is_ready_is_not_waited_for(slept):
    wait_until(Edge("Deployed"), "vpc_origin_deployed", 900, Id="vo_1")
    assert slept == []


def test_a_wait_begins_quickly_and_then_asks_ever_less_often(slept):
    wait_until(Edge(*["Deploying"] * 50, "Deployed"), "vpc_origin_deployed", 1200, Id="vo_1")
    assert slept[0] == PACE[0][0] and slept[-1] == PACE[-1][0] and slept == sorted(slept)


def test_a_deletion_is_over_when_aws_knows_nothing_of_it(slept):
    wait_until(Edge("Deleting", failure("EntityNotFound")), "vpc_origin_deleted", 900, Id="vo_1")
    assert len(slept) == 1


def test_what_failed_is_not_waited_for_any_longer(slept):
    edge = Edge("Deploying", "Failed")
    with pytest.raises(WaiterError, match="terminal failure"):
        wait_until(edge, "vpc_origin_deployed", 900, Id="vo_1")
    assert edge.looks == 2


def test_a_wait_ends_at_its_timeout(slept):
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        wait_until(Edge("Deploying"), "vpc_origin_deployed", 60, Id="vo_1")
    assert 60 <= sum(slept) <= 75


@pytest.mark.parametrize("waiter", WAITERS)
def test_every_waiter_is_one_that_botocore_understands(waiter):
    from ansible.module_utils.cloudfront_waiters import _Waiters

    assert waiter in _Waiters()._model.waiter_names
    assert _Waiters()._model.get_waiter(waiter).acceptors
