"""HTTP servers on sockets that already listen: the daemon opens them in the namespaces where they belong."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1, quiet, with one way to send a whole body."""

    protocol_version = "HTTP/1.1"
    server_version = "lab"
    sys_version = ""
    timeout = 60
    disable_nagle_algorithm = True  # head and body are two writes; the second must not wait for an acknowledgement

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: errors go to the client, who asked."""

    def send_whole(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Answers on ``listener``, one thread a connection, once ``start`` was called; ``stop`` closes it."""

    def __init__(self, listener: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler, bind_and_activate=False)
        self.socket.close()  # the one the base class made
        self.socket = listener
        self.server_address = listener.getsockname()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
