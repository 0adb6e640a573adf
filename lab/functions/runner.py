"""Runs functions, each in one execution environment that stays warm until the function changes."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab import kernel
from lab.functions import environment, package
from lab.functions.model import Function, Outcome
from lab.functions.output import Output
from lab.functions.runtime_api import Invocation, RuntimeApi
from lab.machines import nspawn
from lab.network import names
from lab.settings import Settings

log = logging.getLogger(__name__)

# What Lambda gives a function to start in, in seconds.
INIT_SECONDS = 10.0
# After how many seconds an asynchronous invocation that failed is tried again, and again.
RETRY_SECONDS = (60.0, 120.0)
_FIRST_UID = 61200
_TAIL = 4096

# Keeps lines of a function's log: the log group, the stream, the lines.
Sink = Callable[[str, str, Sequence[str]], None]


class FunctionError(RuntimeError):
    """The function's environment cannot be made; the text is for whoever invoked it."""


@dataclass
class _Environment:
    function: Function
    process: subprocess.Popen[bytes]
    api: RuntimeApi
    stream: str
    cgroups: tuple[Path, ...]
    root: Path
    output: Output

    @property
    def alive(self) -> bool:
        return self.process.poll() is None


class Functions:
    """The functions of one lab. Environments end when this process does; use one a lab, and close() it.

    ``find`` returns a function by its ARN, ``code`` its zip file by its name; ``credentials`` are the access key and
    secret that a role's sessions sign with.
    """

    def __init__(
        self,
        settings: Settings,
        find: Callable[[str], Function | None],
        code: Callable[[str], bytes],
        credentials: Callable[[str], tuple[str, str]],
        sink: Sink,
        *,
        namespace: Callable[[str], str] = names.interface,
    ) -> None:
        self._settings, self._find, self._code = settings, find, code
        self._credentials, self._sink = credentials, sink
        self._namespace = namespace
        self._environments: dict[str, _Environment] = {}
        self._busy: dict[str, threading.Lock] = {}
        self._uids: dict[str, int] = {}
        self._started = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        # An environment ends with the thread that started it, so one thread starts all.
        self._launcher = ThreadPoolExecutor(1, thread_name_prefix="function-launcher")
        self._later = ThreadPoolExecutor(8, thread_name_prefix="function")
        sweep(settings)

    def invoke(self, function: Function, payload: bytes) -> Outcome:
        """Run it once and return what became of that; waits while an earlier event is under way."""
        with self._lock:
            busy = self._busy.setdefault(function.name, threading.Lock())
        with busy:
            if self._closing.is_set():
                return _failure("Runtime.ExitError", "The lab is ending.")
            try:
                current = self._ready(function)
            except (FunctionError, package.PackageError, kernel.KernelError, OSError) as error:
                log.error("Function %s: %s", function.name, error)
                return _failure("Runtime.LabError", str(error))
            return self._run(current, payload)

    def invoke_later(self, current: Callable[[], Function | None], payload: bytes, retries: int = 2) -> None:
        """Run it asynchronously; what fails is tried again, as Lambda does. ``current`` finds the function by then."""
        self._later.submit(self._attempts, current, payload, retries)

    def now(self, arn: str, payload: bytes) -> Outcome:
        """Invoke by ARN."""
        function = self._find(arn)
        if function is None:
            return _failure("Runtime.LabError", "The function was deleted.")
        return self.invoke(function, payload)

    def later(self, arn: str, payload: bytes, retries: int = 2) -> None:
        """Invoke by ARN, asynchronously."""
        self.invoke_later(lambda: self._find(arn), payload, retries)

    def retire(self, functions: Sequence[Function]) -> None:
        """End the environments of functions that are gone, or that stand elsewhere now; their namespaces may go."""
        held = {function.name: function.interfaces for function in functions}
        for name, environment_ in list(self._environments.items()):
            if held.get(name) != environment_.function.interfaces:
                self._end(name)
        for name in self._on_disk() - held.keys():
            shutil.rmtree(self._settings.state / "functions" / name, ignore_errors=True)

    def close(self) -> None:
        """End every environment. What is under way fails."""
        self._closing.set()
        for name in list(self._environments):
            self._end(name)
        self._later.shutdown(wait=False, cancel_futures=True)
        self._launcher.shutdown()
        sweep(self._settings)

    def _attempts(self, current: Callable[[], Function | None], payload: bytes, retries: int) -> None:
        for pause in (*RETRY_SECONDS[:retries], None):
            function = current()
            if function is None or not self.invoke(function, payload).error or pause is None:
                return
            if self._closing.wait(pause):
                return

    def _ready(self, function: Function) -> _Environment:
        current = self._environments.get(function.name)
        if current and current.alive and current.function.revision == function.revision:
            return current
        self._end(function.name)
        if function.runtime != environment.own_runtime():
            raise FunctionError(
                f"The lab runs functions with its own Python, {environment.own_runtime()}, and not {function.runtime}."
            )
        self._started += 1
        interfaces = [i for i in function.interfaces if (kernel.NETNS / self._namespace(i)).exists()]
        if not interfaces:
            raise FunctionError("The function has no network interface yet; the lab runs functions in a VPC only.")
        # Lambda spreads environments over the subnets.
        namespace = self._namespace(interfaces[self._started % len(interfaces)])
        started = self._start(function, namespace)
        self._environments[function.name] = started
        return started

    def _start(self, function: Function, namespace: str) -> _Environment:
        directory = self._settings.state / "functions" / function.name
        code = package.unpack(self._code(function.name), directory / function.code_sha256[:16])
        root = directory / f"root-{self._started}"
        root.mkdir(parents=True)
        cgroups = nspawn.machine_cgroups(f"function-{function.name}")
        nspawn.make_cgroups(cgroups)
        uid = self._uids.setdefault(function.name, _FIRST_UID + len(self._uids))
        identifier = uuid.uuid4().hex
        stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{identifier}"
        api = RuntimeApi(kernel.listening(namespace, environment.API_ADDRESS, environment.API_PORT))
        command = environment.command(function, root=root, uid=uid, code=code, namespace=namespace, cgroups=cgroups)
        process = self._launcher.submit(_launch, command).result()
        assert process.stdin and process.stdout  # noqa: S101 - both are pipes
        with process.stdin as stdin:
            values = environment.variables(function, stream, self._credentials(function.role))
            try:
                stdin.write(json.dumps(values).encode())
            except BrokenPipeError:
                log.error("Function %s ended before it began", function.name)
        output = Output(process.stdout)
        output.follow()
        self._say(function, stream, [f"INIT_START Runtime Version: {function.runtime}"])
        return _Environment(function, process, api, stream, cgroups, root, output)

    def _run(self, current: _Environment, payload: bytes) -> Outcome:
        function = current.function
        identifier = str(uuid.uuid4())
        lines = [f"START RequestId: {identifier} Version: $LATEST"]
        outcome = self._await_init(current, identifier)
        began = time.monotonic()
        if outcome is None:
            deadline = int((time.time() + function.timeout) * 1000)
            invocation = Invocation(identifier, payload, function.arn, deadline)
            current.api.give(invocation)
            outcome = self._await_result(current, invocation)
        milliseconds = (time.monotonic() - began) * 1000
        lines += current.output.take()
        if outcome.error:
            lines.append(outcome.payload.decode(errors="replace"))
        lines += [
            f"END RequestId: {identifier}",
            f"REPORT RequestId: {identifier}\tDuration: {milliseconds:.2f} ms\tMemory Size: {function.memory} MB",
        ]
        self._say(function, current.stream, lines)
        return Outcome(outcome.payload, outcome.error, "\n".join(lines)[-_TAIL:])

    def _await_init(self, current: _Environment, identifier: str) -> Outcome | None:
        deadline = time.monotonic() + INIT_SECONDS
        while not current.api.ready.wait(0.01):
            if not current.alive:
                return self._exited(current, identifier)
            if time.monotonic() > deadline:
                self._end(current.function.name)
                return _failure("Sandbox.Timedout", f"RequestId: {identifier} Error: Initialization timed out")
        if current.api.init_error:
            error = current.api.init_error
            self._end(current.function.name)
            return Outcome(error, "Unhandled")
        return None

    def _await_result(self, current: _Environment, invocation: Invocation) -> Outcome:
        function = current.function
        deadline = time.monotonic() + function.timeout
        while not invocation.done.wait(0.05):
            if not current.alive:
                return self._exited(current, invocation.id)
            if time.monotonic() > deadline:
                self._end(function.name)
                text = f"RequestId: {invocation.id} Error: Task timed out after {function.timeout}.00 seconds"
                return _failure("Sandbox.Timedout", text)
        return Outcome(invocation.result, "Unhandled" if invocation.failed else "")

    def _exited(self, current: _Environment, identifier: str) -> Outcome:
        status = current.process.wait()
        self._end(current.function.name)
        how = "signal: killed" if status in (137, -9) else f"exit status {status}"
        return _failure("Runtime.ExitError", f"RequestId: {identifier} Error: Runtime exited with error: {how}")

    def _end(self, name: str) -> None:
        with self._lock:
            current = self._environments.pop(name, None)
        if current is None:
            return
        nspawn.kill(current.cgroups)
        current.process.kill()
        current.process.wait()
        current.output.join(5)
        current.api.close()
        nspawn.remove_cgroups(current.cgroups)
        shutil.rmtree(current.root, ignore_errors=True)

    def _say(self, function: Function, stream: str, lines: Sequence[str]) -> None:
        with (self._settings.state / "functions" / f"{function.name}.log").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)
        self._sink(function.log_group, stream, lines)

    def _on_disk(self) -> set[str]:
        directory = self._settings.state / "functions"
        return {path.name for path in directory.iterdir() if path.is_dir()} if directory.is_dir() else set()


def sweep(settings: Settings) -> None:
    """Remove what a lab that was killed left of its functions: processes, control groups, code."""
    directory = settings.state / "functions"
    for path in directory.glob("*/"):
        cgroups = nspawn.machine_cgroups(f"function-{path.name}")
        nspawn.kill(cgroups)
        nspawn.remove_cgroups(cgroups)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)


def _launch(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": nspawn.ENVIRONMENT["PATH"], "LC_ALL": "C.UTF-8"},
        start_new_session=True,  # Ctrl-C at the daemon must not reach the functions
    )


def _failure(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled")
