"""Which URLs the lab may fetch: only what the machine's own apt configuration names."""

from __future__ import annotations

import socket

import pytest

from lab.internet.sources import Base, may_lead_to, parse, resolve

PRINTED = """\
'http://mirror.example/debian/dists/sid/InRelease' mirror.example_debian_dists_sid_InRelease 0
'http://mirror.example/debian/dists/sid/main/binary-amd64/Packages.xz' lists_name 0
'https://user:pass@secure.example:8443/deb/dists/stable/InRelease' lists_name 0
'http://flat.example/packages/./InRelease' lists_name 0
'mirror+file:/etc/apt/mirrors/debian.list/dists/sid/InRelease' lists_name 0
'file:/srv/repository/dists/sid/InRelease' lists_name 0
Reading package lists...
"""


def test_every_remote_repository_that_apt_prints_is_found_once():
    files = {"/etc/apt/mirrors/debian.list": "# nearest\nhttps://near.example/debian\tpriority:1\n\n"}
    assert [base.url for base in parse(PRINTED, files_reader(files))] == [
        "http://mirror.example/debian",
        "https://user:pass@secure.example:8443/deb",
        "http://flat.example/packages",
        "https://near.example/debian",
    ]


def files_reader(files):
    return lambda path: files[path]


BASES = (Base("http://mirror.example/debian"), Base("https://user:pass@secure.example:8443/deb"))


def test_a_file_of_a_configured_repository_is_fetched_where_the_configuration_says():
    asked = "http://mirror.example/debian/pool/main/h/hello/hello_2.10-3+b1_amd64.deb"
    assert resolve(asked, BASES) == asked


def test_another_suite_of_the_same_repository_is_allowed():
    asked = "http://mirror.example/debian/dists/sid/InRelease"
    assert resolve(asked, BASES) == asked


def test_a_guests_plain_http_becomes_the_configured_scheme_port_and_credentials():
    assert (
        resolve("http://secure.example/deb/dists/stable/InRelease", BASES)
        == "https://user:pass@secure.example:8443/deb/dists/stable/InRelease"
    )


@pytest.mark.parametrize(
    "asked",
    [
        "http://elsewhere.example/debian/dists/sid/InRelease",
        "http://mirror.example/",
        "http://mirror.example/debian-security/dists/sid/InRelease",
        "http://mirror.example/debian/../secret",
        "http://mirror.example/debian/%2e%2e/secret",
        "http://mirror.example/debian/..%2fsecret",
        "http://mirror.example/debian/pool?to=http://elsewhere.example",
        "http://mirror.example/debian/pool\nURI: http://elsewhere.example/",
        "http://mirror.example/debian/pool Filename: /etc/passwd",
        "http://mirror.example@elsewhere.example/debian/dists/sid/InRelease",
        "file:///etc/passwd",
        "ftp://mirror.example/debian/dists/sid/InRelease",
        "",
    ],
)
def test_everything_else_is_refused(asked):
    assert resolve(asked, BASES) is None


ADDRESSES = {
    "mirror.example": ["10.0.0.5"],
    "secure.example": ["fd00::5"],
    "public.example": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "half.example": ["93.184.215.14", "192.168.0.7"],
    "mapped.example": ["::ffff:169.254.169.254"],
    "2852039166": ["169.254.169.254"],
}


@pytest.fixture
def names(monkeypatch):
    """A resolver that knows ADDRESSES, and addresses themselves."""

    def getaddrinfo(host, *_, **__):
        if host.startswith("unknown"):
            raise socket.gaierror
        return [(0, 0, 0, "", (address, 0)) for address in ADDRESSES.get(host, [host])]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://public.example/debian/pool/hello.deb", True),
        ("https://93.184.215.14:8443/hello.deb", True),
        # Configured, so allowed wherever it is, on every port.
        ("http://mirror.example/other", True),
        ("https://secure.example:9443/other", True),
        # Left to apt's proxy, which may know it.
        ("http://unknown.example/", True),
        ("http://169.254.169.254/latest/meta-data/", False),
        ("http://2852039166/latest/meta-data/", False),
        ("http://mapped.example/", False),
        ("http://half.example/", False),
        ("http://127.0.0.1:8566/", False),
        ("http://[::1]/", False),
        ("http://[fe80::1]/", False),
        ("http://10.0.0.5/debian/", False),
        # Its reader decides whether this is the mirror's host.
        ("http://mirror.example?@169.254.169.254/", False),
        ("http://mirror.example#@169.254.169.254/", False),
        ("http://mirror.example\\@169.254.169.254/", False),
        ("http://user@public.example/", False),
        ("ftp://public.example/", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_a_redirection_leads_to_public_addresses_and_configured_mirrors_alone(names, url, allowed):
    assert may_lead_to(url, BASES) is allowed
