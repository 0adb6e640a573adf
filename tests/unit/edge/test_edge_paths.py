from __future__ import annotations

from pathlib import Path

import pytest

from lab.edge import cache
from lab.edge.model import Invalidation
from lab.edge.paths import matches, pattern_matches


@pytest.mark.parametrize(
    ("pattern", "path", "takes"),
    [
        ("*", "/", True),
        ("*", "/a/b?c", True),
        ("/api/*", "/api/health", True),
        ("/api/*", "/api/a/b/c", True),
        ("/api/*", "/api/", True),
        ("/api/*", "/api", False),
        ("/api/*", "/API/health", False),
        ("/api/*", "/x/api/health", False),
        ("api/*", "/api/health", True),
        ("*.jpg", "/images/a.jpg", True),
        ("*.jpg", "/images/a.jpgx", False),
        ("*.jpg", "/images/ajpg", False),
        ("/a??.jpg", "/abc.jpg", True),
        ("/a??.jpg", "/ab.jpg", False),
        ("/images/*.js*", "/images/a.json", True),
        ("/a(b)[c]{d}$^+|.txt", "/a(b)[c]{d}$^+|.txt", True),
        ("/a", "/a\n", False),
        ("/a*", "/a\nb", True),
    ],
)
def test_a_path_pattern_takes_what_cloudfronts_would(pattern: str, path: str, takes: bool) -> None:
    assert pattern_matches(pattern, path) is takes


@pytest.mark.parametrize(
    ("asked", "kept", "takes"),
    [
        ("/", "/", True),
        ("/", "/index.html", False),
        ("/index.html", "/index.html", True),
        ("/index.html", "/Index.html", False),
        ("/index.html", "/index.html?x=1", False),
        ("/index.html?x=1", "/index.html?x=1", True),
        ("/index.html*", "/index.html?x=1", True),
        ("/assets/*", "/assets/a/b.js", True),
        ("/assets/*", "/assets/", True),
        ("/assets/*", "/assets", False),
        ("/assets/a*", "/assets/b", False),
        ("/*", "/anything?at=all", True),
        ("/*", "/", True),
        ("index.html", "/index.html", True),
        ("/*.js", "/a.js", False),
        ("/*.js", "/*.js", True),
        ("/a?c", "/abc", False),
        ("/caf%C3%A9", "/café", True),
        ("/a b*", "/a%20b/c", True),
    ],
)
def test_an_invalidation_path_takes_exactly_what_it_names(asked: str, kept: str, takes: bool) -> None:
    assert matches(asked, kept) is takes


def entry(directory: Path, name: str, key: str) -> Path:
    path = directory / name[-1] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x05\x00binary\x00\nKEY: " + key.encode() + b"\nHTTP/1.1 200 OK\r\n\r\nKEY: E1 /fake \n")
    return path


def test_a_purge_removes_all_variants_of_its_own_distribution_only(tmp_path: Path) -> None:
    plain = entry(tmp_path, "a1", "E1 /a.js site   ")
    packed = entry(tmp_path, "a2", "E1 /a.js site br  ")
    other = entry(tmp_path, "b1", "E1 /b.js site   ")
    foreign = entry(tmp_path, "c1", "E2 /a.js site   ")
    half = tmp_path / "half"
    half.write_bytes(b"\x05\x00no key yet")
    assert cache.purge(tmp_path, Invalidation("I", "E1", ("/a.js", "/fake"))) == 2
    assert [path.exists() for path in (plain, packed, other, foreign, half)] == [False, False, True, True, True]


def test_a_key_that_is_cut_off_is_no_key() -> None:
    assert cache.parse_key(b"\x05\nKEY: E1 /a") is None
    assert cache.parse_key(b"\x05\nKEY: E1 /a \n") == cache.Key("E1", "/a")
