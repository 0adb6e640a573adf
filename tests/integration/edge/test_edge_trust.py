"""The token by which S3 knows the edge: sent to signed origins only, never taken from a viewer nor shown to one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from edge_scene import ALL_VIEWER, DISABLED, EVERY_METHOD, Answer, ScratchOrigin, Seen, behaviour, bucket, distribution

from lab.edge.model import CachePolicy
from lab.edge.server import Edge
from lab.settings import Settings

Get = Callable[..., Seen]
TOKEN, ARN = "X-Lab-Edge-Token", "X-Lab-Source-Arn"
FORGED = {
    TOKEN: "forged",
    ARN: "arn:forged",
    "x_lab_edge_token": "forged",
    "X-LAB-EDGE-TOKEN": "forged",
    "X-Lab-Page": "1",
    "X-Lab-Scheme": "gopher",
    "X-Lab-Error": "200",
    "X-Accel-Expires": "9999",
}


@pytest.mark.parametrize("signed", [True, False])
def test_only_a_signed_origin_gets_the_token(
    edge: Edge, get: Get, origin: ScratchOrigin, settings: Settings, signed: bool
) -> None:
    site = bucket(signed=signed)
    forwards_all = CachePolicy("all", 0, 0, 0, header_names=tuple(FORGED))
    edge.converge(
        [
            distribution(
                behaviour(site, "/cached/*"),
                behaviour(
                    site, cache_policy=forwards_all, origin_request_policy=ALL_VIEWER, allowed_methods=EVERY_METHOD
                ),
                origins=(site,),
            )
        ]
    )
    for path in ("/cached/a", "/open"):
        get(path, headers=FORGED)
    get("/posted", method="POST", headers=FORGED, body=b"x")
    assert len(origin.asked) == 3
    token = (settings.state / "edge-token").read_text().strip()
    expected = {"x-lab-edge-token": token, "x-lab-source-arn": "arn:aws:cloudfront::123456789012:distribution/EDIST1"}
    for asked in origin.asked:
        lab = [
            (name.lower(), value) for name, value in asked.headers if "lab" in name.lower() or "accel" in name.lower()
        ]
        assert sorted(lab) == (sorted(expected.items()) if signed else [])


def test_the_token_is_a_secret_of_its_owner(edge: Edge, settings: Settings) -> None:
    path = settings.state / "edge-token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().strip()) == 64


def test_no_header_of_the_labs_own_reaches_the_viewer(
    edge: Edge, get: Get, origin: ScratchOrigin, settings: Settings
) -> None:
    token = (settings.state / "edge-token").read_text().strip()
    said = {"X-Lab-Edge-Token": token, "X-Lab-Error": "404", "X-Lab-Stored": "1", "X-Accel-Expires": "9999"}
    origin.answers["/a"] = Answer(body=b"a", headers=said)
    site = bucket()
    edge.converge([distribution(behaviour(site), origins=(site,))])
    for _ in range(2):
        seen = get("/a")
        assert seen.status == 200
        assert not [name for name, _ in seen.headers if name.lower().startswith(("x-lab-", "x-accel-"))]
        assert token not in str(seen)


def test_an_origin_cannot_steer_the_edge(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a"] = Answer(body=b"own", headers={"X-Accel-Redirect": "/b", "X-Accel-Expires": "3600"})
    origin.answers["/b"] = Answer(body=b"other")
    site = bucket()
    edge.converge([distribution(behaviour(site, cache_policy=DISABLED), origins=(site,))])
    assert get("/a").body == b"own"
    assert get("/a").cache == "Miss from cloudfront"


def test_an_origins_custom_header_replaces_the_viewers(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    site = bucket(custom_headers=(("X-Secret", "$of the {origin}"),))
    more = {"cache_policy": DISABLED, "origin_request_policy": ALL_VIEWER}
    edge.converge([distribution(behaviour(site, **more), origins=(site,))])
    get("/a", headers={"X-Secret": "the viewer's", "Host": "viewer.example"})
    (asked,) = origin.asked
    assert [value for name, value in asked.headers if name.lower() == "x-secret"] == ["$of the {origin}"]
    assert asked.header("Host") == "viewer.example"


def test_a_viewer_may_pretend_only_in_front_of_its_own_address(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    site = bucket()
    more = {"cache_policy": DISABLED, "origin_request_policy": ALL_VIEWER}
    edge.converge([distribution(behaviour(site, **more), origins=(site,))])
    get(
        "/a", headers={"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "gopher", "X-Real-Ip": "1.2.3.4", "Via": "me"}
    )
    (asked,) = origin.asked
    assert asked.header("X-Forwarded-For") == "1.2.3.4, 127.0.0.1"
    assert (asked.header("X-Forwarded-Proto"), asked.header("X-Real-Ip")) == (None, None)
    assert asked.header("Via") == "1.1 d1.cloudfront.net (CloudFront)"
