"""What of a request makes the key, and what the origin sees."""

from __future__ import annotations

from typing import Any, cast

import pytest
from edge_scripts import call

NO_FORWARD: dict[str, object] = {
    "headers": "none",
    "headerNames": [],
    "queryStrings": "none",
    "queryStringNames": [],
    "cookies": "none",
    "cookieNames": [],
}
NO_KEY = {**NO_FORWARD, "gzip": True, "brotli": True}
del NO_KEY["headers"]
VIEWER = {"ip": "198.18.0.200", "port": "5000", "scheme": "https", "version": "1.1", "id": "abc"}
PAIRS = [
    ["Host", "shop.example"],
    ["User-Agent", "Browser/1"],
    ["Accept-Encoding", "gzip, deflate, br"],
    ["X-Own", "1"],
    ["X-Own", "2"],
    ["Cookie", "a=1; b=2"],
    ["Cookie", "c=3"],
    ["If-None-Match", '"v"'],
    ["Connection", "close, X-Own"],
]
ALL: dict[str, object] = {**NO_FORWARD, "headers": "allViewer", "queryStrings": "all", "cookies": "all"}
ALWAYS = [
    "user-agent: Amazon CloudFront",
    "x-forwarded-for: 198.18.0.200",
    "via: 1.1 d1.cloudfront.net (CloudFront)",
    "x-amz-cf-id: abc",
    "x-lab-scheme: https",
]


def behaviour(
    cache: dict[str, object] | None = None, forward: dict[str, object] | None = None, **more: object
) -> object:
    return {
        "distribution": {"id": "E1", "domainName": "d1.cloudfront.net"},
        "origin": {"id": "site", "host": "site.example", "path": ""},
        "customHeaders": [],
        "caches": True,
        "cache": {**NO_KEY, **(cache or {})},
        "forward": {**NO_FORWARD, **(forward or {})},
        **more,
    }


def plan(
    wanted: object, uri: str = "/a?x=1&y=2&x=3", pairs: list[list[str]] = PAIRS, method: str = "GET"
) -> dict[str, Any]:
    (request,) = call("request.js", "fromViewer", [[method, uri, cast(object, pairs)]])
    (planned,) = call("policy.js", "plan", [[wanted, request, VIEWER]])
    return cast(dict[str, Any], planned)


def head(planned: dict[str, Any]) -> list[str]:
    lines: list[str] = planned["head"].split("\r\n")
    return lines


def test_without_policies_the_origin_sees_next_to_nothing_of_the_viewer() -> None:
    planned = plan(behaviour())
    assert planned["target"] == "/a"
    assert head(planned) == ["site.example", "accept-encoding: br,gzip", *ALWAYS]
    assert planned["key"].split(" ")[:4] == ["E1", "/a", "site", "br%2Cgzip"]


def test_all_viewer_forwards_all_but_what_belongs_to_the_connection_and_to_the_cache() -> None:
    planned = plan(behaviour(forward=ALL))
    assert planned["target"] == "/a?x=1&y=2&x=3"
    assert head(planned) == [
        "shop.example",
        "x-own: 1",
        "x-own: 2",
        "cookie: a=1; b=2; c=3",
        "accept-encoding: br,gzip",
        "user-agent: Browser/1",
        *ALWAYS[1:],
    ]


def test_where_nothing_is_cached_conditions_reach_the_origin() -> None:
    assert 'if-none-match: "v"' in head(plan(behaviour(caches=False)))


def test_all_viewer_except_host_leaves_the_origin_its_own_host() -> None:
    forward = {**ALL, "headers": "allExcept", "headerNames": ["host"]}
    lines = head(plan(behaviour(forward=forward)))
    assert lines[0] == "site.example"
    assert "x-own: 1" in lines


@pytest.mark.parametrize(
    ("cache", "same", "different"),
    [
        ({}, [("/a?x=1", "a=1"), ("/a?x=2", "a=2")], [("/b", "")]),
        ({"queryStrings": "all"}, [("/a?x=1", "a=1"), ("/a?x=1", "a=2")], [("/a?x=2", ""), ("/a", "")]),
        (
            {"queryStrings": "whitelist", "queryStringNames": ["x"]},
            [("/a?x=1&y=1", ""), ("/a?y=2&x=1", "")],
            [("/a?x=2", "")],
        ),
        (
            {"queryStrings": "allExcept", "queryStringNames": ["y"]},
            [("/a?x=1&y=1", ""), ("/a?x=1", "")],
            [("/a?x=1&z=1", "")],
        ),
        ({"cookies": "all"}, [("/a?x=1", "a=1"), ("/a?x=2", "a=1")], [("/a", "a=2"), ("/a", "b=1")]),
        (
            {"cookies": "whitelist", "cookieNames": ["a"]},
            [("/a", "a=1; b=1"), ("/a", "a=1; b=2")],
            [("/a", "a=2; b=1")],
        ),
    ],
)
def test_the_key_has_what_its_policy_names(
    cache: dict[str, object], same: list[tuple[str, str]], different: list[tuple[str, str]]
) -> None:
    def key(uri: str, cookie: str) -> str:
        return str(
            plan(behaviour(cache), uri, [["Host", "h"], ["Cookie", cookie]] if cookie else [["Host", "h"]])["key"]
        )

    keys = {key(*each) for each in same}
    assert len(keys) == 1
    assert not keys & {key(*each) for each in different}


