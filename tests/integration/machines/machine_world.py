"""A small world for machines: a router namespace that serves metadata, and an interface namespace for each machine."""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from pathlib import Path

from lab import kernel
from lab.machines import metadata, runner
from lab.machines.model import Machine
from lab.settings import Internet, Settings

_counter = itertools.count(1)


class World:
    """Machines at 10.99.N.10 behind a router at 10.99.N.1, in namespaces of this process's own."""

    def __init__(self, directory: Path, cache: Path) -> None:
        self.prefix = f"labt-{os.getpid()}-{next(_counter)}"
        self.router = f"{self.prefix}-router"
        self.settings = Settings(directory, cache, Internet("198.18.0.0/16"))
        self.machines: dict[str, Machine] = {}
        self.namespaces = [self.router]
        self.key = directory / "key"
        kernel.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)])
        kernel.run(["ip", "netns", "add", self.router])
        kernel.run(["ip", "-n", self.router, "link", "set", "lo", "up"])
        kernel.run(["ip", "-n", self.router, "address", "add", "169.254.169.254/32", "dev", "lo"])
        self._metadata = metadata.serve(kernel.listening(self.router, metadata.ADDRESS, 80), self.machines.get)

    def namespace(self, interface_id: str) -> str:
        return f"{self.prefix}-{interface_id}"

    def machine(self, number: int, user_data: bytes = b"") -> Machine:
        """Make an interface and describe a machine that stands behind it."""
        interface_id = f"eni-{number}"
        namespace, device = self.namespace(interface_id), f"v{number}"
        kernel.run(["ip", "netns", "add", namespace])
        self.namespaces.append(namespace)
        pair = f"type veth peer name eth0 netns {namespace}"
        kernel.run(["ip", "link", "add", device, "netns", self.router, *pair.split()])
        kernel.run(
            ["ip", "-n", self.router, "-batch", "-"],
            stdin=f"address add 10.99.{number}.1/24 dev {device}\nlink set {device} up\n",
        )
        kernel.run(
            ["ip", "-n", namespace, "-batch", "-"],
            stdin="link set lo up\nlink set eth0 up\n"
            f"address add 10.99.{number}.10/24 dev eth0\nroute add default via 10.99.{number}.1\n",
        )
        machine = Machine(
            id=f"i-{os.getpid():08x}{next(_counter):09x}",
            name=f"machine-{number}",
            hostname=f"ip-10-99-{number}-10.ap-northeast-2.compute.internal",
            image_id="ami-debian",
            instance_type="t3.small",
            interface_id=interface_id,
            vpc_id="vpc-1",
            subnet_id="subnet-1",
            availability_zone="ap-northeast-2a",
            region="ap-northeast-2",
            private_ip=f"10.99.{number}.10",
            mac="02:00:00:00:00:01",
            public_ip=None,
            desired="running",
            user_data=user_data,
            public_keys=(("deploy", self.key.with_suffix(".pub").read_text().strip()),),
        )
        self.machines[machine.private_ip] = machine
        return machine

    def ssh(self, machine: Machine, command: str) -> str:
        """Run a command as the default user over SSH and return what it printed."""
        options = [
            "-oStrictHostKeyChecking=no",
            "-oUserKnownHostsFile=/dev/null",
            "-oBatchMode=yes",
            "-oLogLevel=ERROR",
        ]
        address = f"admin@{machine.private_ip}"
        return kernel.run(
            ["ip", "netns", "exec", self.router, "ssh", *options, "-i", str(self.key), address, command]
        ).strip()

    def await_banner(self, machine: Machine, seconds: float = 60) -> float:
        """Wait until the machine's SSH server greets, and return how many seconds that took."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            try:
                with kernel.connected(self.router, machine.private_ip, 22, 1) as connection:
                    connection.settimeout(5)
                    if connection.recv(4) == b"SSH-":
                        return time.monotonic() - start
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{machine.name} does not greet")

    def beside(self, machine: Machine, *argv: str) -> str:
        """Run a command in the machine's network namespace, not in the machine, and return what it printed."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.namespace(machine.interface_id), *argv],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    def inside(self, machine: Machine, *argv: str) -> str:
        """Run a command as root inside the machine, as ``lab exec`` does, and return what it printed."""
        return kernel.run(runner.machine_command(self.settings, machine.id, argv)).strip()

    def close(self) -> None:
        self._metadata.close()
        for namespace in self.namespaces:
            kernel.run(["ip", "netns", "delete", namespace])
