"""Bucket policies, as data."""

from __future__ import annotations

from typing import Any

import pytest

from lab.api.s3.policy import Request, decide, is_public

ACCOUNT = "123456789012"
ARN = f"arn:aws:cloudfront::{ACCOUNT}:distribution/EABC"
CLOUDFRONT = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudfront.amazonaws.com"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::shop/*",
    "Condition": {"StringEquals": {"AWS:SourceArn": ARN}},
}
INSECURE = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::shop", "arn:aws:s3:::shop/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def request(
    principal: str = "cloudfront.amazonaws.com",
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::shop/index.html",
    source: str = ARN,
    secure: str = "true",
) -> Request:
    return Request(principal, action, resource, {"aws:sourcearn": source, "aws:securetransport": secure})


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        (request(), "allow"),
        (request(source=ARN.replace("EABC", "EOTHER")), "neutral"),
        (request(principal="anonymous"), "neutral"),
        (request(principal="owner"), "neutral"),
        (request(action="s3:PutObject"), "neutral"),
        (request(action="s3:ListBucket", resource="arn:aws:s3:::shop"), "neutral"),
        (request(resource="arn:aws:s3:::other/index.html"), "neutral"),
        (request(secure="false"), "deny"),
        (request(principal="owner", secure="false"), "deny"),
    ],
)
def test_only_the_named_distribution_may_read_and_only_securely(asked: Request, verdict: str) -> None:
    assert decide({"Statement": [CLOUDFRONT, INSECURE]}, asked, ACCOUNT) == verdict


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_condition_that_the_lab_does_not_know_counts_against_the_request(effect: str) -> None:
    statement = {**CLOUDFRONT, "Effect": effect, "Condition": {"NumericLessThan": {"s3:max-keys": "9"}}}
    assert decide({"Statement": statement}, request(), ACCOUNT) == {"Allow": "neutral", "Deny": "deny"}[effect]


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        ({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}, True),
        ({"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": "s3:GetObject", "Resource": "*"}, True),
        (CLOUDFRONT, False),
        (INSECURE, False),
    ],
)
def test_a_policy_is_public_when_it_lets_anybody_in(statement: dict[str, Any], public: bool) -> None:
    assert is_public({"Statement": [statement]}) is public
