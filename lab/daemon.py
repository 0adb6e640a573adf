"""The lab's one process: it serves the API, and makes the kernel, the hosts and the edge follow it.

It leaves the machine's own network namespace before any thread starts, so that nothing the lab
does can reach the machine's uplink. Only the fetcher, started before, keeps one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lab import guard, kernel, machine_lock, outside
from lab.api import awslambda, permissions, ready, view
from lab.api.server import Api
from lab.api.world import lock, world
from lab.connect.tunnel import Tunnel
from lab.control import Control
from lab.dns.server import Resolver
from lab.edge.server import Edge
from lab.functions.runner import Functions
from lab.functions.schedules import Schedules
from lab.internet import fetcher
from lab.internet.packages import Packages, mirror_names
from lab.internet.readings import Readings
from lab.machines import runner
from lab.machines.model import Machine
from lab.network import apply, names
from lab.network.model import State
from lab.network.nature import nature
from lab.network.plan import plan
from lab.settings import SECRET_ACCESS_KEY, Settings
from lab.vpc_services import VpcServices

log = logging.getLogger("lab")

# How often machines that ended by themselves are noticed.
POLL_SECONDS = 2.0
# Between two attempts when converging failed.
RETRY_SECONDS = 1.0


class Lab:
    """Everything that runs. Make it in the machine's own network namespace; it opens the loopback ports there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._machines: dict[tuple[str, str], Machine] = {}
        self._state = State()
        self._problem: str | None = None
        self._asked = self._done = 0
        self._api_socket = kernel.listening(None, "127.0.0.1", settings.api_port)
        self._connect_socket = kernel.listening(None, "127.0.0.1", settings.connect_port)
        self._edge_socket = kernel.listening(None, "127.0.0.1", settings.edge_port)
        self._close = contextlib.ExitStack()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then end everything that was started."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        with self._close:
            if not self.settings.api_only:
                self._leave_the_machine()
            self._start()
            while not self._stopping.is_set():
                self._turn()

    def _end(self, *_: object) -> None:
        self._stopping.set()
        self._changed.set()

    def _leave_the_machine(self) -> None:
        """Guard the uplink, start what keeps one, and move this process away from it for good."""
        self._close.enter_context(machine_lock.take(self.settings.root))
        runner.sweep(self.settings)
        apply.sweep()
        guard.install((self.settings.internet.network,))
        if broken := guard.check():
            raise kernel.KernelError(" ".join(broken))
        fetching = fetcher.start(self.settings.state / "fetcher.sock")
        self._close.callback(fetching.wait)
        if fetching.stdin:
            self._close.callback(fetching.stdin.close)
        self._close.callback(apply.sweep)
        apply.converge(plan(State(), self.settings.internet))
        descriptor = os.open(kernel.NETNS / names.INTERNET, os.O_RDONLY)
        os.setns(descriptor, os.CLONE_NEWNET)
        os.close(descriptor)

    def _start(self) -> None:
        settings = self.settings
        self._api = Api(settings, self._on_change, confirmed_by_lab=True, log_calls=True)
        self._close.callback(self._api.close)
        self._api.serve(self._api_socket)
        self._edge = Edge(settings, self._edge_socket)
        self._close.callback(self._edge.stop)
        if not settings.api_only:
            self._start_hosts()
        control = Control(settings.control_socket, self._answer)
        self._close.callback(control.close)

    def _start_hosts(self) -> None:
        internet = self.settings.internet
        self._api.serve(kernel.listening(None, "127.0.0.1", self.settings.api_port))
        self._api.serve(kernel.listening(None, internet.api, 80))
        self._api.serve(kernel.listening(None, internet.aws, 80))
        Packages(self.settings.cache / "packages", self.settings.state / "fetcher.sock").serve(
            kernel.listening(None, internet.packages, 80)
        )
        Readings().serve(kernel.listening(None, internet.readings, 80))
        self._resolver = Resolver(internet, mirror_names(), self.settings.region)
        self._resolver.serve(
            kernel.bound_udp(None, internet.resolver, 53), kernel.listening(None, internet.resolver, 53), None
        )
        self._services = VpcServices(self._resolver, lambda: self._machines)
        self._close.callback(self._services.close)
        self._runner = runner.Runner(self.settings)
        self._close.callback(self._runner.close)
        self._functions = Functions(
            self.settings, view.lambda_function, view.lambda_code, permissions.session, awslambda.keep_log
        )
        self._close.callback(self._functions.close)
        world.functions = self._functions
        self._close.callback(Schedules(view.schedules, _may_invoke, self._functions.later).close)
        tunnel = Tunnel(
            self._connect_socket,
            self._endpoint_namespace,
            region=self.settings.region,
            secret=lambda _key: SECRET_ACCESS_KEY,
        )
        self._close.callback(tunnel.close)

    def _on_change(self) -> None:
        self._asked += 1
        self._changed.set()

    def _turn(self) -> None:
        self._changed.wait(POLL_SECONDS)
        self._changed.clear()
        asked = self._asked
        try:
            self._converge()
        except Exception as error:  # whatever it was, the next turn may mend it; `lab status` shows it
            log.exception("Converging failed")
            self._problem = str(error)
            self._stopping.wait(RETRY_SECONDS)
            self._changed.set()
        else:
            self._problem = None
            self._done = asked

    def _converge(self) -> None:
        # What is asked for first is surely in the state that is read next.
        waiting = view.waiting()
        invalidations = view.pending_invalidations()
        self._state = view.network_state()
        if self.settings.api_only:
            for machine in view.machines():
                _report(machine.id, machine.desired)
        else:
            self._converge_hosts(self._state)
        self._edge.converge(view.distributions())
        for thing in waiting:
            _settle(thing)
        for invalidation in invalidations:
            self._edge.purge(invalidation)
            ready.invalidation_completed(invalidation.distribution_id, invalidation.id)

    def _converge_hosts(self, state: State) -> None:
        self._functions.retire(view.lambda_functions())  # before their namespaces go
        apply.converge(plan(state, self.settings.internet))
        machines = view.machines()
        self._machines = {(machine.vpc_id, machine.private_ip): machine for machine in machines}
        self._resolver.update(view.zones(), state)
        self._services.converge(state.vpcs)
        for instance_id, reached in self._runner.converge(machines).items():
            _report(instance_id, reached)

    def _endpoint_namespace(self, endpoint_id: str) -> str | None:
        return next(
            (
                names.interface(interface.id)
                for interface in self._state.interfaces
                if interface.kind == "instance_connect_endpoint" and interface.owner_id == endpoint_id
            ),
            None,
        )

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if request.get("call") == "status":
            return self._status()
        if request.get("call") == "internet" and not self.settings.api_only:
            return outside.run(request["command"])
        return {"error": f"The lab does not know the call {request.get('call')!r}."}

    def _status(self) -> dict[str, Any]:
        settings, state = self.settings, self._state
        return {
            "pid": os.getpid(),
            "api_only": settings.api_only,
            "endpoint_url": settings.endpoint_url,
            "edge_url": f"http://127.0.0.1:{settings.edge_port}",
            "connect_url": f"ws://127.0.0.1:{settings.connect_port}",
            "region": settings.region,
            "internet": asdict(settings.internet),
            "problem": self._problem,
            "converged": self._done == self._asked,
            "subnets": {
                subnet.id: {"cidr": subnet.cidr, "zone": subnet.availability_zone, "nature": nature(subnet, state)}
                for subnet in state.subnets
            },
            "instances": {machine.id: asdict(machine) | {"user_data": ""} for machine in view.machines()},
        }


