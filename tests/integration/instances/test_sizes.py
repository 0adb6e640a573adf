"""Sizes on running hosts: another instance type, larger volumes, and what no volume can be."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from tests.conftest import ROOT, running_api

Run = Callable[..., str]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_api(tmp_path_factory.mktemp("sizes")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def run(url: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs site.yml up to the hosts, and returns what it printed."""
    state = tmp_path_factory.mktemp("state")

    def run(*arguments: str, tags: str = "instances", status: int = 0) -> str:
        done = subprocess.run(
            [
                *(str(ROOT / ".venv/bin/ansible-playbook"), "site.yml", "--tags", tags, "--skip-tags", "hosts"),
                *("-e", f"project_state_directory={state}", *arguments),
            ],
            cwd=ROOT,
            env={**os.environ, "AWS_ENDPOINT_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == status, done.stdout[-6000:]
        return done.stdout

    run(tags="network,security_groups,instances")
    return run


def ec2(url: str) -> Any:
    keys = {"aws_access_key_id": "LABLABLABLABLABLABLA", "aws_secret_access_key": "lab"}
    return boto3.client("ec2", endpoint_url=url, region_name="ap-northeast-2", **keys)


def hosts(url: str) -> dict[str, tuple[str, str, int]]:
    """Each running host's identifier, type and volume size, by its name."""
    sizes = {volume["VolumeId"]: volume["Size"] for volume in ec2(url).describe_volumes()["Volumes"]}
    found = {}
    for reservation in ec2(url).describe_instances()["Reservations"]:
        for instance in reservation["Instances"]:
            name = next(tag["Value"] for tag in instance["Tags"] if tag["Key"] == "Name")
            [mapping] = instance["BlockDeviceMappings"]
            assert instance["State"]["Name"] == "running"
            assert mapping["DeviceName"] == instance["RootDeviceName"]
            found[name] = (instance["InstanceId"], instance["InstanceType"], sizes[mapping["Ebs"]["VolumeId"]])
    return found


def test_the_same_hosts_get_another_type_and_larger_volumes_and_then_nothing_changes(url: str, run: Run) -> None:
    before = hosts(url)
    assert {host[1:] for host in before.values()} == {("t4g.small", 16)}
    wanted = ("-e", "instances_type=t4g.medium", "-e", '{"instances_volume_size": 32}')
    assert "~ volume    db1: 16 to 32 GiB" in run("--check", *wanted)
    assert hosts(url) == before
    run(*wanted)
    assert hosts(url) == {name: (host[0], "t4g.medium", 32) for name, host in before.items()}
    assert " changed=0 " in run(*wanted)


def test_a_volume_that_would_shrink_is_refused_by_name(url: str, run: Run) -> None:
    before = hosts(url)
    size = {host[2] for host in before.values()}.pop()
    said = " ".join(run("-e", f'{{"instances_volume_size": {size - 8}}}', status=2).split())
    assert f"backend's root volume has {size} GiB, and {size - 8} are asked for; a volume can only grow." in said
    assert {name: host[2] for name, host in hosts(url).items()} == dict.fromkeys(before, size)
