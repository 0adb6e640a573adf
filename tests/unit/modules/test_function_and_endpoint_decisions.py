"""What a function's stages and an endpoint's tags ask to be done: there, asked, done."""

from __future__ import annotations

import pytest

OLD, NEW = "function handler(e) { return e.request; }", "function handler(e) { return e.response; }"


@pytest.mark.parametrize(
    ("development", "live", "publish", "steps"),
    [
        (None, None, True, ["create", "publish"]),
        (None, None, False, ["create"]),
        (NEW, None, True, ["publish"]),
        (NEW, None, False, []),
        (NEW, NEW, True, []),
        (OLD, OLD, True, ["update", "publish"]),
        (OLD, OLD, False, ["update"]),
        (NEW, OLD, True, ["publish"]),
        (NEW, OLD, False, []),
        (OLD, NEW, True, ["update"]),
    ],
)
def test_a_function_is_created_updated_and_published_as_needed(loaded, development, live, publish, steps):
    function = loaded("cloudfront_function")
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}

    def stage(code):
        return function.Stage(config, code) if code else None

    assert function.decide(stage(development), stage(live), function.Stage(config, NEW), publish) == steps


def test_a_change_of_a_functions_runtime_alone_is_published_too(loaded):
    function = loaded("cloudfront_function")
    there = function.Stage({"Comment": "", "Runtime": "cloudfront-js-1.0"}, NEW)
    wanted = function.Stage({"Comment": "", "Runtime": "cloudfront-js-2.0"}, NEW)
    assert function.decide(there, there, wanted, True) == ["update", "publish"]


@pytest.mark.parametrize("answered", [{}, {"KeyValueStoreAssociations": {"Items": []}}])
def test_no_key_value_stores_are_the_same_whether_aws_says_so_or_not(loaded, answered):
    function = loaded("cloudfront_function")
    asked = {"comment": "", "runtime": "cloudfront-js-2.0", "key_value_store_arns": [], "code": NEW}
    there = function.Stage({"Comment": "", "Runtime": "cloudfront-js-2.0", **answered}, NEW)
    assert function.wanted_stage(asked, there).config == {"Comment": "", "Runtime": "cloudfront-js-2.0"}


def endpoint(identifier, name, state="create-complete"):
    return {"InstanceConnectEndpointId": identifier, "State": state, "Tags": [{"Key": "Name", "Value": name}]}


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ([], None),
        ([endpoint("eice-1", "cafe")], None),
        ([endpoint("eice-1", "cafe"), endpoint("eice-2", "shop")], "eice-2"),
        ([endpoint("eice-1", "shop", "delete-in-progress"), endpoint("eice-2", "shop")], "eice-2"),
        ([endpoint("eice-1", "shop", "delete-in-progress")], "eice-1"),
        ([endpoint("eice-1", "shop", "delete-complete")], None),
    ],
)
def test_the_endpoint_that_carries_the_tags_is_chosen(loaded, there, chosen):
    found = loaded("ec2_instance_connect_endpoint").choose(there, {"Name": "shop"})
    assert (found and found["InstanceConnectEndpointId"]) == chosen


def test_two_endpoints_that_carry_the_tags_are_a_question_not_a_guess(loaded):
    with pytest.raises(Exception, match="eice-1, eice-2 all have the tags"):
        loaded("ec2_instance_connect_endpoint").choose(
            [endpoint("eice-1", "shop"), endpoint("eice-2", "shop")], {"Name": "shop"}
        )


class Pages:
    """An EC2 that answers one endpoint a page, the page's number being its token."""

    def __init__(self, *there):
        self.there, self.asked = there, []

    def describe_instance_connect_endpoints(self, NextToken="0", Filters=(), **_):
        self.asked.append(Filters)
        number = int(NextToken)
        more = {"NextToken": str(number + 1)} if number + 1 < len(self.there) else {}
        return {"InstanceConnectEndpoints": [self.there[number]], **more}


def found_in(loaded, ec2):
    return loaded("ec2_instance_connect_endpoint").find(ec2, {"tags": {"Name": "shop"}, "lookup_tags": ["Name"]})


def test_an_endpoint_on_a_later_page_is_found(loaded):
    ec2 = Pages(endpoint("eice-1", "cafe"), endpoint("eice-2", "bar"), endpoint("eice-3", "shop"))
    assert found_in(loaded, ec2)["InstanceConnectEndpointId"] == "eice-3"
    assert len(ec2.asked) == 3


def test_only_endpoints_with_the_tags_are_asked_for(loaded):
    ec2 = Pages(endpoint("eice-1", "shop"))
    found_in(loaded, ec2)
    assert ec2.asked == [[{"Name": "tag:Name", "Values": ["shop"]}]]


@pytest.mark.parametrize(
    ("names", "missing"),
    [(["a-list"], []), (["a-*", "b"], ["b"]), ([], []), (["A-list"], ["A-list"])],
)
def test_a_prefix_lists_name_that_nothing_has_is_found_out(loaded, names, missing):
    assert loaded("ec2_managed_prefix_list_info").unmatched(names, [{"PrefixListName": "a-list"}]) == missing


def test_a_gateway_endpoint_is_created_with_a_token_by_which_aws_knows_a_request_sent_twice(loaded):
    class Ec2:
        tokens = ()

        def describe_vpc_endpoints(self, **_):
            return {"VpcEndpoints": []}

        def create_vpc_endpoint(self, ClientToken, **_):
            self.tokens = (*self.tokens, ClientToken)
            return {"VpcEndpoint": {"VpcEndpointId": "vpce-1"}}

    ec2, service = Ec2(), "com.amazonaws.ap-northeast-2.s3"
    asked = {"vpc_id": "vpc-1", "service": service, "route_table_ids": [], "tags": {"Name": "shop"}, "policy": None}
    for _ in range(2):  # a task each
        assert loaded("ec2_gateway_endpoint").ensure(ec2, asked, False).changed
    assert len(set(ec2.tokens)) == 2
