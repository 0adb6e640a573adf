"""The half of the edge between its cache and an origin: one nginx server a behaviour, on a Unix socket.

A behaviour has its own because its TTLs, compression and error pages are worked out there (js/backend.js), before
the cache sees the answer. Those of a VPC origin run in the namespace of CloudFront's interface, so that route tables
and security groups decide what they reach; all others run where the edge does.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from urllib.parse import quote

from lab.edge.model import Behaviour, CustomError, CustomOrigin, Distribution, Origin, S3Origin, VpcOrigin
from lab.edge.paths import pattern_matches
from lab.settings import Settings

# What CloudFront compresses, of between 1,000 and 10,000,000 bytes.
COMPRESSED_TYPES = """
    application/dash+xml application/eot application/font application/font-sfnt application/javascript application/json
    application/opentype application/otf application/pdf application/pkcs7-mime application/protobuf
    application/rss+xml application/truetype application/ttf application/vnd.apple.mpegurl application/vnd.mapbox-
    vector-tile application/vnd.ms-fontobject application/wasm application/xhtml+xml application/xml
    application/x-font-opentype application/x-font-truetype application/x-font-ttf application/x-httpd-cgi
    application/x-javascript application/x-mpegurl application/x-opentype application/x-otf application/x-perl
    application/x-ttf font/eot font/opentype font/otf font/ttf image/svg+xml text/css text/csv text/html
    text/javascript text/js text/plain text/richtext text/tab-separated-values text/xml text/x-component text/x-java-
    source text/x-script vnd.apple.mpegurl
"""


@dataclass(frozen=True)
class Place:
    """What a backend needs of the lab: its settings, and the token by which the S3 API knows the edge."""

    settings: Settings
    token: str


@dataclass(frozen=True)
class Backend:
    """``interface_id`` is None where the edge itself runs; ``modules`` are njs files by name."""

    name: str
    interface_id: str | None
    server: str
    modules: tuple[tuple[str, str], ...]


def host_of(origin: Origin) -> str:
    """The Host that an origin is asked with when the viewer's is not forwarded."""
    if isinstance(origin.target, S3Origin):
        return f"{origin.target.bucket}.s3.{origin.target.region}.amazonaws.com"
    return origin.domain_name


def origin_of(distribution: Distribution, behaviour: Behaviour) -> Origin:
    """The origin that a behaviour names."""
    return next(origin for origin in distribution.origins if origin.id == behaviour.origin_id)


def name_of(distribution: Distribution, behaviour: Behaviour) -> str:
    """A name that changes when what the backend does changes: a server that stays keeps its socket over a reload."""
    seen = dataclasses.replace(behaviour, viewer_request=None, viewer_response=None, response_headers=())
    origin = origin_of(distribution, behaviour)
    pages = tuple(_page_backend(distribution, error) for error in distribution.custom_errors)
    text = repr((distribution.id, distribution.arn, origin, seen, distribution.custom_errors, pages))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _page_behaviour(distribution: Distribution, path: str) -> Behaviour:
    return next(b for b in distribution.behaviours if pattern_matches(b.path_pattern, path))


def _page_backend(distribution: Distribution, error: CustomError) -> str:
    """The origin of an error page, for the name only: the page's own backend may be this very one."""
    if error.response_page_path is None:
        return ""
    return repr(origin_of(distribution, _page_behaviour(distribution, error.response_page_path)))


def socket_of(name: str) -> str:
    """Relative to the edge's directory, where its processes stand: Unix socket paths are short."""
    return f"run/{name}.sock"


def compresses(behaviour: Behaviour) -> bool:
    """CloudFront compresses only when the behaviour and its cache policy both say so."""
    return behaviour.compress and (behaviour.cache_policy.gzip or behaviour.cache_policy.brotli)


def keeps_cookies(behaviour: Behaviour) -> bool:
    """An origin that gets no cookies cannot set any either."""
    policy = behaviour.origin_request_policy
    return behaviour.cache_policy.cookies != "none" or (policy is not None and policy.cookies != "none")


