"""A Python that has imported what AWS modules import, and runs each module in a fork of itself.

Started by the connection plugin ``warm_local`` as ``server.py SOCKET PARENT_PID READY_FD``.
It serves its own user only, and ends when the process PARENT_PID does.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.machinery
import json
import os
import select
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

# What the modules of amazon.aws import, and the clients that a deployment makes.
MODULES = (
    "ansible.module_utils.basic",
    "ansible.module_utils._internal._ansiballz._loader",
    "ansible_collections.amazon.aws.plugins.module_utils.modules",
    "ansible_collections.amazon.aws.plugins.module_utils.ec2",
    "ansible_collections.amazon.aws.plugins.module_utils.waiters",
    "boto3",
    "concurrent.futures",
    "runpy",
    "tempfile",
    "zipfile",
)
SERVICES = ("ec2", "s3", "cloudfront", "route53", "secretsmanager", "ssm", "sts")


class PayloadFinder:
    """Finds what a module's own zip holds below packages that were imported before it came.

    A package remembers where it was found, so the zip's part of ``ansible.modules`` or of a collection
    would not be seen. What is not imported yet comes from the zip first, as it would in a new interpreter.
    """

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if path is None or not name.startswith(("ansible.", "ansible_collections.")):
            return None
        if not sys.path or not sys.path[0].endswith(".zip"):
            return None
        folder = f"{sys.path[0]}/{name.rpartition('.')[0].replace('.', '/')}"
        return importlib.machinery.PathFinder.find_spec(name, [folder], target)


def warm_up() -> None:
    """Import the modules, and parse the services' models once for every fork."""
    for name in MODULES:
        # One that a later release moves costs speed, not correctness.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    import boto3
    from botocore.loaders import JSONFileLoader

    # botocore parses a service's model anew for each session; the parsed document is only read.
    # Each session has a loader of its own, so that the file alone is what counts.
    parse = functools.cache(JSONFileLoader().load_file)
    JSONFileLoader.load_file = lambda self, file_path: parse(file_path)  # type: ignore[method-assign]  # noqa: ARG005 — replaces the method, so it takes what that takes
    for service in SERVICES:
        session = boto3.session.Session("none", "none", region_name="us-east-1")
        session.client(service)  # type: ignore[call-overload]  # the stubs know single names, not a loop over them
    sys.meta_path.insert(0, PayloadFinder)
    gc.collect()
    gc.freeze()  # so that forks share these pages


def serve(path: str, parent: int, ready: int) -> None:
    """Listen at ``path`` until the process ``parent`` is gone."""
    with socket.socket(socket.AF_UNIX) as listener:
        os.umask(0o177)
        listener.bind(path)
        listener.listen(64)
        os.write(ready, b"1")
        os.close(ready)
        try:
            gone = os.pidfd_open(parent) if hasattr(os, "pidfd_open") else None
        except ProcessLookupError:
            Path(path).unlink(missing_ok=True)
            return
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            watched: list[socket.socket | int] = [listener] if gone is None else [listener, gone]
            readable, _, _ = select.select(watched, [], [], 1.0)
            if gone in readable or (gone is None and not _alive(parent)):
                break
            if listener in readable:
                connection, _ = listener.accept()
                if os.fork() == 0:
                    listener.close()
                    _handle(connection)
                connection.close()
        Path(path).unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _handle(connection: socket.socket) -> None:
    """In a process of its own: run one module, and answer with its exit status."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if _same_user(connection):
            header, descriptors, _, _ = socket.recv_fds(connection, 4, 3)
            length = struct.unpack("!I", header)[0]
            with connection.makefile("rb") as stream:
                request = json.loads(stream.read(length))
            module = os.fork()
            if module == 0:
                connection.close()
                _become_module(request, descriptors)
            status = os.waitstatus_to_exitcode(os.waitpid(module, 0)[1])
            connection.sendall(struct.pack("!i", status))
    finally:
        os._exit(0)


def _same_user(connection: socket.socket) -> bool:
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the socket's mode and directory already refuse others
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", credentials)[1] == os.getuid())


def _become_module(request: dict[str, object], descriptors: Sequence[int]) -> None:
    """Run the module's source as ``python`` would run it from its standard input; never returns."""
    status = 1
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        for descriptor in descriptors:
            if descriptor > 2:
                os.close(descriptor)
        for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
            setattr(sys, f"__{name}__", getattr(sys, name))
        os.environ.clear()
        os.environ.update({str(key): str(value) for key, value in dict(request["environment"]).items()})  # type: ignore[call-overload]  # JSON of our own plugin
        os.umask(int(str(request["umask"])))
        os.chdir(str(request["directory"]))
        sys.argv = [""]
        main = ModuleType("__main__")
        main.__dict__["__builtins__"] = __builtins__
        sys.modules["__main__"] = main
        source = sys.stdin.read()
        try:
            exec(compile(source, "<stdin>", "exec"), main.__dict__)  # noqa: S102 — the module that Ansible sent
            status = 0
        except SystemExit as ended:
            if ended.code is None:
                status = 0
            elif isinstance(ended.code, int):
                status = ended.code
            else:
                print(ended.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status & 0xFF)


if __name__ == "__main__":
    # The script's own directory has no place on a module's path.
    sys.path.pop(0)
    warm_up()
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
