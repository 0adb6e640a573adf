"""The resolver on the wire, over loopback sockets."""

from __future__ import annotations

import socket

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from lab import kernel
from lab.dns.model import Record, Zone
from lab.dns.server import Resolver
from lab.network.model import State, Vpc
from lab.settings import Internet

INTERNET = Internet("198.18.0.0/16")
VPC = "vpc-1"
STATE = State(vpcs=(Vpc(VPC, ("10.0.0.0/16",)),))
MANY = tuple(f"10.0.{number // 250}.{number % 250 + 1}" for number in range(300))


def zone(address="10.0.1.5"):
    records = (
        Record("db1.shop.internal", "A", 60, (address,)),
        Record("many.shop.internal", "A", 60, MANY),
        Record("mail.shop.internal", "MX", 60, ("10 db1.shop.internal",)),
        Record("text.shop.internal", "TXT", 60, ('"v=1 a" "b"',)),
        Record("wrong.shop.internal", "A", 60, ("not an address",)),
    )
    return Zone("shop.internal", frozenset({VPC}), records)


@pytest.fixture(scope="module")
def resolver():
    served = Resolver(INTERNET, ["mirror.example"])
    served.update((zone(),), STATE)
    return served


def opened():
    """A UDP and a TCP socket on the same free loopback port."""
    tcp = kernel.listening(None, "127.0.0.1", 0)
    return kernel.bound_udp(None, "127.0.0.1", tcp.getsockname()[1]), tcp


@pytest.fixture(scope="module")
def port(resolver):
    udp, tcp = opened()
    number = tcp.getsockname()[1]
    stop = resolver.serve(udp, tcp, VPC)
    yield number
    stop()


def ask(port, name, kind="A", over=dns.query.udp, **options):
    return over(dns.message.make_query(name, kind, **options), "127.0.0.1", port=port, timeout=5)


def values(response):
    return [record.to_text() for rrset in response.answer for record in rrset]


@pytest.mark.parametrize("over", [dns.query.udp, dns.query.tcp])
def test_names_are_answered_over_both_transports(port, over):
    response = ask(port, "db1.shop.internal", over=over)
    assert values(response) == ["10.0.1.5"]
    assert response.flags & dns.flags.RA


def test_capital_letters_are_answered_as_they_were_asked(port):
    response = ask(port, "DB1.Shop.INTERNAL")
    assert values(response) == ["10.0.1.5"]


def test_a_name_that_does_not_exist_comes_with_its_soa(port):
    response = ask(port, "db9.shop.internal")
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert response.authority[0].to_text().startswith("shop.internal. 60 IN SOA")


def test_an_ipv6_question_is_answered_empty_when_it_is_asked_once(port):
    # One datagram goes out, and none is sent again.
    response = ask(port, "db1.shop.internal", "AAAA")
    assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])


def test_what_is_too_long_for_a_datagram_is_cut_and_comes_whole_over_tcp(port):
    cut = ask(port, "many.shop.internal")
    assert cut.flags & dns.flags.TC
    assert cut.answer == []
    assert len(values(ask(port, "many.shop.internal", over=dns.query.tcp))) == 300


def test_other_types_and_names_without_a_final_dot_are_served(port):
    assert values(ask(port, "mail.shop.internal", "MX")) == ["10 db1.shop.internal."]
    assert values(ask(port, "text.shop.internal", "TXT")) == ['"v=1 a" "b"']


def test_a_record_with_a_bad_value_is_an_error_and_the_rest_goes_on(port):
    assert ask(port, "wrong.shop.internal").rcode() == dns.rcode.SERVFAIL
    assert values(ask(port, "db1.shop.internal")) == ["10.0.1.5"]


def test_questions_of_another_class_are_refused(port):
    assert ask(port, "version.bind", "TXT", rdclass="CH").rcode() == dns.rcode.REFUSED


def test_noise_is_ignored_and_the_next_question_answered(port, caplog):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        for noise in (b"", b"noise", dns.message.make_response(dns.message.make_query("x.", "A")).to_wire()):
            sock.sendto(noise, ("127.0.0.1", port))
        with pytest.raises(TimeoutError):
            sock.recv(512)
    assert values(ask(port, "db1.shop.internal")) == ["10.0.1.5"]
    assert caplog.records == []


def test_edns_is_spoken_to_who_speaks_it(port):
    assert ask(port, "db1.shop.internal", use_edns=0).edns == 0
    assert ask(port, "db1.shop.internal", use_edns=False).edns == -1


def test_an_update_holds_from_the_next_question_on(port, resolver):
    resolver.update((zone("10.0.1.77"),), STATE)
    try:
        assert values(ask(port, "db1.shop.internal")) == ["10.0.1.77"]
    finally:
        resolver.update((zone(),), STATE)


def test_each_socket_answers_for_its_own_vpc_and_is_closed_when_it_ends(resolver):
    udp, tcp = opened()
    number = tcp.getsockname()[1]
    stop = resolver.serve(udp, tcp, None)
    assert ask(number, "db1.shop.internal").rcode() == dns.rcode.NXDOMAIN
    assert values(ask(number, "mirror.example")) == [INTERNET.packages]
    stop()
    with pytest.raises(ConnectionRefusedError):
        ask(number, "mirror.example", over=dns.query.tcp)
    again = kernel.bound_udp(None, "127.0.0.1", number)  # the address is free again
    again.close()
