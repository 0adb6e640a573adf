"""The half of the edge between viewers and its cache: an nginx server a distribution, chosen by Host."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.edge import functions
from lab.edge.backend import Place, backend, host_of, origin_of, socket_of
from lab.edge.model import Behaviour, CachePolicy, Distribution, Function, OriginRequestPolicy
from lab.edge.paths import pattern_regex

_HOST = re.compile(r"(\*\.)?[A-Za-z0-9.-]+")


@dataclass(frozen=True)
class Surroundings:
    """What the configuration needs of the machine: ``user`` of the workers (None: nginx's own), TLS or not."""

    place: Place
    user: str | None = "www-data"
    tls: bool = False


def listens(around: Surroundings, is_default: bool) -> list[str]:
    """The addresses at which viewers arrive."""
    settings = around.place.settings
    suffix = " default_server" if is_default else ""
    addresses = [f"127.0.0.1:{settings.edge_port}{suffix}"]
    if not settings.api_only:
        addresses.append(f"{settings.internet.edge}:80{suffix}")
        if around.tls:
            addresses.append(f"{settings.internet.edge}:443 ssl http2{suffix}")
    return [f"    listen {address};" for address in addresses]


def _server_head(around: Surroundings, names: Sequence[str], is_default: bool) -> list[str]:
    tls = around.tls and not around.place.settings.api_only
    return [
        "server {",
        *listens(around, is_default),
        f"    server_name {' '.join(names) or '_'};",
        *(["    ssl_certificate tls.crt;", "    ssl_certificate_key tls.key;"] if tls else []),
        "    access_log logs/access.log cloudfront;",
    ]


def empty_server(around: Surroundings) -> str:
    body = "No distribution is enabled yet.\\n"
    return "\n".join(
        [
            *_server_head(around, (), is_default=True),
            f'    location / {{ default_type text/plain; return 503 "{body}"; }}',
            "}",
        ]
    )


def viewer_server(
    distribution: Distribution, around: Surroundings, broken: Mapping[str, str], *, is_default: bool
) -> tuple[str, dict[str, str]]:
    """The server of a distribution's viewers, and the modules it imports."""
    names = [name for name in (distribution.domain_name, *distribution.aliases) if _HOST.fullmatch(name)]
    lines = _server_head(around, names, is_default)
    modules: dict[str, str] = {}
    for index, behaviour in enumerate(distribution.behaviours):
        behind = backend(distribution, behaviour, around.place)
        text = _behaviour_module(distribution, behaviour, f"b{index}", broken)
        name = f"v-{hashlib.sha256(text.encode()).hexdigest()[:16]}.js"
        modules[name] = text
        for function in (behaviour.viewer_request, behaviour.viewer_response):
            if function and functions.module_name(function) not in broken:
                modules[functions.module_name(function)] = functions.module(function)
        lines += _locations(behaviour, f"b{index}", name, behind.name)
    lines.append("}")
    return "\n".join(lines), modules


def _locations(behaviour: Behaviour, location: str, module: str, backend_name: str) -> list[str]:
    regex = pattern_regex(behaviour.path_pattern).replace("\\", "\\\\").replace('"', '\\"')
    match = "/" if behaviour.path_pattern == "*" else f'~ "{regex}"'
    caches = behaviour.cache_policy.max_ttl > 0
    imported = f"        js_import viewer from {module};"
    return [
        f"    location {match} {{",
        imported,
        '        more_set_headers "Server: CloudFront";',
        "        js_content viewer.request;",
        "    }",
        f"    location @{location} {{",
        imported,
        "        js_header_filter viewer.response;",
        f"        proxy_pass http://unix:{socket_of(backend_name)}:$lab_target;",
        "        proxy_pass_request_headers off;",
        "        proxy_set_header Host $lab_head;",  # policy.js: the Host, and all other lines after it
        "        proxy_set_header Upgrade $lab_upgrade;",
        "        proxy_set_header Connection $lab_connection;",
        "        proxy_read_timeout 1h;",  # the backend's own limits hold
        "        proxy_send_timeout 1h;",
        "        proxy_next_upstream off;",
        "        proxy_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Redirect X-Accel-Limit-Rate;",
        "        proxy_cache lab;",
        "        proxy_cache_key $lab_key;",
        # What is not cached still has its errors kept, and is passed on as asked: a HEAD as a HEAD.
        f"        proxy_cache_convert_head {'on' if caches else 'off'};",
        f"        proxy_cache_revalidate {'on' if caches else 'off'};",
        f"        error_page 502 504 = @{location}-unreachable;",
        "    }",
        f"    location @{location}-unreachable {{",
        imported,
        '        more_set_headers "Server: CloudFront";',
        "        js_content viewer.unreachable;",
        "    }",
    ]


def _behaviour_module(
    distribution: Distribution, behaviour: Behaviour, location: str, broken: Mapping[str, str]
) -> str:
    """The njs module of a behaviour: what js/viewer.js needs to know of it, and its functions."""
    origin = origin_of(distribution, behaviour)
    shape = {
        "distribution": {"id": distribution.id, "domainName": distribution.domain_name},
        "pattern": behaviour.path_pattern,
        "location": location,
        "protocol": behaviour.viewer_protocol_policy,
        "methods": behaviour.allowed_methods,
        "root": distribution.default_root_object,
        "caches": behaviour.cache_policy.max_ttl > 0,
        "origin": {"id": origin.id, "host": host_of(origin), "path": origin.origin_path},
        "customHeaders": origin.custom_headers,
        "cache": _cache(behaviour.cache_policy),
        "forward": _forward(behaviour.origin_request_policy),
        "responseHeaders": behaviour.response_headers,
        "viewerRequest": _called(behaviour.viewer_request, broken),
        "viewerResponse": _called(behaviour.viewer_response, broken),
    }
    imports = ["import viewer from './viewer.js';"]
    makers = []
    for name, function in (("onRequest", behaviour.viewer_request), ("onResponse", behaviour.viewer_response)):
        runs = function is not None and functions.module_name(function) not in broken
        if function is not None and runs:
            imports.append(f"import {name} from './{functions.module_name(function)}';")
        makers.append(name if runs else "undefined")
    return "\n".join((*imports, f"export default viewer.behave({json.dumps(shape)}, {', '.join(makers)});", ""))


def _called(function: Function | None, broken: Mapping[str, str]) -> dict[str, str | None] | None:
    if function is None:
        return None
    return {"name": function.name, "broken": broken.get(functions.module_name(function))}


def _lower(names: Sequence[str]) -> list[str]:
    return [name.lower() for name in names]


def _cache(policy: CachePolicy) -> dict[str, object]:
    return {
        "gzip": policy.gzip,
        "brotli": policy.brotli,
        "headerNames": _lower(policy.header_names),
        "queryStrings": policy.query_strings,
        "queryStringNames": policy.query_string_names,
        "cookies": policy.cookies,
        "cookieNames": policy.cookie_names,
    }


def _forward(policy: OriginRequestPolicy | None) -> dict[str, object]:
    policy = policy or OriginRequestPolicy(id="none")
    return {
        "headers": policy.headers,
        "headerNames": _lower(policy.header_names),
        "queryStrings": policy.query_strings,
        "queryStringNames": policy.query_string_names,
        "cookies": policy.cookies,
        "cookieNames": policy.cookie_names,
    }
