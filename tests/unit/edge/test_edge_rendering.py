"""From distributions to nginx's configuration, as data."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lab.edge.backend import Place, name_of
from lab.edge.config import FRONT, Rendered, generation_of, render
from lab.edge.front import Surroundings
from lab.edge.functions import MODULES, check_config, module_name
from lab.edge.model import (
    Behaviour,
    CachePolicy,
    CustomError,
    CustomOrigin,
    Distribution,
    Function,
    Origin,
    S3Origin,
    VpcOrigin,
)
from lab.settings import Internet, Settings

SETTINGS = Settings(Path("/p"), Path("/c"), Internet("198.18.0.0/16"))
AROUND = Surroundings(Place(SETTINGS, "t0ken"), tls=True)
API_ONLY = Surroundings(Place(replace(SETTINGS, api_only=True), "t0ken"))
CACHED = CachePolicy("c", 1, 86400, 31536000)
UNCACHED = CachePolicy("d", 0, 0, 0, gzip=False, brotli=False)
SPA = Function("spa", "arn", "function handler(event) { return event.request; }", "cloudfront-js-2.0")
BUCKET = Origin("site", "site.s3.ap-northeast-2.amazonaws.com", "", S3Origin("site", "ap-northeast-2", True))
BACKEND = Origin("backend", "b.internal", "", VpcOrigin("vo_1", "eni-1", "10.0.1.5", 8000, 8443, "http-only"))
OUTSIDE = Origin("outside", "outside.example", "", CustomOrigin(81, 444, "match-viewer"))


def behaviour(origin: Origin, pattern: str = "*", policy: CachePolicy = CACHED) -> Behaviour:
    return Behaviour(pattern, origin.id, "redirect-to-https", ("GET", "HEAD"), ("GET", "HEAD"), policy, compress=True)


def distribution(*behaviours: Behaviour, number: int = 1) -> Distribution:
    return Distribution(
        f"E{number}",
        f"arn:aws:cloudfront::123456789012:distribution/E{number}",
        f"d{number}.cloudfront.net",
        True,
        "etag",
        (BUCKET, BACKEND, OUTSIDE),
        behaviours or (behaviour(BACKEND, "/api/*", UNCACHED), behaviour(BUCKET)),
    )


def front(rendered: Rendered) -> str:
    return rendered.processes[FRONT]


def test_the_same_distributions_render_the_same_text() -> None:
    assert render([distribution()], AROUND) == render([distribution()], AROUND)


def test_the_first_enabled_distribution_is_the_default_of_every_address() -> None:
    text = front(
        render([replace(distribution(number=3), enabled=False), distribution(), distribution(number=2)], AROUND)
    )
    servers = {name: re.findall("listen (.*);", block) for name, block in viewer_servers(text)}
    addresses = ["127.0.0.1:8080", "198.18.0.100:80", "198.18.0.100:443 ssl http2"]
    assert servers == {
        "d1.cloudfront.net": [f"{address} default_server" for address in addresses],
        "d2.cloudfront.net": addresses,
    }


def viewer_servers(text: str) -> list[tuple[str, str]]:
    blocks = [block for block in text.split("server {") if "server_name" in block]
    return [(match[1], block) for block in blocks if (match := re.search(r"server_name (\S+);", block))]


def test_an_api_only_edge_listens_on_loopback_alone() -> None:
    text = front(render([distribution()], API_ONLY))
    assert set(re.findall("listen ([^u].*);", text)) == {"127.0.0.1:8080 default_server"}


def test_aliases_name_a_distribution_too_unless_they_are_no_host_names() -> None:
    named = replace(distribution(), aliases=("www.example.com", "*.example.org", "x; include /etc/passwd"))
    text = front(render([named], AROUND))
    assert "server_name d1.cloudfront.net www.example.com *.example.org;" in text
    assert "passwd" not in text


def test_behaviours_are_asked_in_their_order_and_the_default_last() -> None:
    made = distribution(behaviour(BACKEND, "/api/*"), behaviour(BUCKET, "*.j?g"), behaviour(BUCKET))
    text = front(render([made], AROUND))
    assert re.findall(r"location (~ \"[^\n]*\"|/) \{\n\s*js_import viewer", text) == [
        r'~ "(?s)^/api/.*\\z"',
        r'~ "(?s)^/.*\\.j.g\\z"',
        "/",
    ]


def test_a_vpc_origin_is_asked_by_a_process_of_its_interface() -> None:
    rendered = render([distribution()], AROUND)
    assert rendered.interfaces() == {"eni-1"}
    assert "server 10.0.1.5:8000 max_fails=0;" in rendered.processes["eni-1"]
    assert "10.0.1.5" not in front(rendered)
    assert "listen 127" not in rendered.processes["eni-1"]


@pytest.mark.parametrize(
    "origin",
    [
        replace(BACKEND, target=VpcOrigin("vo_1", None, "10.0.1.5", 80, 443, "http-only")),
        replace(BACKEND, target=VpcOrigin("vo_1", "eni-1", None, 80, 443, "http-only")),
    ],
)
def test_a_vpc_origin_without_interface_or_target_answers_502(origin: Origin) -> None:
    rendered = render([replace(distribution(), origins=(BUCKET, origin))], AROUND)
    assert rendered.interfaces() == frozenset()
    assert "return 502;" in front(rendered)


def test_without_namespaces_nothing_but_the_labs_own_s3_is_contacted() -> None:
    made = distribution(behaviour(BACKEND, "/api/*"), behaviour(OUTSIDE, "/x"), behaviour(BUCKET))
    rendered = render([made], API_ONLY)
    assert rendered.interfaces() == frozenset()
    assert set(re.findall(r"^    server (\S+)", front(rendered), re.M)) == {"127.0.0.1:8566"}
    assert "resolver" not in front(rendered)


def test_the_token_is_written_for_signed_buckets_only() -> None:
    unsigned = replace(BUCKET, target=S3Origin("site", "ap-northeast-2", False))
    signed = render([distribution()], AROUND)
    assert front(signed).count("t0ken") == 1
    assert "t0ken" not in signed.processes["eni-1"]
    assert not any("t0ken" in text for text in signed.modules.values())
    assert "t0ken" not in front(render([replace(distribution(), origins=(unsigned, BACKEND))], AROUND))


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (3, 10)])
def test_connection_attempts_and_timeouts_are_the_origins(attempts: int, seconds: int) -> None:
    origin = replace(BUCKET, connection_attempts=attempts, connection_timeout=seconds, read_timeout=7)
    text = front(render([replace(distribution(behaviour(origin)), origins=(origin,))], AROUND))
    assert text.count("server 127.0.0.1:8566 max_fails=0;") == attempts
    assert f"proxy_connect_timeout {seconds}s;" in text
    assert "proxy_read_timeout 7s;" in text


def test_a_custom_origin_is_looked_up_in_the_labs_own_resolver() -> None:
    text = front(render([distribution(behaviour(OUTSIDE))], AROUND))
    assert "resolver 198.18.0.53 " in text
    assert 'set $lab_to "outside.example:81";' in text
    assert '$http_x_lab_scheme = https) { set $lab_to "outside.example:444"; }' in text


def test_a_function_that_cannot_run_is_not_imported() -> None:
    made = distribution(replace(behaviour(BUCKET), viewer_request=SPA))
    name = module_name(SPA)
    assert name in render([made], AROUND).modules
    rendered = render([made], AROUND, {name: "SyntaxError"})
    assert name not in rendered.modules
    assert not any(name in text for text in rendered.modules.values())
    assert any('"broken": "SyntaxError"' in text for text in rendered.modules.values())


def test_a_backend_keeps_its_socket_unless_it_does_something_else() -> None:
    made = distribution()
    api, site = made.behaviours
    name = name_of(made, site)
    changed_viewers = replace(site, viewer_request=SPA, response_headers=(("A", "b"),))
    assert name_of(replace(made, etag="other"), changed_viewers) == name
    assert name_of(made, api) != name
    assert name_of(made, replace(site, compress=False)) != name
    assert name_of(replace(made, custom_errors=(CustomError(404, None, None),)), site) != name


def test_backends_of_the_configuration_before_stay_while_they_linger() -> None:
    before = render([distribution()], AROUND)
    after = render([distribution(behaviour(BUCKET))], AROUND, lingering=before.backends)
    assert after.interfaces() == {"eni-1"}
    assert {backend.name for backend in after.backends} < {backend.name for backend in before.backends}
    assert render([distribution(behaviour(BUCKET))], AROUND).interfaces() == frozenset()


def test_every_different_configuration_has_a_generation_of_its_own() -> None:
    one, two = (front(render([each], AROUND)) for each in (distribution(), distribution(behaviour(BUCKET))))
    assert generation_of(one) != generation_of(two)
    assert f'return 200 "{generation_of(one)}"' in one


def test_an_error_page_comes_from_the_behaviour_that_its_path_matches() -> None:
    api_page, page = CustomError(500, "/api/sorry", 500), CustomError(404, "/a b$.html", 200)
    made = replace(distribution(), custom_errors=(api_page, page))
    api, site = made.behaviours
    text = front(render([made], AROUND))
    assert f"proxy_pass http://unix:run/{name_of(made, api)}.sock:/api/sorry;" in text
    assert f"proxy_pass http://unix:run/{name_of(made, site)}.sock:/a%20b%24.html;" in text


def test_nginx_touches_nothing_of_the_machine_but_its_modules() -> None:
    texts = [*render([distribution()], AROUND).processes.values(), check_config(SPA)]
    for text in texts:
        assert set(re.findall(r"(?<![\w.:~^/$)*])/[a-z]+/[\w/.]+", text)) <= {
            f"{MODULES}/ngx_http_{name}.so"
            for name in ("js_module", "brotli_filter_module", "headers_more_filter_module")
        }
        # Or nginx opens its built-in log, where only root may.
        assert "access_log off;" in text
