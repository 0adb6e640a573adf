"""What the lab holds, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY

HOST_HEADER = ("HOST", "SUBNET", "ZONE", "ADDRESS", "PUBLIC ADDRESS", "SUBNET IS", "STATE")


def complete(status: dict[str, Any]) -> dict[str, Any]:
    """The daemon's status with the names that the API knows, and whether each instance is public."""
    client = boto3.client(
        "ec2",
        endpoint_url=status["endpoint_url"],
        region_name=status["region"],
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )
    for subnet in client.describe_subnets()["Subnets"]:
        if subnet["SubnetId"] in status["subnets"]:
            tags = {tag["Key"]: tag["Value"] for tag in subnet.get("Tags", [])}
            status["subnets"][subnet["SubnetId"]]["name"] = tags.get("Name", subnet["SubnetId"])
    states = {
        instance["InstanceId"]: instance["State"]["Name"]
        for reservation in client.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    }
    for instance_id, instance in status["instances"].items():
        instance["state"] = states.get(instance_id, "terminated")
    return status


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    title = "  ".join(cell.ljust(width) for cell, width in zip(header, widths, strict=True)).rstrip()
    return "\n".join([title, "  ".join("─" * width for width in widths), *lines])


def host_rows(status: Mapping[str, Any]) -> list[list[str]]:
    """Name, subnet, zone, private address, public address, nature and state of each instance."""
    rows = []
    for instance in sorted(status["instances"].values(), key=lambda instance: str(instance["name"])):
        if instance["state"] == "terminated":
            continue
        subnet = status["subnets"].get(instance["subnet_id"], {})
        rows.append(
            [
                instance["name"],
                subnet.get("name", instance["subnet_id"]),
                subnet.get("zone", ""),
                instance["private_ip"],
                instance["public_ip"] or "none",
                subnet.get("nature", ""),
                "skipped: no host" if status["api_only"] else instance["state"],
            ]
        )
    return rows


def render(status: Mapping[str, Any]) -> str:
    """The status as text for a terminal."""
    mode = " API-only" if status["api_only"] else ""
    lines = [
        f"The lab runs{mode}: API {status['endpoint_url']}, CloudFront {status['edge_url']}",
        "",
        table(HOST_HEADER, host_rows(status)),
    ]
    if status["problem"]:
        lines += ["", f"The lab could not do what the API asks: {status['problem']} (more: lab logs)"]
    if "guard" in status:
        broken = status["guard"]
        lines += ["", *(broken or ["Guard: nothing of the lab can leave this machine."])]
    return "\n".join(lines)


def summary(status: Mapping[str, Any]) -> str:
    """What `make up` ends with."""
    lines = ["", f"Your product: {status['edge_url']}", "", table(HOST_HEADER, host_rows(status)), ""]
    if status["api_only"]:
        names = ", ".join(row[0] for row in host_rows(status))
        return "\n".join(
            [
                *lines,
                f"Skipped, as they need hosts and this machine can boot none: {names}; so /api has no answers.",
                "",
                "Try next:",
                "  .venv/bin/ansible-playbook site.yml --tags network --check --diff   what a change would do",
                "  .venv/bin/lab status --json                                         what the API holds",
                "  make down                                                           end the lab",
            ]
        )
    tries = [(".venv/bin/ansible-playbook site.yml --tags verify", "every promise, proved with packets")]
    for name, _, _, address, public, _, state in host_rows(status):
        if (public, state) == ("none", "running"):
            tries[:0] = [
                (f".venv/bin/lab ssh {name}", "a shell on a host with no public address"),
                (f".venv/bin/lab exec internet -- curl -sm 3 {address}", "what the internet gets from it: nothing"),
            ]
            break
    width = max(len(command) for command, _ in tries)
    return "\n".join([*lines, "Try next:", *(f"  {command.ljust(width)}   {what}" for command, what in tries)])
