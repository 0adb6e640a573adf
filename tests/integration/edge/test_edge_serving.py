from __future__ import annotations

from collections.abc import Callable

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

from lab.edge.model import Invalidation
from lab.edge.server import Edge

Get = Callable[..., Seen]


def product(**of_default: object):  # noqa: ANN201  # a Distribution
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
