"""An S3 server that is never the bottleneck: nginx that answers every request at once, or after a given time.

It stores nothing but the records of releases. Its listing is a canned one, written from what ought to be in the bucket,
and an object's HEAD is answered from the build itself.
"""

from __future__ import annotations

import collections
import hashlib
import re
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path
from xml.sax.saxutils import escape

_CONFIG = """
load_module {modules}/ngx_http_js_module.so;
worker_processes 1; daemon off; pid {here}/pid; error_log {here}/error.log warn; {user}
events {{ worker_connections 4096; }}
http {{
  js_path {here}; js_import sink.js; js_var $wait 0;
  log_format requests '$request_method\\t$request_uri\\t$http_x_amz_copy_source'; access_log {here}/requests requests;
  client_body_temp_path {here}/bodies; client_max_body_size 8g;
  client_body_buffer_size 4m; keepalive_requests 1000000; tcp_nodelay on; default_type application/xml;
  proxy_temp_path {here}/proxied;
  # What needs no thought is answered without the script, which would cost more than all the rest.
  map "$request_method $http_x_amz_copy_source" $quick {{ "PUT " {quick}; default 0; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ if ($quick) {{ add_header ETag '"0"'; return 200; }} js_content sink.{handler}; }}
    location ~ ^/[^/]+/[.]releases/ {{ js_content sink.{handler}; client_body_in_file_only clean; }}
    location @stored {{ root {here}/stored; dav_methods PUT; create_full_put_path on; add_header ETag '"0"' always; }}
    location /_object/ {{ internal; alias {build}/; etag on; add_header x-amz-request-id 0; }}
    location /_stored/ {{ internal; alias {here}/stored/; }}
    location /_list/ {{ internal; alias {here}/list/; }}
    location @lab {{ proxy_pass {upstream}; proxy_http_version 1.1; proxy_set_header Host $http_host;
      proxy_set_header Connection ""; proxy_request_buffering off; }}
  }}
}}
"""
_SCRIPT = """
var WAIT = %d;
function later(then) { if (WAIT) { setTimeout(then, WAIT); } else { then(); } }
function forward(r) { later(function () { r.internalRedirect('@lab'); }); }
function answer(r) { later(function () { respond(r); }); }
function respond(r) {
  var path = r.uri.split('/'), key = path.slice(2).join('/'), args = r.args;
  if (r.method == 'PUT') {
    if (key.startsWith('.releases/') && !r.headersIn['x-amz-copy-source']) { r.internalRedirect('@stored'); return; }
    r.headersOut['ETag'] = '"0"';
    r.return(200, r.headersIn['x-amz-copy-source'] ?
      '<CopyObjectResult><ETag>"0"</ETag></CopyObjectResult>' : '');
  } else if (r.method == 'POST' && 'delete' in args) {
    r.return(200, '<DeleteResult><Deleted><Key>x</Key></Deleted></DeleteResult>');
  } else if (r.method == 'POST' && 'uploads' in args) {
    r.return(200, '<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>');
  } else if (r.method == 'POST') {
    r.return(200, '<CompleteMultipartUploadResult><ETag>"0-1"</ETag></CompleteMultipartUploadResult>');
  } else if (!key) {
    if (r.method == 'HEAD' || 'location' in args) { r.return(200, '<LocationConstraint></LocationConstraint>'); }
    else { r.internalRedirect('/_list/' + (args['continuation-token'] || '0')); }
  } else { r.internalRedirect((key.startsWith('.releases/') ? '/_stored/' + path[1] + '/' : '/_object/') + key); }
}
export default { answer: answer, forward: forward };
"""


class Sink:
    """A running server. ``build`` is the directory whose files stand for the objects; ``wait_ms`` comes before every
    answer. With ``upstream`` it stores nothing and only puts the wait, and the counting, before another S3 server."""

    def __init__(self, here: Path, port: int, build: Path, wait_ms: int, upstream: str = "") -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.here = here
        self._read = 0
        for name in ("bodies", "stored", "list", "proxied"):
            (here / name).mkdir(parents=True)
        (here / "sink.js").write_text(_SCRIPT % wait_ms, encoding="utf-8")
        text = _CONFIG.format(
            here=here,
            modules=_modules(),
            port=port,
            build=build,
            handler="forward" if upstream else "answer",
            quick=int(not upstream and not wait_ms),
            upstream=upstream or "http://127.0.0.1:9",
            user="user root;" if Path("/proc/self").owner() == "root" else "",
        )
        (here / "nginx.conf").write_text(text, encoding="utf-8")
        self.list_objects({})
        self._server = subprocess.Popen(["nginx", "-p", str(here), "-c", str(here / "nginx.conf")])
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                if self._server.poll() is not None:
                    raise
                time.sleep(0.05)
        self.requests()

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(timeout=10)

    def list_objects(self, objects: dict[str, tuple[int, str]]) -> None:
        """Say what a listing answers: keys with sizes and ETags, a thousand a page."""
        keys = sorted(objects)
        pages = [keys[start : start + 1000] for start in range(0, len(keys), 1000)] or [[]]
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        for number, page in enumerate(pages):
            more = number + 1 < len(pages)
            rows = "".join(
                f"<Contents><Key>{escape(key)}</Key><LastModified>{now}</LastModified><ETag>&quot;{objects[key][1]}"
                f"&quot;</ETag><Size>{objects[key][0]}</Size><StorageClass>STANDARD</StorageClass></Contents>"
                for key in page
            )
            token = f"<NextContinuationToken>{number + 1}</NextContinuationToken>" if more else ""
            (self.here / "list" / str(number)).write_text(
                '<?xml version="1.0" encoding="UTF-8"?>'
                '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix></Prefix>'
                f"<KeyCount>{len(page)}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>"
                f"{token}{rows}</ListBucketResult>",
                encoding="utf-8",
            )

    def list_build(self, build: Path, *, stored: bool) -> None:
        """Let the listing show a build as published, and the stored records if asked."""
        objects = {}
        for path in build.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                objects[str(path.relative_to(build))] = (len(content), _md5(content))
        if stored:
            root = self.here / "stored" / "bucket"
            for path in root.rglob("*"):
                if path.is_file():
                    content = path.read_bytes()
                    objects[str(path.relative_to(root))] = (len(content), _md5(content))
        self.list_objects(objects)

    def requests(self) -> collections.Counter[str]:
        """How many requests of each kind came since the last time this was asked."""
        log = self.here / "requests"
        if not log.exists():
            return collections.Counter()
        with log.open(encoding="utf-8") as lines:
            lines.seek(self._read)
            counted = collections.Counter(_kind(*line.rstrip("\n").split("\t")) for line in lines.readlines())
            self._read = lines.tell()
        return counted


def _modules() -> str:
    """Where this nginx has its modules."""
    told = subprocess.run(["nginx", "-V"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"--modules-path=(\S+)", told)
    return found[1] if found else "modules"


def _kind(method: str, uri: str, copied: str) -> str:
    path, _, query = uri.partition("?")
    key = urllib.parse.unquote(path).partition("/")[2].partition("/")[2]
    if not key and "tagging" in query:
        return "tags"
    if method == "GET" and not key:
        return "LIST" if "location" not in query else "location"
    if method == "PUT" and copied != "-":
        return "COPY"
    of_record = key.startswith((".releases/record", ".releases/manifest"))
    return f"{method} record" if of_record else "DELETE" if "delete" in query else method


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
