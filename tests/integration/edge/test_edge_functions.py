from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from edge_scene import ALL_VIEWER, DISABLED, Answer, ScratchOrigin, Seen, behaviour, bucket, distribution

from lab.edge.model import Behaviour, Distribution, Function, Origin
from lab.edge.server import Edge

Get = Callable[..., Seen]


def function(code: str, name: str = "tested") -> Function:
    return Function(name, f"arn:aws:cloudfront::123456789012:function/{name}", code, "cloudfront-js-2.0")


def echoing(asked) -> Answer:
    return Answer(body=json.dumps({"path": asked.path, "headers": dict(asked.headers)}).encode())


def with_function(code: str, **more: object) -> Distribution:
    origin = bucket()
    return distribution(behaviour(origin, viewer_request=function(code), **more), origins=(origin,))


@pytest.fixture
def run(edge: Edge, get: Get, origin: ScratchOrigin) -> Callable[..., Seen]:
    """Visit a path of a distribution whose only behaviour has this viewer-request function."""

    def visit(code: str, path: str = "/a.txt", headers: dict[str, str] | None = None, **more: object) -> Seen:
        for known in ("/a.txt", "/b.txt"):
            origin.answers[known] = echoing
        edge.converge([with_function(code, **more)])
        return get(path, headers=headers)

    return visit


def test_the_event_is_cloudfronts(run: Callable[..., Seen]) -> None:
    code = "function handler(event) { return {statusCode: 200, body: JSON.stringify(event)}; }"
    seen = run(
        code, "/a%20b/c?id=42&empty=&q=v1&q=v2,v3&bare", {"X-Many": "1", "Cookie": "a=1; b=x=y", "Host": "h.example"}
    )
    event = json.loads(seen.body)
    assert event["version"] == "1.0"
    assert event["context"].pop("requestId")
    assert event["context"] == {
        "distributionDomainName": "d1.cloudfront.net",
        "distributionId": "EDIST1",
        "eventType": "viewer-request",
    }
    assert event["viewer"] == {"ip": "127.0.0.1"}
    asked = event["request"]
    assert (asked["method"], asked["uri"]) == ("GET", "/a%20b/c")
    assert asked["querystring"] == {
        "id": {"value": "42"},
        "empty": {"value": ""},
        "q": {"value": "v1", "multiValue": [{"value": "v1"}, {"value": "v2,v3"}]},
        "bare": {"value": ""},
    }
    assert asked["headers"]["x-many"] == {"value": "1"}
    assert asked["headers"]["host"] == {"value": "h.example"}
    assert "cookie" not in asked["headers"]
    assert asked["cookies"] == {"a": {"value": "1"}, "b": {"value": "x=y"}}


def test_a_changed_request_is_what_the_cache_and_the_origin_see(run: Callable[..., Seen], get: Get) -> None:
    code = """
    async function handler(event) {
        const request = event.request;
        request.uri = '/b.txt';
        request.querystring.added = {value: 'a b'};
        delete request.querystring.gone;
        request.headers['x-added'] = {value: 'one\\r\\nX-Lab-Edge-Token: forged'};
        request.headers['x-lab-edge-token'] = {value: 'forged'};
        delete request.headers['x-gone'];
        request.cookies.c = {value: '3'};
        return request;
    }"""
    more = {"origin_request_policy": replace(ALL_VIEWER, headers="allExcept", header_names=("host",))}
    seen = run(code, "/a.txt?gone=1&kept=2", {"X-Gone": "1", "X-Kept": "2", "Cookie": "a=1"}, **more)
    asked = json.loads(seen.body)
    assert asked["path"] == "/b.txt?kept=2&added=a%20b"
    headers = {name.lower(): value for name, value in asked["headers"].items()}
    assert headers["x-added"] == "one X-Lab-Edge-Token: forged"
    assert headers["x-kept"] == "2"
    assert headers["cookie"] == "a=1; c=3"
    assert "x-gone" not in headers
    assert headers["x-lab-edge-token"] != "forged"
    assert get("/another/path").cache == "Hit from cloudfront"


def test_an_unchanged_query_keeps_the_viewers_spelling(run: Callable[..., Seen]) -> None:
    more = {"origin_request_policy": replace(ALL_VIEWER, headers="none")}
    seen = run("function handler(event) { return event.request; }", "/a.txt?2=b&1=%7e&bare", **more)
    assert json.loads(seen.body)["path"] == "/a.txt?2=b&1=%7e&bare"


def test_a_function_can_answer_by_itself(run: Callable[..., Seen], origin: ScratchOrigin) -> None:
    code = """function handler(event) { return {statusCode: 401, statusDescription: 'Unauthorized',
        headers: {'www-authenticate': {value: 'Basic'}, 'x-two': {multiValue: [{value: 'a'}, {value: 'b'}]}},
        cookies: {seen: {value: '1', attributes: 'Path=/'}},
        body: {encoding: 'base64', data: 'aGVsbG8='}}; }"""
    seen = run(code)
    assert (seen.status, seen.body) == (401, b"hello")
    assert seen.header("WWW-Authenticate") == "Basic"
    assert seen.header("X-Two") == "a, b"
    assert seen.header("Set-Cookie") == "seen=1; Path=/"
    assert seen.cache == "FunctionGeneratedResponse from cloudfront"
    assert origin.asked == []


