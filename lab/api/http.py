"""An HTTP/1.1 server for the API: keep-alive, ``Expect: 100-continue``, chunked bodies.

werkzeug's own development server closes the connection after every answer, which costs a client such as
boto3 a new connection per call.
"""

from __future__ import annotations

import io
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Larger bodies are kept in a file while they arrive.
_IN_MEMORY = 8 * 1024 * 1024
_IDLE_SECONDS = 75
_INTERNAL_ERROR = b"<Error><Code>InternalError</Code><Message>The lab's API failed; its log says why.</Message></Error>"


class ConnectionDropped(Exception):
    """Raised by the application to end the connection without an answer."""


class Handler(MotoRequestHandler):  # type: ignore[misc]  # moto has no types here
    """Reads a request whole before the application sees it, so that a slow client holds no lock."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = _IDLE_SECONDS

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        body = self._read_body(environ)
        environ["wsgi.input"] = body
        environ["wsgi.input_terminated"] = True
        started: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _exc_info: Any = None
        ) -> Callable[[bytes], Any]:
            started[:] = [status, headers]
            return io.BytesIO().write

        try:
            status, headers, data = "500 Internal Server Error", [("Content-Type", "application/xml")], _INTERNAL_ERROR
            chunks: Iterable[bytes] = self.server.app(environ, start_response)
            answer = b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
            status, headers, data = started[0], started[1], answer
        except ConnectionDropped:
            self.close_connection = True
            return
        except Exception:  # whatever a handler did, the client gets an answer and the log the reason
            traceback.print_exc(file=sys.stderr)
        finally:
            body.close()
        self._answer(status, headers, data)

    def _read_body(self, environ: dict[str, Any]) -> IO[bytes]:
        stream: IO[bytes] = environ["wsgi.input"]
        if environ.get("wsgi.input_terminated"):  # werkzeug's dechunking reader
            body: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - run_wsgi closes it
            while piece := stream.read(65536):
                body.write(piece)
            environ["CONTENT_LENGTH"] = str(body.tell())
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            body.seek(0)
            return body
        remaining = int(environ.get("CONTENT_LENGTH") or 0)
        environ["CONTENT_LENGTH"] = str(remaining)
        if remaining <= _IN_MEMORY:
            return io.BytesIO(stream.read(remaining))
        body = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - run_wsgi closes it
        while remaining and (piece := stream.read(min(remaining, 1 << 20))):
            body.write(piece)
            remaining -= len(piece)
        body.seek(0)
        return body

    def _answer(self, status: str, headers: list[tuple[str, str]], data: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        names = {name.lower() for name, _ in headers}
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        no_body = self.command == "HEAD" or int(code) in (204, 304)
        for name, value in headers:
            lower = name.lower()
            if lower in ("connection", "transfer-encoding") or (lower == "content-length" and not no_body):
                continue
            self.send_header(name, value)
        if not no_body:
            self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not no_body:
            self.wfile.write(data)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Calls are logged by the middleware, which knows their service and action."""

    def log_error(self, format: str, *values: Any) -> None:
        """A kept connection that nobody used any more is no error."""


class Server:
    """Serves a WSGI application on a listening socket, in threads of its own."""

    def __init__(self, app: WSGIApplication, listening: socket.socket) -> None:
        address = listening.getsockname()
        self._socket = listening
        self._server: BaseWSGIServer = make_server(
            address[0], address[1], app, threaded=True, request_handler=Handler, fd=listening.fileno()
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name=f"api-{address[1]}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop accepting; answers that are under way are finished by their own threads."""
        self._server.shutdown()
        self._server.server_close()
        self._socket.close()
        self._thread.join(timeout=5)
