"""The deploying principal's policies follow from calls; those in docs/iam are what follows from the recorded ones."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
iam = runpy.run_path(str(ROOT / "scripts/iam_policy.py"))
TABLE: dict[str, Any] = iam["read"]("statements.yml")
OWN = {"project": "shop", "region": "eu-west-1", "account": "111122223333"}


def statements(*calls: str) -> dict[str, dict[str, Any]]:
    documents = iam["policies"](calls, TABLE, OWN).values()
    return {each["Sid"]: each for document in documents for each in document["Statement"]}


@pytest.mark.parametrize(
    ("call", "actions"),
    [
        ("ec2:DescribeVpcs", {"ec2:DescribeVpcs"}),
        ("ec2:CreateVpc +tags", {"ec2:CreateVpc", "ec2:CreateTags"}),
        ("s3:ListBuckets", {"s3:ListAllMyBuckets"}),
        ("s3:HeadBucket", {"s3:ListBucket"}),
        ("s3:HeadObject", {"s3:GetObject"}),
        ("s3:CopyObject", {"s3:GetObject", "s3:PutObject"}),
        ("s3:UploadPart", {"s3:PutObject"}),
        ("s3:DeleteObjects", {"s3:DeleteObject"}),
        ("s3:GetBucketVersions", {"s3:ListBucketVersions", "s3:DeleteObjectVersion"}),
        ("s3:GetBucketEncryption", {"s3:GetEncryptionConfiguration"}),
        ("s3:PutBucketPublicAccessBlock", {"s3:PutBucketPublicAccessBlock"}),
        ("lambda:Invoke", {"lambda:InvokeFunction"}),
        ("lambda:CreateFunction", {"lambda:CreateFunction", "lambda:TagResource", "iam:PassRole"}),
        ("cloudfront:CreateDistributionWithTags", {"cloudfront:CreateDistribution", "cloudfront:TagResource"}),
        ("secretsmanager:CreateSecret", {"secretsmanager:CreateSecret", "secretsmanager:TagResource"}),
        ("sts:GetCallerIdentity", set()),
    ],
)
def test_a_call_needs_the_actions_that_iam_knows_it_by(call: str, actions: set[str]) -> None:
    assert iam["needed"]([call], TABLE) == actions


def test_what_is_created_must_carry_the_projects_tag_and_is_tagged_by_creating_it_alone() -> None:
    found = statements("ec2:CreateVpc +tags", "ec2:CreateSubnet +tags")
    assert found["CreateWithTheProjectsTag"]["Condition"] == {"StringEquals": {"aws:RequestTag/Project": "shop"}}
    assert found["TagWhatIsBeingCreated"]["Condition"]["StringEquals"]["ec2:CreateAction"] == [
        *("CreateSubnet", "CreateVpc")
    ]
    # A subnet stands in a VPC that must be the project's; a VPC stands in nothing.
    assert found["ChangeWhatHasTheProjectsTag"]["Action"] == ["ec2:CreateSubnet", "ec2:CreateTags"]


def test_services_with_names_are_narrowed_to_the_projects_own() -> None:
    found = statements("secretsmanager:GetSecretValue", "lambda:CreateFunction", "s3:PutObject")
    assert found["Secrets"]["Resource"] == "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/*"
    assert found["LambdaFunction"]["Resource"] == "arn:aws:lambda:eu-west-1:111122223333:function:shop-*"
    assert found["Objects"]["Resource"] == "arn:aws:s3:::shop-*/*"
    assert found["LambdaRolesAreForTwoServices"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]}
    }


def test_what_no_run_calls_is_not_in_the_policy() -> None:
    assert set(statements("ssm:GetParameter")) == {"PublicParametersOfImages"}


def test_a_call_that_no_statement_narrows_is_said() -> None:
    with pytest.raises(ValueError, match=r"holds rds:CreateDBInstance; add each"):
        statements("rds:CreateDBInstance")


def test_a_creating_call_that_came_without_tags_once_counts_as_untagged() -> None:
    call = {"service": "ec2", "action": "CreateVpc", "caller": "US", "count": 1}
    other = {"service": "s3", "action": "PutObject", "caller": "OTHERS", "tagged": False, "count": 1}
    assert iam["calls_of"]([{**call, "tagged": True}, other], ["US"]) == {"ec2:CreateVpc +tags"}
    assert iam["calls_of"]([{**call, "tagged": True}, {**call, "tagged": False}], ["US"]) == {"ec2:CreateVpc"}


def test_the_policies_in_the_docs_are_what_follows_from_the_recorded_calls() -> None:
    written = {path.name: path.read_text() for path in (ROOT / "docs/iam").glob("*.json")}
    assert written == iam["rendered"](iam["DEFAULTS"]), "write them anew: scripts/iam_policy.py write"


def test_everything_that_a_run_creates_in_ec2_carries_its_tags_from_the_first_moment() -> None:
    creations = next(
        each["Action"] for each in TABLE["policies"]["network"] if each["Sid"] == "CreateWithTheProjectsTag"
    )
    assert [call for call in iam["recorded"]() if call in creations] == []


@pytest.mark.parametrize("name", ["network.json", "services.json"])
def test_a_policy_fits_into_a_managed_one_and_allows_particular_things(name: str) -> None:
    document = json.loads((ROOT / "docs/iam" / name).read_text())
    assert len(json.dumps(document, separators=(",", ":"))) <= iam["MOST_CHARACTERS"]
    for statement in document["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action], statement["Sid"]
    everywhere = {each["Sid"] for each in document["Statement"] if each["Resource"] == "*"}
    assert everywhere == {"network.json": {"Look"}, "services.json": {"PrivateZone"}}[name]
