"""CloudFront's structures compared: what AWS fills in, orders or counts is no difference."""

from __future__ import annotations

import pytest
from ansible.module_utils.aws_shapes import overlay, plain, sendable
from hypothesis import given
from hypothesis import strategies as some

PLAIN = [
    ("a list", {"Quantity": 2, "Items": ["HEAD", "GET"]}, {"Items": ["GET", "HEAD"]}),
    ("an empty list", {"Quantity": 0}, {"Items": []}),
    ("a list with more", {"Enabled": False, "Quantity": 0}, {"Enabled": False, "Items": []}),
    (
        "a list of structures",
        {"Quantity": 2, "Items": [{"Id": "b", "Tags": {"Quantity": 0}}, {"Id": "a"}]},
        {"Items": [{"Id": "a"}, {"Id": "b", "Tags": {"Items": []}}]},
    ),
    (
        "a list whose order counts",
        {"CacheBehaviors": {"Quantity": 2, "Items": [{"PathPattern": "/b"}, {"PathPattern": "/a"}]}},
        {"CacheBehaviors": {"Items": [{"PathPattern": "/b"}, {"PathPattern": "/a"}]}},
    ),
    ("a member that is not set", {"Comment": None, "Enabled": True}, {"Enabled": True}),
]


@pytest.mark.parametrize(("answer", "expected"), [case[1:] for case in PLAIN], ids=[case[0] for case in PLAIN])
def test_an_answer_in_plain_form(answer, expected):
    assert plain(answer) == expected


SENT = [
    ("a list", {"Items": ["GET", "HEAD"]}, {"Items": ["GET", "HEAD"], "Quantity": 2}),
    ("an empty list", {"Items": []}, {"Quantity": 0}),
    (
        "inside others",
        {"Items": [{"Id": "a", "X": {"Items": []}}]},
        {"Items": [{"Id": "a", "X": {"Quantity": 0}}], "Quantity": 1},
    ),
]


@pytest.mark.parametrize(("value", "expected"), [case[1:] for case in SENT], ids=[case[0] for case in SENT])
def test_a_plain_value_as_the_api_takes_it(value, expected):
    assert sendable(value) == expected


values = some.recursive(
    some.text(max_size=3) | some.integers() | some.booleans(),
    lambda inner: (
        some.dictionaries(some.sampled_from(["A", "B", "Id"]), inner, max_size=3)
        | some.lists(some.text(max_size=3), max_size=3).map(lambda items: {"Items": sorted(items)})
    ),
    max_leaves=8,
)


@given(values)
def test_what_is_sent_and_answered_is_the_same_again(value):
    assert plain(sendable(value)) == value


@given(values, values)
def test_merging_twice_changes_nothing_more(current, desired):
    merged = overlay(current, desired)
    assert overlay(merged, desired) == merged


OVERLAID = [
    ("nothing was there", {}, {"Comment": "a"}, {"Comment": "a"}),
    (
        "aws filled a member in",
        {"Comment": "a", "Staging": False},
        {"Comment": "b"},
        {"Comment": "b", "Staging": False},
    ),
    (
        "aws filled a member of an item in",
        {"Items": [{"Id": "a", "OriginShield": {"Enabled": False}}]},
        {"Items": [{"Id": "a", "DomainName": "x"}]},
        {"Items": [{"Id": "a", "DomainName": "x", "OriginShield": {"Enabled": False}}]},
    ),
    (
        "an item is no longer asked for",
        {"Items": [{"Id": "a"}, {"Id": "b"}]},
        {"Items": [{"Id": "b"}]},
        {"Items": [{"Id": "b"}]},
    ),
    (
        "an origin becomes a VPC origin",
        {"Id": "a", "CustomOriginConfig": {"HTTPPort": 80}},
        {"Id": "a", "VpcOriginConfig": {"VpcOriginId": "vo_1"}},
        {"Id": "a", "VpcOriginConfig": {"VpcOriginId": "vo_1"}},
    ),
    (
        "a cache policy replaces the settings of old",
        {"ForwardedValues": {"QueryString": False}, "MinTTL": 0, "DefaultTTL": 1, "MaxTTL": 2},
        {"CachePolicyId": "p"},
        {"CachePolicyId": "p"},
    ),
    (
        "a certificate is replaced whole",
        {"ViewerCertificate": {"ACMCertificateArn": "a", "SSLSupportMethod": "sni-only"}},
        {"ViewerCertificate": {"CloudFrontDefaultCertificate": True}},
        {"ViewerCertificate": {"CloudFrontDefaultCertificate": True}},
    ),
]


@pytest.mark.parametrize(("current", "desired", "expected"), [c[1:] for c in OVERLAID], ids=[c[0] for c in OVERLAID])
def test_what_is_asked_over_what_is_there(current, desired, expected):
    assert overlay(current, desired) == expected
