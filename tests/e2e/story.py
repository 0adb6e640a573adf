"""How the end-to-end tests speak to the lab: as a user would, by its commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from lab.settings import SECRET_ACCESS_KEY

ROOT = Path(__file__).parents[2]
LAB = str(ROOT / ".venv/bin/lab")


@dataclass(frozen=True)
class Done:
    status: int
    output: str


def run(*command: str, timeout: float = 900, stdin: str = "", **environment: str) -> Done:
    """Run a command in the checkout and return its exit status and what it printed."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}", **environment},
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Done(done.returncode, done.stdout)


def inside(place: str, command: str, timeout: float = 60, stdin: str = "") -> Done:
    """Run a shell command on an instance, or in the lab's internet."""
    return run(LAB, "exec", place, "--", "sh", "-c", command, timeout=timeout, stdin=stdin)


def readings(host: str = "db1") -> set[str]:
    """Every reading that MySQL has on a host, as text."""
    listed = inside(host, "mysql -N -e 'SELECT * FROM product.readings'")
    assert listed.status == 0, listed.output
    return set(listed.output.splitlines())


def running(role: str) -> list[dict[str, Any]]:
    """The instances of a role that run, as EC2 describes them."""
    filters = [{"Name": "tag:Role", "Values": [role]}, {"Name": "instance-state-name", "Values": ["running"]}]
    found = client("ec2").describe_instances(Filters=filters)["Reservations"]
    return [each for group in found for each in group["Instances"]]


def secret(name: str) -> str:
    """A secret of the deployment, as Secrets Manager keeps it."""
    return str(client("secretsmanager").get_secret_value(SecretId=f"madang/lab/{name}")["SecretString"])


def client(service: str) -> Any:
    """A client of the lab's API that is not the deployment's: what it calls counts as nobody's who deploys."""
    found = status()
    return boto3.client(  # type: ignore[call-overload]  # the service is any
        service,
        endpoint_url=found["endpoint_url"],
        region_name=found["region"],
        aws_access_key_id="TESTTESTTESTTESTTEST",
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )


def status() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(LAB, "status", "--json").output)
    return found


def settle() -> None:
    """Wait until the hosts' kernel is as the API says: some calls return before."""
    eventually(lambda: status()["converged"], bool)


def address(name: str) -> str:
    """The private address of the instance with this Name."""
    return next(str(i["private_ip"]) for i in status()["instances"].values() if i["name"] == name)


def changes(output: str) -> dict[str, int]:
    """How many tasks changed each host, from a playbook's recap."""
    return {host: int(count) for host, count in re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", output, re.MULTILINE)}


def get(url: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers (lower case) of a GET from this machine."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 — loopback
            return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), {k.lower(): v for k, v in error.headers.items()}


def eventually[T](ask: Callable[[], T], good: Callable[[T], bool], seconds: float = 30) -> T:
    """Ask until the answer is good, and return it; fail with the last answer when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if good(answer):
            return answer
        assert time.monotonic() < deadline, f"after {seconds} s still: {answer!r}"
        time.sleep(0.2)
