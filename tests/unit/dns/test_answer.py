"""What the VPC's resolver answers, as data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.dns.answer import Names, Question, answer
from lab.dns.model import Record, Zone
from lab.dns.names import gather
from lab.network.model import Interface, State, Vpc
from lab.settings import Internet

INTERNET = Internet("198.18.0.0/16")
VPC, OTHER = "vpc-1", "vpc-2"


def interface(private, public, vpc=VPC):
    return Interface("eni-1", vpc, "subnet-1", private, "02:00:00:00:00:01", "instance", "i-1", public_ip=public)


STATE = State(
    vpcs=(Vpc(VPC, ("10.0.0.0/16", "10.7.0.0/24")), Vpc(OTHER, ("10.9.0.0/16",))),
    interfaces=(interface("10.0.0.9", "198.18.64.5"),),
)
NAMES = gather(INTERNET, ["mirror.example"], STATE)
ZONE = Zone(
    "shop.internal",
    frozenset({VPC}),
    (
        Record("shop.internal", "SOA", 900, ("ns.example. admin.example. 1 2 3 4 5",)),
        Record("db1.shop.internal", "A", 60, ("10.0.1.5",)),
        Record("db2.shop.internal", "A", 60, ("10.0.1.6", "10.0.1.7")),
        Record("database.shop.internal", "CNAME", 60, ("db1.shop.internal.",)),
        Record("outside.shop.internal", "CNAME", 60, ("readings.example.com",)),
        Record("nowhere.shop.internal", "CNAME", 60, ("gone.shop.internal",)),
        Record("round.shop.internal", "CNAME", 60, ("trip.shop.internal",)),
        Record("trip.shop.internal", "CNAME", 60, ("round.shop.internal",)),
        Record("a.deep.shop.internal", "A", 60, ("10.0.1.8",)),
        Record("\\052.any.shop.internal", "A", 60, ("10.0.1.9",)),
    ),
)


def ask(name, kind="A", vpc=VPC, zones=(ZONE,), names=NAMES):
    return answer(Question(name, kind), zones, names, vpc)


def values(found):
    return [value for record in found.records for value in record.values]


def outcome(found):
    """What a guest makes of it: addresses, ``NODATA`` or the error."""
    if found.records:
        return values(found)
    assert found.rcode == "SERVFAIL" or found.authority[0].type == "SOA"
    return "NODATA" if found.rcode == "NOERROR" else found.rcode


def test_a_private_zones_host_resolves_inside_its_vpc():
    assert outcome(ask("db1.shop.internal")) == ["10.0.1.5"]
    assert outcome(ask("db2.shop.internal")) == ["10.0.1.6", "10.0.1.7"]


@pytest.mark.parametrize("vpc", [OTHER, None])
def test_a_private_zone_does_not_exist_elsewhere(vpc):
    assert outcome(ask("db1.shop.internal", vpc=vpc)) == "NXDOMAIN"


def test_a_host_has_no_ipv6_address_and_says_so_at_once():
    assert outcome(ask("db1.shop.internal", "AAAA")) == "NODATA"


def test_an_alias_is_followed_within_the_zone_and_out_of_it():
    found = ask("database.shop.internal")
    assert [record.type for record in found.records] == ["CNAME", "A"]
    assert values(found)[-1] == "10.0.1.5"
    assert values(ask("outside.shop.internal"))[-1] == INTERNET.readings


def test_an_alias_that_is_itself_asked_for_is_not_followed():
    assert outcome(ask("database.shop.internal", "CNAME")) == ["db1.shop.internal."]


def test_an_alias_without_the_address_family_asked_for_ends_in_nodata():
    found = ask("database.shop.internal", "AAAA")
    assert [record.type for record in found.records] == ["CNAME"]
    assert (found.rcode, found.authority[0].type) == ("NOERROR", "SOA")


def test_an_alias_to_nothing_is_no_such_name():
    assert ask("nowhere.shop.internal").rcode == "NXDOMAIN"


def test_aliases_in_a_circle_are_an_error_and_end():
    assert ask("round.shop.internal") == ask("trip.shop.internal")
    assert ask("round.shop.internal").rcode == "SERVFAIL"


def test_an_unknown_name_of_a_zone_has_the_zones_own_soa():
    found = ask("db9.shop.internal")
    assert (found.rcode, found.authority) == ("NXDOMAIN", (ZONE.records[0],))


def test_a_name_between_two_existing_ones_exists_without_data():
    assert outcome(ask("deep.shop.internal")) == "NODATA"
    assert outcome(ask("b.deep.shop.internal")) == "NXDOMAIN"
    assert outcome(ask("shop.internal")) == "NODATA"


def test_a_wildcard_answers_for_what_does_not_exist_below_it_only():
    assert ask("x.any.shop.internal").records == (Record("x.any.shop.internal", "A", 60, ("10.0.1.9",)),)
    assert outcome(ask("x.y.any.shop.internal")) == ["10.0.1.9"]
    assert outcome(ask("any.shop.internal")) == "NODATA"


def test_the_longest_matching_zone_decides_even_that_a_name_is_missing():
    inner = Zone("east.shop.internal", frozenset({VPC}), (Record("db1.east.shop.internal", "A", 1, ("10.0.2.1",)),))
    outer = Zone("shop.internal", frozenset({VPC}), (Record("db2.east.shop.internal", "A", 1, ("10.0.3.1",)),))
    assert outcome(ask("db1.east.shop.internal", zones=(outer, inner))) == ["10.0.2.1"]
    assert outcome(ask("db2.east.shop.internal", zones=(outer, inner))) == "NXDOMAIN"


def test_a_private_zone_hides_the_outside_worlds_names():
    mine = Zone("example.com", frozenset({VPC}), (Record("www.example.com", "A", 1, ("10.0.2.1",)),))
    assert outcome(ask("readings.example.com", zones=(mine,))) == "NXDOMAIN"
    assert outcome(ask("readings.example.com", zones=(mine,), vpc=OTHER)) == [INTERNET.readings]


def test_a_zone_holds_whole_labels_only():
    mine = Zone("le.com", frozenset({VPC}), ())
    assert outcome(ask("readings.example.com", zones=(mine,))) == [INTERNET.readings]


def test_an_existing_name_hides_a_wildcard_above_it():
    starred, deep = Record("*.w.internal", "A", 1, ("10.0.2.1",)), Record("a.deep.w.internal", "A", 1, ("10.0.2.2",))
    zone = Zone("w.internal", frozenset({VPC}), (starred, deep))
    assert outcome(ask("x.y.w.internal", zones=(zone,))) == ["10.0.2.1"]
    assert outcome(ask("b.deep.w.internal", zones=(zone,))) == "NXDOMAIN"


@pytest.mark.parametrize(
    ("name", "vpc", "expected"),
    [
        ("ip-10-0-1-5.ap-northeast-2.compute.internal", VPC, ["10.0.1.5"]),
        ("ip-10-7-0-200.ap-northeast-2.compute.internal", VPC, ["10.7.0.200"]),
        ("ip-10-9-1-5.ap-northeast-2.compute.internal", VPC, "NXDOMAIN"),
        ("ip-10-9-1-5.ap-northeast-2.compute.internal", OTHER, ["10.9.1.5"]),
        ("ip-10-0-1-5.ap-northeast-2.compute.internal", None, "NXDOMAIN"),
        ("ip-10-0-1-999.ap-northeast-2.compute.internal", VPC, "NXDOMAIN"),
        ("ip-10-0-1-5.eu-west-1.compute.internal", VPC, "NXDOMAIN"),
        ("nonsense.ap-northeast-2.compute.internal", VPC, "NXDOMAIN"),
    ],
)
def test_ec2s_internal_names_hold_for_the_vpcs_own_addresses(name, vpc, expected):
    assert outcome(ask(name, vpc=vpc)) == expected


def test_the_first_region_has_its_own_internal_domain():
    names = gather(INTERNET, [], STATE, "us-east-1")
    assert outcome(ask("ip-10-0-1-5.ec2.internal", names=names)) == ["10.0.1.5"]


def test_a_reverse_lookup_of_a_vpc_address_is_answered():
    assert outcome(ask("5.1.0.10.in-addr.arpa", "PTR")) == ["ip-10-0-1-5.ap-northeast-2.compute.internal."]
    assert outcome(ask("5.1.9.10.in-addr.arpa", "PTR")) == "NXDOMAIN"
    assert outcome(ask("1.0.10.in-addr.arpa", "PTR")) == "NXDOMAIN"


@given(st.ip_addresses(v=4, network="10.0.0.0/16"))
def test_name_and_address_lead_to_each_other(address):
    name = values(ask(address.reverse_pointer, "PTR"))[0].rstrip(".")
    assert values(ask(name)) == [str(address)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mirror.example", INTERNET.packages),
        ("readings.example.com", INTERNET.readings),
        ("d111111abcdef8.cloudfront.net", INTERNET.edge),
        ("bucket.s3.ap-northeast-2.amazonaws.com", INTERNET.api),
        ("sts.amazonaws.com", INTERNET.aws),
    ],
)
@pytest.mark.parametrize("vpc", [VPC, None])
def test_the_outside_worlds_names_lead_to_the_simulated_internet(name, expected, vpc):
    assert outcome(ask(name, vpc=vpc)) == [expected]
    assert outcome(ask(name, "AAAA", vpc=vpc)) == "NODATA"


@pytest.mark.parametrize("name", ["example.org", "notcloudfront.net", "x.mirror.example", "localhost", ""])
def test_any_other_name_does_not_exist(name):
    assert outcome(ask(name)) == "NXDOMAIN"


def test_a_public_name_means_the_private_address_inside_its_vpc_and_the_public_one_elsewhere():
    name = "ec2-198-18-64-5.ap-northeast-2.compute.amazonaws.com"
    assert outcome(ask(name)) == ["10.0.0.9"]
    assert outcome(ask(name, vpc=OTHER)) == ["198.18.64.5"]
    assert outcome(ask(name, vpc=None)) == ["198.18.64.5"]
    assert outcome(ask("ec2-198-18-64-6.ap-northeast-2.compute.amazonaws.com")) == "NXDOMAIN"


@given(st.text(max_size=60), st.sampled_from(["A", "AAAA", "PTR", "TXT", "ANY"]), st.sampled_from([VPC, None]))
def test_every_question_has_an_answer(name, kind, vpc):
    found = ask(name.lower(), kind, vpc)
    assert found.records or found.authority or found.rcode == "SERVFAIL"


def test_without_any_state_the_outside_still_resolves():
    assert outcome(ask("readings.example.com", names=gather(INTERNET, [], State()), zones=())) == [INTERNET.readings]
    assert outcome(ask("x.example", names=Names("ap-northeast-2"))) == "NXDOMAIN"