def backend(distribution: Distribution, behaviour: Behaviour, place: Place) -> Backend:
    """The server of one behaviour of a distribution."""
    name = name_of(distribution, behaviour)
    origin = origin_of(distribution, behaviour)
    reach = _reach(distribution, origin, name, place)
    pages = tuple(error for error in distribution.custom_errors if error.response_page_path)
    module = f"o-{name}.js"
    settings = {
        "ttl": {
            "minTtl": behaviour.cache_policy.min_ttl,
            "defaultTtl": behaviour.cache_policy.default_ttl,
            "maxTtl": behaviour.cache_policy.max_ttl,
        },
        "errorTtls": {str(error.error_code): error.error_caching_min_ttl for error in distribution.custom_errors},
        "customErrors": {
            str(error.error_code): {"path": error.response_page_path, "status": error.response_code or error.error_code}
            for error in pages
        },
        "keepsCookies": keeps_cookies(behaviour),
        "compresses": compresses(behaviour),
        "hint": reach.hint,
    }
    lines = [
        *reach.upstreams,
        "server {",
        f"    listen unix:{socket_of(name)};",
        f"    js_import behind from {module};",
        *(f"    {line}" for line in _compression(behaviour)),
        f"    proxy_connect_timeout {origin.connection_timeout}s;",
        f"    proxy_read_timeout {origin.read_timeout}s;",
        f"    proxy_send_timeout {origin.read_timeout}s;",
        "    proxy_next_upstream error timeout;",
        f"    proxy_next_upstream_tries {origin.connection_attempts};",
        *(["    proxy_intercept_errors on;"] if pages else []),
        # nginx heeds the first rule for a code.
        *(f"    error_page {error.error_code} = @error{error.error_code};" for error in pages),
        "    error_page 502 = @refused;",
        "    error_page 504 = @late;",
        "    location / {",
        "        js_header_filter behind.response;",
        *(f"        {line}" for line in reach.directives),
        "    }",
        f"    location @refused {{ {_OWN} js_content behind.refused; }}",
        f"    location @late {{ {_OWN} js_content behind.late; }}",
        *(line for error in pages for line in _page(distribution, error)),
        "}",
    ]
    text = f"import backend from './backend.js';\nexport default backend.behind({json.dumps(settings)});\n"
    return Backend(name, reach.interface_id, "\n".join(lines), ((module, text),))


@dataclass(frozen=True)
class _Reach:
    """How an origin is reached: upstream blocks, and what stands in the location."""

    upstreams: tuple[str, ...]
    directives: tuple[str, ...]
    interface_id: str | None = None
    hint: str = ""


def _reach(distribution: Distribution, origin: Origin, name: str, place: Place) -> _Reach:
    target = origin.target
    if isinstance(target, S3Origin):
        signed = (
            f'proxy_set_header X-Lab-Edge-Token "{place.token}";',
            f'proxy_set_header X-Lab-Source-Arn "{distribution.arn}";',
        )
        address = f"127.0.0.1:{place.settings.api_port}"
        return _Reach(
            _upstream(f"{name}-http", address, origin.connection_attempts),
            (*(signed if target.signed else _UNSIGNED), *_FORWARD, f"proxy_pass http://{name}-http;"),
        )
    if isinstance(target, VpcOrigin):
        if place.settings.api_only:
            return _refusal("This lab runs API-only: it has no hosts, for these need network namespaces.")
        if target.interface_id is None or target.target_ip is None:
            return _refusal("The VPC origin has no interface in the VPC, or its target no address, yet.")
        upstreams = (
            *_upstream(f"{name}-http", f"{target.target_ip}:{target.http_port}", origin.connection_attempts),
            *_upstream(f"{name}-https", f"{target.target_ip}:{target.https_port}", origin.connection_attempts),
        )
        scheme = _scheme(target.protocol_policy)
        hint = f"{target.target_ip}, from {target.interface_id}: look at its service, security groups and routes."
        return _Reach(
            upstreams,
            (*_UNSIGNED, *_FORWARD, *_TLS, f"proxy_pass {scheme}://{name}-{scheme};"),
            target.interface_id,
            hint,
        )
    return _custom(origin, target, place)


