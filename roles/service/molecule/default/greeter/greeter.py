"""A small service: greets, and tells what it can and cannot do. MODE says how it behaves."""

import hashlib
import http.server
import json
import os
from pathlib import Path

from markupsafe import _speedups, escape

MODE = os.environ["MODE"]
DIRECTORIES = ("/etc", "/opt", ".", "/run", "/var/lib", "/tmp")  # noqa: S108 - only the last should be writable


def may_write(path: str) -> bool:
    """Whether a file can be made in a directory."""
    try:
        (Path(path) / "attempt").touch()
    except OSError:
        return False
    return True


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every path alike."""

    def do_GET(self) -> None:
        secret = Path(os.environ["SECRET_FILE"]).read_text()
        body = json.dumps(
            {
                "greeting": escape(os.environ["GREETING"]),
                "compiled": Path(_speedups.__file__).name,
                "secret": hashlib.sha256(secret.encode()).hexdigest(),
                "uid": os.getuid(),
                "may_write": [path for path in DIRECTORIES if may_write(path)],
                "homes": len(list(Path("/home").iterdir())) if os.access("/home", os.R_OK) else 0,
                "processes": [path.name for path in Path("/proc").iterdir() if path.name.isdigit()],
            }
        ).encode()
        self.send_response(200 if MODE == "well" else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    if MODE == "crashing":
        raise SystemExit("greeter: I will not run")
    print(f"greeter: {MODE}", flush=True)
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
