from __future__ import annotations

from pathlib import Path

import pytest

from lab.machines import apt

DEB822 = """\
Types: deb
# a comment inside a stanza
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main

Types: deb-src
URIs: http://sources.test/debian
Suites: bookworm
Components: main

Types: deb
Enabled: no
URIs: http://disabled.test/debian
Suites: bookworm
Components: main
"""


def test_stanzas_that_are_disabled_or_only_have_sources_are_left_out() -> None:
    assert [source.uris for source in apt.parse_deb822(DEB822)] == [
        ("http://mirror.test/debian",),
        ("http://mirror.test/debian-security",),
    ]


def test_fields_of_a_stanza_may_go_on_over_several_lines() -> None:
    (source,) = apt.parse_deb822("Types: deb\nURIs:\n http://a.test/debian\n http://b.test/debian\nSuites: sid\n")
    assert source.uris == ("http://a.test/debian", "http://b.test/debian")


def test_the_one_line_format_is_read_with_and_without_options() -> None:
    text = """\
# deb http://commented.test/debian sid main
deb [arch=amd64 signed-by=/k.gpg] http://a.test/debian bookworm main contrib # the end
deb-src http://a.test/debian bookworm main
deb http://b.test/debian sid main
"""
    assert apt.parse_one_line(text) == (
        apt.Source(("http://a.test/debian",), ("bookworm",), ("main", "contrib"), "/k.gpg"),
        apt.Source(("http://b.test/debian",), ("sid",), ("main",)),
    )


def test_the_mirror_is_the_archive_and_neither_its_security_updates_nor_other_vendors() -> None:
    sources = [
        apt.Source(("https://vendor.test/apt",), ("bookworm",), ("main",), "/usr/share/keyrings/vendor.gpg"),
        apt.Source(("https://sdk.test",), ("cloud-sdk-bookworm",), ("main",)),
        apt.Source(("http://firmware.test/debian",), ("bookworm",), ("non-free",), apt.KEYRING),
        *apt.parse_deb822(DEB822),
    ]
    assert apt.choose_mirror(sources) == "http://mirror.test/debian"


def test_a_machine_without_a_debian_mirror_is_told_what_to_add() -> None:
    with pytest.raises(apt.NoMirrorError, match=r"sources\.list.*add one"):
        apt.choose_mirror([apt.Source(("https://vendor.test",), ("nodistro",), ("main",))])


def test_both_formats_are_read_from_the_configuration_directory(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.test/debian sid main\n")
    (parts / "debian.sources").write_text(DEB822)
    (parts / "vendor.list").write_text("deb http://vendor.test/x stable main\n")
    (parts / "old.list.save").write_text("deb http://saved.test/x stable main\n")
    assert [source.uris[0] for source in apt.read_sources(tmp_path)] == [
        "http://one.test/debian",
        "http://mirror.test/debian",
        "http://mirror.test/debian-security",
        "http://vendor.test/x",
    ]


def test_a_list_of_mirrors_in_a_file_gives_its_first_one(tmp_path: Path) -> None:
    mirrors = tmp_path / "mirrors.list"
    mirrors.write_text("# cloud\nhttps://first.test/debian\tpriority:1\nhttps://second.test/debian\n")
    assert apt.follow_mirror_list(f"mirror+file:{mirrors}") == "https://first.test/debian"
    assert apt.follow_mirror_list(f"mirror+file://{mirrors}") == "https://first.test/debian"
    assert apt.follow_mirror_list("http://plain.test/debian") == "http://plain.test/debian"


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("http://mirror.test/debian", "http://mirror.test/debian"),
        ("https://mirror.test/debian", "http://mirror.test/debian"),
        ("http://cache.test:3142/debian", "http://cache.test:3142/debian"),
        ("https://user:secret@mirror.test:8443/debian", "http://mirror.test/debian"),
    ],
)
def test_guests_use_the_mirror_over_plain_http_and_never_see_credentials(url: str, inside: str) -> None:
    assert apt.guest_url(url) == inside


def test_only_what_reaches_the_mirror_is_taken_from_apts_configuration() -> None:
    dump = """\
Acquire "";
Acquire::http::Proxy "http://proxy.test:3128";
Acquire::https::CaInfo "/etc/ssl/own.pem";
Acquire::Check-Valid-Until "false";
Acquire::GzipIndexes "true";
APT::Update::Post-Invoke-Success:: "rm something";
"""
    assert apt.transport_options(dump) == (
        'Acquire::http::Proxy "http://proxy.test:3128";',
        'Acquire::https::CaInfo "/etc/ssl/own.pem";',
        'Acquire::Check-Valid-Until "false";',
    )
