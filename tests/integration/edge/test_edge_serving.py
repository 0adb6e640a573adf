from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from dataclasses import replace

import brotli
import pytest
from edge_scene import (
    ALL_VIEWER,
    DISABLED,
    EVERY_METHOD,
    SPA,
    Answer,
    ScratchOrigin,
    Seen,
    behaviour,
    bucket,
    distribution,
)

from lab.edge.model import CachePolicy, CustomError, Distribution, Invalidation
from lab.edge.server import Edge

Get = Callable[..., Seen]


def product(**of_default: object) -> Distribution:
    site, api = bucket("site"), bucket("api", signed=False)
    return distribution(
        behaviour(
            api,
            "/api/*",
            cache_policy=DISABLED,
            origin_request_policy=ALL_VIEWER,
            allowed_methods=EVERY_METHOD,
            compress=False,
        ),
        behaviour(site, viewer_request=SPA, **of_default),
        origins=(site, api),
    )


def test_a_deep_link_is_served_the_page_and_an_unknown_api_path_stays_404(
    edge: Edge, get: Get, origin: ScratchOrigin
) -> None:
    origin.answers["/index.html"] = Answer(body=b"<h1>page</h1>", headers={"Content-Type": "text/html"})
    edge.converge([product()])
    assert get("/stations/hallasan").body == b"<h1>page</h1>"
    assert get("/").body == b"<h1>page</h1>"
    assert get("/missing.js").status == 404
    nonsense = get("/api/nonsense")
    assert (nonsense.status, nonsense.cache) == (404, "Error from cloudfront")