def _report(instance_id: str, reached: str) -> None:
    """Tell the API that an instance is now ``running``, ``stopped`` or ``terminated``."""
    {
        "running": ready.instance_running,
        "stopped": ready.instance_stopped,
        "terminated": ready.instance_terminated,
    }[reached](instance_id)


def _settle(thing: view.Waiting) -> None:
    """Tell the API that what waited for the kernel or the edge is done; instances are reported by the runner."""
    if thing.kind == "distribution":
        ready.distribution_deployed(thing.id, thing.etag)
    elif thing.kind == "nat_gateway":
        (ready.nat_gateway_deleted if thing.state == "deleting" else ready.nat_gateway_available)(thing.id)
    elif thing.kind == "connect_endpoint":
        (ready.endpoint_deleted if thing.state == "delete-in-progress" else ready.endpoint_ready)(thing.id)
    elif thing.kind == "vpc_origin":
        (ready.vpc_origin_deleted if thing.state == "Deleting" else ready.vpc_origin_deployed)(thing.id)
    elif thing.kind == "function":
        ready.function_active(thing.id)
    elif thing.kind == "lambda_interface":
        ready.lambda_interface_gone(thing.id)


def _may_invoke(role_arn: str, function_arn: str) -> bool:
    with lock:
        return permissions.permits(role_arn, "lambda:InvokeFunction", function_arn)


def main(settings: Settings) -> None:
    """Run the lab in this process."""
    os.umask(0o077)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if "SUDO_UID" in os.environ:  # the deployment, which needs no root, keeps its files below
        os.chown(settings.state, int(os.environ["SUDO_UID"]), -1)
    logging.basicConfig(
        filename=settings.state / "daemon.log",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.Formatter.converter = time.gmtime
    Lab(settings).run()
