"""The pure parts of s3_site, as tables."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest
from ansible.module_utils.s3_site_build import SiteError, read_build
from ansible.module_utils.s3_site_cache_control import (
    IMMUTABLE,
    Part,
    cache_control,
    hashed_by_its_name,
    matcher,
    sorter,
)
from ansible.module_utils.s3_site_content_types import compressible, content_type, variant_of
from ansible.module_utils.s3_site_invalidation import fold, urls_of
from ansible.module_utils.s3_site_record import (
    Entry,
    Manifest,
    Record,
    Release,
    Retired,
    read_manifest,
    read_record,
    write_manifest,
    write_record,
)
from ansible.module_utils.s3_site_report import releases
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("assets/app-Ab12_xYz.mjs", "text/javascript; charset=utf-8"),
        ("assets/app-Ab12_xYz.js.map", "application/json"),
        ("lib/core.WASM", "application/wasm"),
        ("manifest.webmanifest", "application/manifest+json"),
        ("hero.avif", "image/avif"),
        ("inter.woff2", "font/woff2"),
        ("logo.svg", "image/svg+xml"),
        (".well-known/apple-app-site-association", "application/json"),
        (".well-known/unknown", "application/octet-stream"),
        ("film.mp4", "video/mp4"),
        ("feed.xml", "application/xml; charset=utf-8"),
        ("directory.js/README", "application/octet-stream"),
    ],
)
def test_a_file_has_the_content_type_that_browsers_want(path: str, kind: str) -> None:
    assert content_type(path) == kind


def test_what_is_text_inside_is_worth_compressing_and_pictures_are_not() -> None:
    assert [
        path for path in ("a.js", "a.svg", "a.wasm", "a.json", "a.png", "a.woff2", "a.mp4") if compressible(path)
    ] == [
        "a.js",
        "a.svg",
        "a.wasm",
        "a.json",
    ]
    assert variant_of("a.js.gz") == ("a.js", "gzip")


BUNDLED = [
    "assets/index-DiwrgTda.js",
    "assets/vendor-Bk-9_aZ0.js",
    "static/js/main.8e0d62a3.js",
    "static/js/main.8e0d62a3.js.map",
    "static/js/2.a1b2c3d4.chunk.css",
    "main-5QZ7L3XK.js",
    "_next/static/chunks/app.3f2a91c04b5d6e7f8a9b.js",
    "static/js/main.8e0d62a3.js.LICENSE.txt",
]
WRITTEN = [
    "user-settings.js",
    "user-Settings.js",
    "hero-HomePage.jpg",
    "photo-20240101.jpg",
    "icon-1024x768.png",
    "chunk-myModule.js",
    "report-version2.pdf",
    "jquery-3.7.1.min.js",
    "apple-touch-icon.png",
    "bundle.production.js",
    "android-chrome-192x192.png",
    "pic-DSC01234.jpg",
    "screen-strength.css",
    "tool-png2jpeg.js",
    "doc-OVERVIEW.pdf",
    "sw.js",
]


@pytest.mark.parametrize("path", BUNDLED)
def test_a_bundlers_hash_is_recognised_in_a_name(path: str) -> None:
    assert hashed_by_its_name(path)


@pytest.mark.parametrize("path", WRITTEN)
def test_a_name_that_a_person_wrote_is_not_taken_for_hashed(path: str) -> None:
    assert not hashed_by_its_name(path)


def test_ninety_eight_of_a_hundred_of_vites_names_are_recognised() -> None:
    dice = random.Random(7)  # noqa: S311 - reproducible, not secret
    letters = string.ascii_letters + string.digits + "-_"
    names = [f"assets/part-{''.join(dice.choices(letters, k=8))}.js" for _ in range(5000)]
    assert sum(map(hashed_by_its_name, names)) > 4900


@pytest.mark.parametrize(
    ("path", "pattern", "does"),
    [
        ("images/a.png", "*.png", True),
        ("images/a.png", "/images/*", True),
        ("old/images/a.png", "/images/*", False),
        ("old/images/a.png", "*/images/*", True),
        ("images/deep/a.png", "/images/*", True),
        ("a.PNG", "*.png", False),
    ],
)
def test_a_pattern_matches_names_or_whole_paths(path: str, pattern: str, does: bool) -> None:
    assert matcher((pattern,))(path) is does


def test_pages_are_never_hashed_and_the_index_stands_last() -> None:
    part = sorter("index.html", None)
    paths = ["index.html", "about/index.html", "page-Ab12_xYz.html", "a-Ab12_xYz.js", "sw.js", "index.html.br"]
    assert [part(path) for path in paths] == [Part.INDEX, Part.PAGE, Part.PAGE, Part.HASHED, Part.OTHER, Part.INDEX]
    assert sorter("index.html", ["/static/*"])("static/plain.js") is Part.HASHED
    assert sorter("index.html", ["/static/*"])("a-Ab12_xYz.js") is Part.OTHER


@pytest.mark.parametrize(
    ("path", "part", "control"),
    [
        ("a-Ab12_xYz.js", Part.HASHED, IMMUTABLE),
        ("index.html", Part.INDEX, "no-cache"),
        ("manifest.webmanifest", Part.OTHER, "no-cache"),
        ("sw.js", Part.OTHER, "no-cache"),
        ("images/a.png", Part.OTHER, "public, max-age=60"),
        ("images/a.png.br", Part.OTHER, "public, max-age=60"),
    ],
)
def test_cache_control_follows_the_first_matching_rule_else_the_part(path: str, part: Part, control: str) -> None:
    assert cache_control(path, part, [("/images/*", "public, max-age=60"), ("*.png", "never reached")]) == control


@pytest.mark.parametrize(
    ("path", "urls"),
    [
        ("index.html", ("/index.html", "/")),
        ("docs/index.html", ("/docs/index.html", "/docs/", "/docs")),
        ("a b/ü.js", ("/a%20b/%C3%BC.js",)),
        ("star*.js", ("/star%2A.js",)),
    ],
)
def test_a_file_is_known_under_its_own_url_and_an_index_under_its_directorys(path: str, urls: tuple[str, ...]) -> None:
    assert urls_of(path, "index.html") == urls


@pytest.mark.parametrize(
    ("changed", "unchanged", "paths"),
    [
        (["/", "/index.html"], ["/sw.js"], ["/", "/index.html"]),
        (["/docs", "/docs/", "/docs/index.html"], ["/", "/download"], ["/docs*"]),
        (["/docs/", "/docs/a.html"], ["/docs/b.html"], ["/docs/", "/docs/a.html"]),
        (["/a/1", "/a/2", "/a/3"], ["/a"], ["/a/*"]),
        (["/x", "/y"], [], ["/*"]),
        (["/x"], [], ["/x"]),
        (["/ab"], ["/abc"], ["/ab"]),
        ([], ["/x"], []),
    ],
)
def test_invalidation_paths_are_folded_where_a_wildcard_covers_nothing_else(
    changed: list[str], unchanged: list[str], paths: list[str]
) -> None:
    assert fold(changed, unchanged) == paths


def covers(pattern: str, url: str) -> bool:
    return url.startswith(pattern[:-1]) if pattern.endswith("*") else url == pattern


def fewest(changed: frozenset[str], unchanged: frozenset[str]) -> int:
    """The size of the smallest cover: each URL takes the shortest prefix that is allowed to it."""
    chosen = set()
    for url in changed:
        allowed = [url[:n] for n in range(1, len(url) + 1) if not any(other.startswith(url[:n]) for other in unchanged)]
        chosen.add((allowed[0], "*") if allowed else (url, ""))
    return len(chosen)


URLS = st.sets(st.text("ab/", min_size=1, max_size=5).map("/".__add__), max_size=12)


@given(URLS, URLS)
def test_folded_paths_cover_all_that_changed_and_nothing_else_and_are_the_fewest(
    changed: set[str], others: set[str]
) -> None:
    unchanged = others - changed
    paths = fold(changed, unchanged, wildcards=99)
    assert all(any(covers(path, url) for path in paths) for url in changed)
    assert not any(covers(path, url) for path in paths for url in unchanged)
    assert len(paths) == fewest(frozenset(changed), frozenset(unchanged))


def test_no_more_wildcards_are_asked_for_than_cloudfront_takes_at_once() -> None:
    changed = [f"/{letter}/{number}" for letter in string.ascii_lowercase for number in range(3)]
    paths = fold(changed, [f"/{letter}" for letter in string.ascii_lowercase])
    assert sum(path.endswith("*") for path in paths) == 15
    assert len(paths) == 15 + 11 * 3


def build_of(tmp_path: Path, files: dict[str, str]) -> list[str]:
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    build = read_build(str(tmp_path), "index.html", sorter("index.html", None), [], ["*.bak"], ".releases/")
    return [file.path for file in build]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "is empty"),
        ({".DS_Store": ""}, "is empty"),
        ({"main.html": "x"}, "has no index.html.* It has main.html"),
        ({"index.html": ""}, "index.html .* is an empty file"),
        ({"index.html": "x", ".git/HEAD": "x"}, r"contains \.git, so it is a repository"),
        ({"index.html": "x", "deep/node_modules/a/b.js": "x"}, "contains deep/node_modules, so it is the sources"),
        ({"index.html": "x", "app/.env": "KEY=1"}, r"contains app/\.env, which usually holds secrets"),
        ({"index.html": "x", ".env.production": "KEY=1"}, r"contains \.env\.production"),
        ({"index.html": "x", "package.json": "{}"}, "has a package.json at its top"),
        ({"index.html": "x", ".releases/record": "x"}, "Set record_prefix"),
    ],
)
def test_what_is_not_a_finished_build_is_refused_in_a_sentence(
    tmp_path: Path, files: dict[str, str], says: str
) -> None:
    with pytest.raises(SiteError, match=says):
        build_of(tmp_path, files)


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"is not a directory\. Build the site first"):
        build_of(tmp_path / "dist", {})


def test_a_link_out_of_the_build_is_refused_and_one_inside_is_followed(tmp_path: Path) -> None:
    build = tmp_path / "dist"
    build_of(build, {"index.html": "x", "a.txt": "x"})
    (build / "b.txt").symlink_to("a.txt")
    assert "b.txt" in build_of(build, {})
    (build / "host.txt").symlink_to("/etc/hostname")
    with pytest.raises(SiteError, match=r"host\.txt .* is a link to /etc/hostname, outside the build"):
        build_of(build, {})


def test_leftovers_of_editors_and_what_is_excluded_is_not_published(tmp_path: Path) -> None:
    files = {"index.html": "x", "a/.DS_Store": "x", ".vite/manifest.json": "{}", "old.bak": "x", ".well-known/a": "x"}
    assert build_of(tmp_path, files) == [".well-known/a", "index.html"]


def test_the_record_and_manifests_survive_being_written_and_read() -> None:
    page = ("text/html; charset=utf-8", "no-cache", "")
    entry = Entry(5, "abc", page, 17)
    manifest = Manifest("r1", "f1", {"index.html": entry, 'odd "ü\n*.js': Entry(2**40, "", ("a", "b", "br"))})
    assert read_manifest(write_manifest(manifest)) == manifest
    release = Release("r1", "f1", 10, None, 2, 7)
    record = Record("r1", (release,), {"old.js": Retired(entry, 99)}, True, {"reference": "x", "paths": ["/"]})
    assert read_record(write_record(record)) == record
    with pytest.raises(ValueError, match="not a record"):
        read_record(b"<html>")


@pytest.mark.parametrize(("age", "kept"), [(0, True), (29, True), (30, False), (31, False)])
def test_a_release_is_kept_for_the_retention_after_it_was_last_current(age: int, kept: bool) -> None:
    superseded = 1_000_000
    assert Release("r", "f", 0, superseded, 1, 1).kept(superseded + age * 86_400, 30) is kept
    assert Release("r", "f", 0, None, 1, 1).kept(10**12, 30)


def test_the_previous_release_is_the_one_that_was_current_last_and_is_kept() -> None:
    old, older = Release("old", "f", 1, 900_000, 1, 1), Release("older", "f", 2, 800_000, 1, 1)
    record = Record("now", (old, older, Release("now", "f", 0, None, 1, 1)))
    told = releases(record, days=1, now=910_000)
    assert (told["current"], told["previous"]) == ("now", "old")
    assert [release["id"] for release in told["releases"]] == ["old", "now"]
    assert releases(Record(), days=1, now=0)["previous"] == ""