def _custom(origin: Origin, target: CustomOrigin, place: Place) -> _Reach:
    if place.settings.api_only:
        return _refusal("This lab runs API-only, and an API-only lab contacts nothing outside itself.")
    ports = {"http": target.http_port, "https": target.https_port}
    scheme = _scheme(target.protocol_policy)
    # The name is looked up at each request, in the lab's own resolver.
    directives = (f"resolver {place.settings.internet.resolver} valid=5s ipv6=off;", *_UNSIGNED, *_FORWARD, *_TLS)
    if scheme in ports:
        return _Reach((), (*directives, f'set $lab_to "{origin.domain_name}:{ports[scheme]}";', *_dynamic(scheme)))
    choose = (
        f'set $lab_to "{origin.domain_name}:{target.http_port}";',
        f'if ($http_x_lab_scheme = https) {{ set $lab_to "{origin.domain_name}:{target.https_port}"; }}',
    )
    return _Reach((), (*directives, *choose, *_dynamic(scheme)))


def _dynamic(scheme: str) -> tuple[str, ...]:
    return (f"proxy_pass {scheme}://$lab_to$request_uri;",)


def _scheme(policy: str) -> str:
    # The front says how the viewer came; viewers cannot.
    return {"http-only": "http", "https-only": "https"}.get(policy, "$http_x_lab_scheme")


def _upstream(name: str, address: str, attempts: int) -> tuple[str, ...]:
    # nginx tries each server once: as many as there are attempts. Connections are not kept: CloudFront's rule, to
    # keep them for some seconds, gains nothing here, and an origin that closes first would cost a visitor a 502.
    return (f"upstream {name} {{", *([f"    server {address} max_fails=0;"] * attempts), "}")


def _refusal(why: str) -> _Reach:
    return _Reach((), ("return 502;",), None, why)


_OWN = 'more_set_headers "Server: CloudFront";'
_UNSIGNED = ('proxy_set_header X-Lab-Edge-Token "";', 'proxy_set_header X-Lab-Source-Arn "";')
_FORWARD = (
    "proxy_set_header If-None-Match $lab_if_none_match;",
    # What the front tells its backends is not for origins.
    'proxy_set_header X-Lab-Scheme "";',
    'proxy_set_header X-Lab-Page "";',
    "proxy_set_header Host $http_host;",
    "proxy_set_header Upgrade $lab_upgrade;",
    "proxy_set_header Connection $lab_connection;",
)
_TLS = ("proxy_ssl_server_name on;", "proxy_ssl_name $http_host;")


def _compression(behaviour: Behaviour) -> list[str]:
    if not compresses(behaviour):
        return ["gzip off;", "brotli off;"]
    # text/html is always among nginx's own.
    types = " ".join(kind for kind in COMPRESSED_TYPES.split() if kind != "text/html")
    return [
        f"gzip {'on' if behaviour.cache_policy.gzip else 'off'};",
        "gzip_proxied any;",
        "gzip_vary on;",
        "gzip_min_length 1000;",
        f"gzip_types {types};",
        f"brotli {'on' if behaviour.cache_policy.brotli else 'off'};",
        "brotli_min_length 1000;",
        f"brotli_types {types};",
    ]


def _page(distribution: Distribution, error: CustomError) -> list[str]:
    path = error.response_page_path or "/"
    behaviour = _page_behaviour(distribution, path)
    origin = origin_of(distribution, behaviour)
    target = quote(origin.origin_path + path, safe="/~!*'()@&=+,;:-._%")
    return [
        f"    location @error{error.error_code} {{ {_OWN} js_content behind.error{error.error_code}; }}",
        f"    location = /lab-page-{error.error_code} {{",
        "        internal;",
        "        proxy_method GET;",
        "        proxy_pass_request_body off;",
        "        proxy_pass_request_headers off;",
        f'        proxy_set_header Host "{host_of(origin)}";',
        "        proxy_set_header X-Lab-Page 1;",
        "        proxy_set_header X-Lab-Scheme https;",
        "        proxy_intercept_errors off;",
        f"        proxy_pass http://unix:{socket_of(name_of(distribution, behaviour))}:{target};",
        "    }",
    ]
