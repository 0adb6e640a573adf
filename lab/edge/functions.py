"""CloudFront Functions as njs modules."""

from __future__ import annotations

import hashlib
import re

from lab.edge.model import Function

_COMPLAINT = re.compile(r"(?P<what>\w*Error: .*) in \S+\.js:(?P<line>\d+)")
MODULES = "/usr/lib/nginx/modules"


def module_name(function: Function) -> str:
    """The file of a function's module: one for each different code, so that no two share anything."""
    return f"f-{hashlib.sha256(function.code.encode()).hexdigest()[:16]}.js"


def module(function: Function) -> str:
    """A module that exports a maker of the function's handler.

    The code stands inside a function: what fails on its top level fails when a request calls it, and can be caught
    there, and its globals are its own. It starts on the first line, so that line numbers are the author's.
    """
    return f"export default function (console) {{ {function.code}\nreturn handler; }}\n"


def check_config(function: Function) -> str:
    """A configuration with which ``nginx -t`` says whether the function's module parses."""
    return (
        f"load_module {MODULES}/ngx_http_js_module.so;\n"
        "pid run/check.pid;\nerror_log stderr;\nevents {}\n"
        "http {\n    access_log off;\n"
        "    client_body_temp_path temp/body; proxy_temp_path temp/proxy; fastcgi_temp_path temp/fastcgi;\n"
        "    uwsgi_temp_path temp/uwsgi; scgi_temp_path temp/scgi;\n"
        f"    js_path js;\n    js_import checked from {module_name(function)};\n"
        # Modules are compiled for where something uses them.
        "    server { listen unix:run/check.sock; location / { js_content checked.unused; } }\n}\n"
    )


def reason(output: str) -> str:
    """What ``nginx -t`` complained of, in njs's own words and the author's line numbers."""
    found = _COMPLAINT.search(output)
    return f"{found['what']}, line {found['line']}" if found else output.strip() or "it does not parse"
