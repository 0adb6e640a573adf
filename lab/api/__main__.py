"""``python -m lab.api``: the API alone, without hosts; for tests, and for a machine that has no namespaces."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import threading
from pathlib import Path

from lab import settings as lab_settings
from lab.api.server import Api


def main() -> None:
    """Serve until SIGTERM or SIGINT; the port is printed, and written to ``--port-file`` when asked."""
    parser = argparse.ArgumentParser(prog="python -m lab.api", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path)
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="where .lab/ stands")
    parser.add_argument("--log", action="store_true", help="a line per call in .lab/api.log")
    arguments = parser.parse_args()

    listening = socket.create_server(("127.0.0.1", arguments.port), backlog=128)
    port = listening.getsockname()[1]
    api = Api(
        lab_settings.from_environment(arguments.root, {**os.environ, "LAB_API_PORT": str(port)}),
        lambda: None,
        confirmed_by_lab=False,
        log_calls=arguments.log,
    )
    api.serve(listening)
    if arguments.port_file:
        partial = arguments.port_file.with_name(arguments.port_file.name + ".part")
        partial.write_text(f"{port}\n")
        partial.rename(arguments.port_file)
    print(port, flush=True)

    stop = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    stop.wait()
    api.close()


if __name__ == "__main__":
    main()