def test_what_is_in_the_key_is_forwarded_too() -> None:
    cache = {"headerNames": ["x-own"], "cookies": "whitelist", "cookieNames": ["b"], "queryStrings": "whitelist"}
    planned = plan(behaviour({**cache, "queryStringNames": ["y"]}))
    assert planned["target"] == "/a?y=2"
    assert head(planned)[1:4] == ["x-own: 1", "x-own: 2", "cookie: b=2"]
    assert planned["key"].split(" ")[5:] == ["1%2C2", "b%3D2"]


@pytest.mark.parametrize(
    ("accepted", "known", "encoding"),
    [
        ("gzip, deflate, br", {"gzip": True, "brotli": True}, "br,gzip"),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", {"gzip": True, "brotli": True}, "br,gzip"),
        ("gzip;q=0, br", {"gzip": True, "brotli": True}, "br"),
        ("GZIP", {"gzip": True, "brotli": True}, "gzip"),
        ("gzip, br", {"gzip": True, "brotli": False}, "gzip"),
        ("gzip, br", {"gzip": False, "brotli": False}, ""),
        ("deflate", {"gzip": True, "brotli": True}, ""),
    ],
)
def test_accepted_encodings_are_reduced_to_those_that_the_policy_knows(
    accepted: str, known: dict[str, object], encoding: str
) -> None:
    headers = {"accept-encoding": {"value": accepted}}
    assert call("policy.js", "acceptEncoding", [[headers, known]]) == [encoding]


def test_the_viewers_address_is_added_to_the_forwarded_ones() -> None:
    planned = plan(behaviour(forward=ALL), pairs=[["Host", "h"], ["X-Forwarded-For", "10.0.0.1"]])
    assert "x-forwarded-for: 10.0.0.1, 198.18.0.200" in head(planned)


def test_authorization_reaches_the_origin_by_itself_only_with_what_changes_something() -> None:
    pairs = [["Host", "h"], ["Authorization", "Bearer x"]]
    assert "authorization: Bearer x" not in head(plan(behaviour(), pairs=pairs))
    assert "authorization: Bearer x" in head(plan(behaviour(), pairs=pairs, method="POST"))


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("/a%20b/%2F?q=%7e", "/a%20b/%2F?q=%7e"),
        ("http://elsewhere.example/a?b", "/a?b"),
        ("http://elsewhere.example?b", "/?b"),
        ("/a//b", "/a//b"),
        ("/?", "/"),
    ],
)
def test_a_path_keeps_the_viewers_spelling(uri: str, target: str) -> None:
    assert plan(behaviour(forward=ALL), uri)["target"] == target


def test_nothing_that_a_function_writes_can_add_lines_or_another_key() -> None:
    wanted = {
        "method": "GET",
        "uri": "/a b\r\nX: 1?é#",
        "querystring": {"q": {"value": "1 2\r\n#"}},
        "headers": {
            "host": {"value": "h\r\nX-Lab-Edge-Token: t"},
            "x-y": {"value": "1\r\nX-Z: 2"},
            "x z\r\n": {"value": "1"},
        },
        "cookies": {"a": {"value": "1\r\nX-C: 3"}},
    }
    (planned,) = call("policy.js", "plan", [[behaviour(forward=ALL), wanted, VIEWER]])
    planned = cast(dict[str, Any], planned)
    assert planned["target"] == "/a%20b%0D%0AX:%201%3F%C3%A9%23?q=1%202%0D%0A%23"
    assert head(planned)[:3] == ["hX-Lab-Edge-Token: t", "x-y: 1 X-Z: 2", "cookie: a=1 X-C: 3"]
    assert len(planned["key"].split(" ")) == 6


def test_cloudfronts_own_headers_come_where_a_policy_lists_them() -> None:
    forward = {"headers": "whitelist", "headerNames": ["cloudfront-forwarded-proto", "cloudfront-viewer-address"]}
    lines = head(plan(behaviour(forward=forward)))
    assert "cloudfront-forwarded-proto: https" in lines
    assert "cloudfront-viewer-address: 198.18.0.200:5000" in lines