def test_the_root_alone_is_the_default_root_object(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/home.html"] = Answer(body=b"home")
    site = bucket()
    edge.converge([distribution(behaviour(site), origins=(site,), default_root_object="home.html")])
    assert get("/").body == b"home"
    assert get("/?x=1").body == b"home"
    assert get("/below/").status == 404


def test_the_second_visitor_is_answered_from_the_cache(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a.css"] = Answer(body=b"x", headers={"Cache-Control": "max-age=60", "ETag": '"1"'})
    edge.converge([product()])
    first, second = get("/a.css"), get("/a.css")
    assert first.cache == "Miss from cloudfront"
    assert second.cache == "Hit from cloudfront"
    assert first.header("Age") is None
    assert second.header("Age") in ("0", "1")
    assert second.header("Via") == "1.1 d1.cloudfront.net (CloudFront)"
    assert len(origin.asked) == 1


def test_an_invalidation_takes_all_variants_and_nothing_else(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    for path in ("/assets/a.js", "/assets/b.js", "/index.html"):
        origin.answers[path] = Answer(
            body=b"a" * 5000, headers={"Cache-Control": "max-age=60", "Content-Type": "text/javascript"}
        )
    edge.converge([product()])
    for path in origin.answers:
        for encoding in ("", "gzip", "br"):
            get(path, headers={"Accept-Encoding": encoding})
    assert edge.purge(Invalidation("I1", "EDIST1", ("/assets/a*",))) == 3
    caches = {path: get(path, headers={"Accept-Encoding": "br"}).cache for path in origin.answers}
    assert caches == {
        "/assets/a.js": "Miss from cloudfront",
        "/assets/b.js": "Hit from cloudfront",
        "/index.html": "Hit from cloudfront",
    }


SCRIPT = {"Content-Type": "text/javascript", "Cache-Control": "max-age=60", "ETag": '"v1"'}


@pytest.mark.parametrize(
    ("accepted", "encoding", "unpack"),
    [
        ("br, gzip, deflate", "br", brotli.decompress),
        ("gzip", "gzip", gzip.decompress),
        ("br;q=0, gzip", "gzip", gzip.decompress),
        ("identity", None, bytes),
    ],
)
def test_text_is_compressed_as_the_viewer_accepts_on_a_miss_and_on_a_hit(
    edge: Edge, get: Get, origin: ScratchOrigin, accepted: str, encoding: str | None, unpack: Callable[[bytes], bytes]
) -> None:
    body = b"let a = 1;\n" * 500
    origin.answers["/a.js"] = Answer(body=body, headers=SCRIPT)
    edge.converge([product()])
    for expected in ("Miss", "Hit"):
        seen = get("/a.js", headers={"Accept-Encoding": accepted})
        assert seen.cache == f"{expected} from cloudfront"
        assert seen.header("Content-Encoding") == encoding
        assert unpack(seen.body) == body


@pytest.mark.parametrize(
    ("size", "kind", "encoding"),
    [
        (999, "text/css", None),
        (1000, "text/css", "br"),
        (10_000_000, "text/css", "br"),
        (10_000_001, "text/css", None),
        (5000, "image/png", None),
        (5000, "application/wasm", "br"),
        (5000, "text/html; charset=utf-8", "br"),
    ],
)
def test_only_cloudfronts_sizes_and_types_are_compressed(
    edge: Edge, get: Get, origin: ScratchOrigin, size: int, kind: str, encoding: str | None
) -> None:
    origin.answers["/file.x"] = Answer(body=b"a" * size, headers={"Content-Type": kind})
    edge.converge([product()])
    seen = get("/file.x", headers={"Accept-Encoding": "br"})
    assert (seen.status, seen.header("Content-Encoding")) == (200, encoding)
    assert len(brotli.decompress(seen.body) if encoding else seen.body) == size


def test_a_stale_answer_is_revalidated_with_its_etag_also_when_it_was_compressed(
    edge: Edge, get: Get, origin: ScratchOrigin
) -> None:
    def answer(asked) -> Answer:
        fresh = {"ETag": '"v1"', "Content-Type": "text/html", "Cache-Control": "max-age=0"}
        if asked.header("If-None-Match") == '"v1"':
            return Answer(304, headers=fresh)
        return Answer(body=b"page" * 500, headers=fresh)

    origin.answers["/index.html"] = answer
    use_headers = CachePolicy("use-headers", 0, 0, 31536000)
    edge.converge([product(cache_policy=use_headers)])
    caches = [get("/", headers={"Accept-Encoding": "br"}).cache for _ in range(3)]
    assert caches == ["Miss from cloudfront", "RefreshHit from cloudfront", "RefreshHit from cloudfront"]
    assert brotli.decompress(get("/", headers={"Accept-Encoding": "br"}).body) == b"page" * 500


def test_a_viewer_that_has_the_answer_gets_304_from_the_cache(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a.js"] = Answer(body=b"a", headers=SCRIPT)
    edge.converge([product()])
    get("/a.js")
    assert get("/a.js", headers={"If-None-Match": '"v1"'}).status == 304
    assert len(origin.asked) == 1


def test_a_part_of_a_cached_answer_can_be_asked_for(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a.bin"] = Answer(
        body=b"0123456789", headers={"Cache-Control": "max-age=60", "Accept-Ranges": "bytes"}
    )
    edge.converge([product()])
    for _ in range(2):
        seen = get("/a.bin", headers={"Range": "bytes=2-4"})
        assert (seen.status, seen.body) == (206, b"234")


def test_a_head_and_a_get_share_one_entry(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a.js"] = Answer(body=b"a" * 10, headers=SCRIPT)
    edge.converge([product()])
    head = get("/a.js", method="HEAD")
    assert (head.status, head.body, head.header("Content-Length")) == (200, b"", "10")
    assert get("/a.js").cache == "Hit from cloudfront"


def test_a_post_with_its_body_query_and_cookies_reaches_the_api(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/api/readings"] = lambda asked: Answer(201, body=asked.body, headers={"Set-Cookie": "a=2"})
    edge.converge([product()])
    body = b"x" * 300_000
    sent = {"Content-Type": "application/json", "Cookie": "a=1; b=2", "Authorization": "Bearer t", "X-Own": "1"}
    seen = get("/api/readings?since=1&q=%20x&flag", method="POST", headers=sent, body=body)
    assert (seen.status, seen.body, seen.header("Set-Cookie")) == (201, body, "a=2")
    (asked,) = origin.asked
    assert (asked.method, asked.path) == ("POST", "/api/readings?since=1&q=%20x&flag")
    assert {name: asked.header(name) for name in sent} == sent
    assert asked.header("X-Forwarded-For") == "127.0.0.1"
    assert asked.header("Via") == "1.1 d1.cloudfront.net (CloudFront)"


def test_a_method_that_a_behaviour_does_not_allow_is_refused_by_the_edge(
    edge: Edge, get: Get, origin: ScratchOrigin
) -> None:
    edge.converge([product()])
    refused = get("/a.js", method="POST", body=b"x")
    assert (refused.status, refused.header("Server")) == (403, "CloudFront")
    assert b"allow the HTTP request method" in refused.body
    assert origin.asked == []


def test_a_bucket_gets_no_query_no_cookie_and_its_own_host(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a.js"] = Answer(body=b"a", headers=SCRIPT | {"Set-Cookie": "a=1"})
    edge.converge([product()])
    seen = get("/a.js?v=1", headers={"Cookie": "a=1", "X-Own": "1"})
    assert seen.header("Set-Cookie") is None
    (asked,) = origin.asked
    assert asked.path == "/a.js"
    assert asked.header("Host") == "site.s3.ap-northeast-2.amazonaws.com"
    assert (asked.header("Cookie"), asked.header("X-Own")) == (None, None)
    assert asked.header("User-Agent") == "Amazon CloudFront"
    assert get("/a.js?v=2").cache == "Hit from cloudfront"


def test_query_strings_headers_and_cookies_of_the_policy_make_the_key(
    edge: Edge, get: Get, origin: ScratchOrigin
) -> None:
    keyed = CachePolicy(
        "keyed", 0, 60, 60, "whitelist", ("v",), header_names=("X-Kind",), cookies="whitelist", cookie_names=("who",)
    )
    origin.answers["/a.js"] = lambda asked: Answer(body=f"{asked.path} {asked.header('X-Kind')}".encode())
    edge.converge([product(cache_policy=keyed)])
    first = get("/a.js?v=1&utm=2")
    assert (first.cache, first.body) == ("Miss from cloudfront", b"/a.js?v=1 None")
    assert get("/a.js?utm=3&v=1").cache == "Hit from cloudfront"
    assert get("/a.js?v=2").cache == "Miss from cloudfront"
    assert get("/a.js?v=1", headers={"x-kind": "b"}).body == b"/a.js?v=1 b"
    assert get("/a.js?v=1", headers={"Cookie": "who=me; other=1"}).cache == "Miss from cloudfront"
    assert get("/a.js?v=1", headers={"Cookie": "other=2"}).cache == "Hit from cloudfront"
    assert edge.purge(Invalidation("I", "EDIST1", ("/a.js",))) == 0
    assert edge.purge(Invalidation("I", "EDIST1", ("/a.js?v=1",))) == 3


def test_an_error_is_kept_ten_seconds_also_where_caching_is_off(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    edge.converge([product()])
    assert get("/api/later").status == 404
    origin.answers["/api/later"] = Answer(body=b"here")
    assert get("/api/later").status == 404
    assert edge.purge(Invalidation("I", "EDIST1", ("/api/later",))) == 1
    assert get("/api/later").body == b"here"
    assert get("/api/later").cache == "Miss from cloudfront"


def test_how_long_an_error_is_kept_can_be_configured(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    edge.converge([replace(product(), custom_errors=(CustomError(404, None, None, error_caching_min_ttl=1),))])
    assert get("/api/later").status == 404
    origin.answers["/api/later"] = Answer(body=b"here")
    until = time.monotonic() + 9
    while get("/api/later").status == 404:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_custom_error_page_stands_in_for_the_error_with_its_own_status(
    edge: Edge, get: Get, origin: ScratchOrigin
) -> None:
    origin.answers["/sorry.html"] = Answer(body=b"sorry", headers={"Content-Type": "text/html"})
    error = CustomError(403, "/sorry.html", 200)
    origin.answers["/secret.txt"] = Answer(403, b"AccessDenied")
    edge.converge([replace(product(), custom_errors=(error, CustomError(404, "/none.html", 404)))])
    seen = get("/secret.txt")
    assert (seen.status, seen.body, seen.cache) == (200, b"sorry", "Error from cloudfront")
    assert get("/secret.txt").body == b"sorry"
    assert [asked.path for asked in origin.asked].count("/secret.txt") == 1
    # A page that is missing itself leaves the error as it is.
    assert get("/missing.txt").status == 404


def test_security_headers_are_added_and_do_not_replace_the_origins(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a.js"] = Answer(body=b"a", headers=SCRIPT | {"X-Frame-Options": "DENY"})
    policy = (("X-Frame-Options", "SAMEORIGIN"), ("Strict-Transport-Security", "max-age=31536000"))
    edge.converge([product(response_headers=policy)])
    seen = get("/a.js")
    assert seen.header("X-Frame-Options") == "DENY"
    assert seen.header("Strict-Transport-Security") == "max-age=31536000"


def test_the_host_chooses_the_distribution_and_the_first_takes_what_names_none(
    edge: Edge, get: Get, origin: ScratchOrigin
) -> None:
    origin.answers["/who"] = lambda asked: Answer(body=(asked.header("Host") or "").split(".")[0].encode())
    one, two, off = bucket("one"), bucket("two"), bucket("off")
    edge.converge(
        [
            distribution(behaviour(off), origins=(off,), number=3, enabled=False),
            distribution(behaviour(one), origins=(one,), number=1),
            distribution(behaviour(two), origins=(two,), number=2, aliases=("www.example.com",)),
        ]
    )
    hosts = ("127.0.0.1", "d1.cloudfront.net", "d2.cloudfront.net", "www.example.com", "d3.cloudfront.net")
    assert [get("/who", headers={"Host": host}).body for host in hosts] == [b"one", b"one", b"two", b"two", b"one"]


def test_an_edge_without_distributions_says_so(edge: Edge, get: Get) -> None:
    seen = get("/")
    assert seen.status == 503
    assert b"No distribution" in seen.body


def test_the_log_tells_who_answered(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a.js"] = Answer(body=b"a", headers=SCRIPT)
    edge.converge([product()])
    get("/a.js?x=1")
    get("/a.js")
    get("/api/none")
    until = time.monotonic() + 5
    while (text := edge.access_log.read_text()).count("\n") < 3:  # a line is written once the answer is out
        assert time.monotonic() < until
    assert [line.split("\t")[1:8] for line in text.splitlines()] == [
        ["GET", "127.0.0.1", "/a.js?x=1", "200", "Miss", "*", "s3-site"],
        ["GET", "127.0.0.1", "/a.js", "200", "Hit", "*", "s3-site"],
        ["GET", "127.0.0.1", "/api/none", "404", "Error", "/api/*", "s3-api"],
    ]