def test_a_function_can_redirect(run: Callable[..., Seen]) -> None:
    seen = run("function handler(e) { return {statusCode: 302, headers: {location: {value: '/new?x=1'}}}; }")
    assert (seen.status, seen.header("Location")) == (302, "/new?x=1")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("function handler(event) { throw new Error('as told'); }", b"as told"),
        ("function handler(event) { return undefinedName; }", b"undefinedName"),
        ("async function handler(event) { throw new Error('later'); }", b"later"),
        ("throw new Error('on top'); function handler(event) {}", b"on top"),
        ("function handler(event) { return 5; }", b"neither a request nor a response"),
        ("function handler(event) { event.request.uri = 'x'; return event.request; }", b"does not start with /"),
        ("function handler(event) { return {statusCode: 99}; }", b"statusCode"),
        ("function other(event) { return event.request; }", b"handler"),
        ("function handler(event) { return event.request; } }", b"SyntaxError"),
        ("import cf from 'cloudfront'; function handler(event) { return event.request; }", b"SyntaxError"),
    ],
)
def test_a_function_that_fails_answers_503_and_says_why(run: Callable[..., Seen], code: str, said: bytes) -> None:
    seen = run(code)
    assert (seen.status, seen.cache) == (503, "FunctionExecutionError from cloudfront")
    assert said in seen.body


def both(origin: Origin, first: Function, second: Function) -> tuple[Behaviour, Behaviour]:
    return behaviour(origin, "/one/*", viewer_request=first), behaviour(origin, viewer_request=second)


def test_a_function_that_does_not_parse_harms_only_its_own_behaviour(
    edge: Edge, get: Get, origin: ScratchOrigin, caplog: pytest.LogCaptureFixture
) -> None:
    origin.answers["/b.txt"] = Answer(body=b"b")
    site = bucket()
    good = function("function handler(event) { event.request.uri = '/b.txt'; return event.request; }")
    bad = function("function handler(event { }", "unparsable")
    edge.converge([distribution(*both(site, bad, good), origins=(site,))])
    assert get("/one/x").status == 503
    assert get("/two").body == b"b"
    assert "unparsable" in caplog.text
    assert "unparsable" in edge.access_log.with_name("error.log").read_text()


def test_two_functions_share_no_names(edge: Edge, get: Get) -> None:
    site = bucket()
    first = function("var shared = 'first'; function handler(e) { return {statusCode: 200, body: shared}; }", "first")
    second = function(
        "var shared = 'second'; function handler(e) { return {statusCode: 200, body: shared}; }", "second"
    )
    edge.converge([distribution(*both(site, first, second), origins=(site,))])
    assert (get("/one/x").body, get("/two").body) == (b"first", b"second")


def test_a_new_version_of_a_function_is_live_when_converge_returns(edge: Edge, get: Get) -> None:
    for number in range(4):
        edge.converge([with_function(f"function handler(e) {{ return {{statusCode: 200, body: '{number}'}}; }}")])
        assert get("/a.txt").body == str(number).encode()


def test_what_a_function_logs_is_in_the_edges_log(run: Callable[..., Seen], edge: Edge) -> None:
    run("function handler(event) { console.log('saw', event.request.uri); return event.request; }")
    assert "function tested: saw /a.txt" in edge.access_log.with_name("error.log").read_text()


def test_a_viewer_response_function_changes_the_answers_headers(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/a.txt"] = Answer(body=b"a" * 2000, headers={"X-Gone": "1", "Content-Type": "text/plain"})
    code = """function handler(event) {
        const response = event.response;
        response.headers['x-added'] = {value: event.request.uri + ' ' + response.statusCode};
        delete response.headers['x-gone'];
        return response;
    }"""
    site = bucket()
    edge.converge([distribution(behaviour(site, viewer_response=function(code)), origins=(site,))])
    for _ in range(2):
        seen = get("/a.txt")
        assert (seen.status, seen.body) == (200, b"a" * 2000)
        assert (seen.header("X-Added"), seen.header("X-Gone")) == ("/a.txt 200", None)
    assert seen.cache == "Hit from cloudfront"


def test_a_function_runs_before_the_cache_on_every_request(run: Callable[..., Seen], get: Get) -> None:
    code = """function handler(event) {
        if (event.request.headers['x-ban']) { return {statusCode: 403}; }
        return event.request;
    }"""
    assert run(code).status == 200
    assert get("/a.txt").cache == "Hit from cloudfront"
    assert get("/a.txt", headers={"X-Ban": "1"}).status == 403


def test_a_body_passes_a_function_unharmed(edge: Edge, get: Get, origin: ScratchOrigin) -> None:
    origin.answers["/up"] = lambda asked: Answer(body=asked.body)
    more = {"cache_policy": DISABLED, "allowed_methods": ("GET", "POST"), "origin_request_policy": ALL_VIEWER}
    edge.converge([with_function("function handler(event) { return event.request; }", **more)])
    body = bytes(range(256)) * 1000
    assert get("/up", method="POST", body=body).body == body
