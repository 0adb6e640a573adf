"""The edge's nginx configuration, rendered from distributions. Pure: nothing is read but the package's own js/ files.

A viewer's request meets, in this order: the behaviour (first matching path pattern), js/viewer.js (protocol, methods,
the viewer-request function, the cache key), nginx's cache, and behind it the behaviour's backend (backend.py). The
first enabled distribution answers whatever names no distribution; further ones are reached by their host names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.edge import functions
from lab.edge.backend import Backend, backend
from lab.edge.front import Surroundings, empty_server, viewer_server
from lab.edge.model import Distribution

FRONT = "front"
SHARED_MODULES = ("backend.js", "pages.js", "policy.js", "request.js", "ttl.js", "viewer.js")


@dataclass(frozen=True)
class Rendered:
    """``processes``: a configuration each, by name (``front`` or an interface); ``modules``: njs files by name."""

    processes: Mapping[str, str]
    modules: Mapping[str, str]
    backends: tuple[Backend, ...] = ()

    def interfaces(self) -> frozenset[str]:
        """The interfaces whose namespaces need a process of their own."""
        return frozenset(self.processes) - {FRONT}


def render(
    distributions: Sequence[Distribution],
    around: Surroundings,
    broken: Mapping[str, str] | None = None,
    lingering: Collection[Backend] = (),
) -> Rendered:
    """All files of the edge.

    ``broken``: why a function cannot run, by its module's name. ``lingering``: backends of the configuration before,
    which its workers may still ask while they finish.
    """
    enabled = [distribution for distribution in distributions if distribution.enabled]
    backends: dict[str, Backend] = {}
    modules = {name: _shared(name) for name in SHARED_MODULES}
    servers = []
    for distribution in enabled:
        for behaviour in distribution.behaviours:
            behind = backend(distribution, behaviour, around.place)
            backends[behind.name] = behind
        text, own = viewer_server(distribution, around, broken or {}, is_default=distribution is enabled[0])
        servers.append(text)
        modules |= own
    if not enabled:
        servers.append(empty_server(around))
    everything = {item.name: item for item in lingering} | backends
    for item in everything.values():
        modules |= dict(item.modules)
    at: dict[str, list[str]] = {FRONT: [*servers]}
    for item in sorted(everything.values(), key=lambda one: one.name):
        at.setdefault(item.interface_id or FRONT, []).append(item.server)
    processes = {name: _process(name, texts, around) for name, texts in at.items()}
    return Rendered(processes, modules, tuple(backends.values()))


def _shared(name: str) -> str:
    return (Path(__file__).parent / "js" / name).read_text()


def _process(name: str, servers: Sequence[str], around: Surroundings) -> str:
    body = "\n".join(servers)
    user = f"user {around.user};\nworker_rlimit_nofile 8192;\n" if around.user else ""
    head = _HEAD.format(name=name, user=user, modules=functions.MODULES, front=_FRONT if name == FRONT else "")
    # Asked for after a reload: the old workers answer with the old one.
    generation = hashlib.sha256((head + body).encode()).hexdigest()[:16]
    control = (
        f"server {{\n    listen unix:run/{name}.control;\n"
        f'    location / {{ default_type text/plain; return 200 "{generation}"; }}\n}}'
    )
    return "\n".join((f"# generation {generation}", head, control, body, "}", ""))


def generation_of(configuration: str) -> str:
    """What a process with this configuration answers on its control socket."""
    return configuration.split("\n", 1)[0].rsplit(" ", 1)[1]


_HEAD = """\
load_module {modules}/ngx_http_js_module.so;
load_module {modules}/ngx_http_brotli_filter_module.so;
load_module {modules}/ngx_http_headers_more_filter_module.so;
{user}daemon off;
pid run/{name}.pid;
error_log logs/error.log error;
# One: what one visitor has received is in the cache for the next, whose request comes after it in the same loop.
worker_processes 1;
worker_shutdown_timeout 30s;
# A request holds five: the viewer's, two on each side of the socket between the halves, the origin's.
events {{ worker_connections 4096; }}
http {{
js_path js;
client_body_temp_path temp/body;
proxy_temp_path temp/proxy;
fastcgi_temp_path temp/fastcgi;
uwsgi_temp_path temp/uwsgi;
scgi_temp_path temp/scgi;
js_var $lab_target;
js_var $lab_head;
js_var $lab_key;
js_var $lab_result;
js_var $lab_behaviour;
js_var $lab_origin;
map $http_upgrade $lab_connection {{ default close; ~*^websocket$ upgrade; }}
map $http_upgrade $lab_upgrade {{ default ""; ~*^websocket$ websocket; }}
# An ETag that compression made weak is asked for as the origin knows it.
map $http_if_none_match $lab_if_none_match {{
    default $http_if_none_match;
    ~^W/(?<strong>"[^"]*")$ $strong;
}}
access_log off;
server_tokens off;
default_type "";
server_names_hash_bucket_size 256;
variables_hash_max_size 2048;
# The longest URL that CloudFront takes has 8,192 bytes, all headers together 20,480.
large_client_header_buffers 8 32k;
client_max_body_size 0;
subrequest_output_buffer_size 1m;
proxy_http_version 1.1;
proxy_buffer_size 64k;
proxy_buffers 16 32k;
proxy_busy_buffers_size 128k;
proxy_pass_header Server;
proxy_pass_header Date;
merge_slashes off;
absolute_redirect off;
# Origins may not steer this nginx; only a backend's own X-Accel-Expires reaches the cache.
proxy_ignore_headers X-Accel-Expires X-Accel-Redirect X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
{front}"""

# use_temp_path: entries are moved into place whole. inactive: how long an unasked entry stays.
# The log's fields are tab-separated; README and `lab logs edge` name them.
_FRONT = """\
proxy_cache_path cache levels=1:2 keys_zone=lab:10m max_size=1g inactive=7d use_temp_path=off;
log_format cloudfront '$time_iso8601\\t$request_method\\t$host\\t$request_uri\\t$status\\t$lab_result\\t'
    '$lab_behaviour\\t$lab_origin\\t$bytes_sent\\t$request_time\\t$remote_addr\\t$request_id';
"""
