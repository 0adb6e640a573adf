"""Which URLs the lab may fetch: only what the machine's own apt configuration names."""

from __future__ import annotations

import pytest

from lab.internet.sources import Base, parse, resolve

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
