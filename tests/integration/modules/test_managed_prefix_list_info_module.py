"""ec2_managed_prefix_list_info against the lab's API."""

from __future__ import annotations

import pytest

NAME = "ec2_managed_prefix_list_info"
CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"


@pytest.fixture
def offices(ec2):
    return ec2.create_managed_prefix_list(
        PrefixListName="offices",
        AddressFamily="IPv4",
        MaxEntries=5,
        Entries=[{"Cidr": "198.51.100.0/24", "Description": "Seoul"}],
        TagSpecifications=[{"ResourceType": "prefix-list", "Tags": [{"Key": "Project", "Value": "shop"}]}],
    )["PrefixList"]["PrefixListId"]


@pytest.mark.parametrize("check", [False, True])
def test_a_list_of_aws_is_found_by_its_name(run_module, check):
    found = run_module(NAME, names=[CLOUDFRONT], check=check)
    assert not found["changed"]
    assert [item["prefix_list_name"] for item in found["prefix_lists"]] == [CLOUDFRONT]
    assert found["prefix_lists"][0]["prefix_list_id"].startswith("pl-")


def test_a_list_of_the_account_is_found_with_its_tags_and_entries(run_module, offices):
    found = run_module(NAME, prefix_list_ids=[offices], entries=True)["prefix_lists"]
    assert [item["prefix_list_id"] for item in found] == [offices]
    assert found[0]["tags"] == {"Project": "shop"}
    assert found[0]["entries"] == [{"cidr": "198.51.100.0/24", "description": "Seoul"}]


def test_a_name_that_nothing_has_is_an_error_that_names_it(run_module, offices):
    with pytest.raises(Exception, match="no managed prefix list named office in ap-northeast-2: check the name"):
        run_module(NAME, names=["offices", "office"])
