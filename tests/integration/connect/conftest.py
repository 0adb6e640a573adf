"""An endpoint and a host in namespaces of their own, a tunnel server on loopback, and the client as a process."""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab import kernel
from lab.connect.tunnel import Tunnel

PROXY = Path(__file__).parents[3] / "plugins/connect/instance_connect_proxy.py"
ENDPOINT = "eice-0123456789abcdef0"
DNS_NAME = f"{ENDPOINT}.ec2-instance-connect-endpoint.ap-northeast-2.amazonaws.com"
HOST = "10.0.11.5"
_numbers = itertools.count()


@dataclass
class Place:
    """``endpoint`` and ``host`` are namespaces with a link between them; ``url`` is the tunnel server's."""

    endpoint_id = ENDPOINT
    dns_name = DNS_NAME
    address = HOST

    endpoint: str
    host: str
    url: str
    tunnel: Tunnel
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *options: str, endpoint_id: str = ENDPOINT, port: int = 22, host: str = HOST) -> list[str]:
        return [
            *(sys.executable, str(PROXY), "--endpoint-id", endpoint_id, "--dns-name", DNS_NAME),
            *("--region", "ap-northeast-2", "--endpoint-url", self.url, "--host", host, "--port", str(port)),
            *options,
        ]

    def start(self, *options: str, **wanted) -> subprocess.Popen[bytes]:
        """The client with pipes on all three descriptors."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*options, **wanted), stdin=pipe, stdout=pipe, stderr=pipe, env=self.environment
        )


@pytest.fixture(scope="session")
def proxy():
    """The client as a module."""
    spec = importlib.util.spec_from_file_location("instance_connect_proxy", PROXY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def linked():
    """Two namespaces, 10.0.11.4 (the endpoint's) and 10.0.11.5 (the host's)."""
    prefix = f"labt-{os.getpid()}-{next(_numbers)}"
    endpoint, host = f"{prefix}-eice", f"{prefix}-host"
    kernel.run(["ip", "netns", "add", endpoint])
    kernel.run(["ip", "netns", "add", host])
    kernel.run(["ip", "-n", endpoint, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", host])
    for namespace, address in ((endpoint, "10.0.11.4/24"), (host, f"{HOST}/24")):
        kernel.run(["ip", "-n", namespace, "address", "add", address, "dev", "eth0"])
        kernel.run(["ip", "-n", namespace, "link", "set", "eth0", "up"])
    yield endpoint, host
    for namespace in (endpoint, host):
        kernel.run(["ip", "netns", "delete", namespace])


@pytest.fixture
def place(linked, tmp_path):
    endpoint, host = linked
    listener = kernel.listening(None, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
    tunnel = Tunnel(listener, {ENDPOINT: endpoint, "eice-unready": "labt-none"}.get)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "LABLABLABLABLABLABLA",
        "AWS_SECRET_ACCESS_KEY": "lab",
    }
    yield Place(endpoint, host, url, tunnel, environment)
    tunnel.close()


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A directory with a host's key, a user's key, and sshd's configuration for them."""
    directory = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user"):
        kernel.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)])
    (directory / "known_hosts").write_text(f"lab-host {(directory / 'host.pub').read_text()}")
    (directory / "config").write_text(
        f"ListenAddress {HOST}\nHostKey {directory}/host\nPidFile {directory}/pid\n"
        f"AuthorizedKeysFile {directory}/user.pub\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        "PermitRootLogin prohibit-password\nMaxStartups 50\n"
    )
    return directory


@pytest.fixture(scope="session")
def sshd(linked, keys):
    """OpenSSH's server in the host's namespace; returns the directory of its keys."""
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    command = ["nsenter", f"--net=/run/netns/{linked[1]}", "/usr/sbin/sshd", "-D", "-e", "-f", str(keys / "config")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "Server listening" in line:
                break
        else:
            raise AssertionError("sshd did not start")
        yield keys
        process.terminate()


@pytest.fixture
def ssh(place, sshd):
    """The command line of ssh through the tunnel, and its environment."""
    options = {
        "ProxyCommand": " ".join(place.command()).replace(HOST, "%h"),
        "HostKeyAlias": "lab-host",
        "UserKnownHostsFile": sshd / "known_hosts",
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
    }
    flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    return ["ssh", "-F", "none", "-i", str(sshd / "user"), *flags, f"root@{HOST}"], place.environment
