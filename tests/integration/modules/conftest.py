"""Modules run in this process, against the lab's API: Ansible's arguments go in, the JSON it would read comes out."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import ansible.module_utils
import boto3
import botocore.loaders
import pytest
import urllib3
from ansible.module_utils.testing import patch_module_args

ROOT = Path(__file__).parents[3]

# As ansible.cfg's module_utils setting does for a module that Ansible runs.
if str(ROOT / "module_utils") not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(str(ROOT / "module_utils"))


read_once = functools.cache(botocore.loaders.create_loader)


class ModuleFailed(Exception):
    """A module's fail_json; ``result`` is what it said."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result["msg"])
        self.result = result


@functools.cache
def loaded(name: str) -> ModuleType:
    """A module of library/, imported."""
    spec = importlib.util.spec_from_file_location(f"library.{name}", ROOT / "library" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def run(name: str, /, *, check: bool = False, **options: Any) -> dict[str, Any]:
    """Run a module of library/ and return its result."""
    module = loaded(name)
    said = io.StringIO()
    with (
        patch_module_args({**options, "_ansible_check_mode": check, "_ansible_diff": True}),
        contextlib.redirect_stdout(said),
        contextlib.suppress(SystemExit),
    ):
        module.main()
    result = json.loads(said.getvalue())
    if result.get("failed"):
        raise ModuleFailed(result)
    return result


@pytest.fixture
def run_module(api: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Runs a module by name in an empty account."""
    # Ansible blanks the secret wherever it stands in a result, and a short one stands in many.
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "no-word-of-a-result")
    return run


@pytest.fixture
def cloudfront(api: str) -> Any:
    """A boto3 client, to look with other eyes than the modules'."""
    return boto3.client("cloudfront")


@pytest.fixture
def ec2(api: str) -> Any:
    """A boto3 client, to look with other eyes than the modules'."""
    return boto3.client("ec2")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits end at once, and botocore's service models are read once: neither is what these tests are about."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("botocore.loaders.create_loader", read_once)
    yield


@pytest.fixture
def backends(ec2: Any) -> list[str]:
    """ARNs of two instances in a VPC that VPC origins may reach."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    started = ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2, SubnetId=subnet)["Instances"]
    return [f"arn:aws:ec2:ap-northeast-2:123456789012:instance/{instance['InstanceId']}" for instance in started]


@pytest.fixture
def order(api: str) -> Iterator[Callable[..., None]]:
    """Orders faults of the lab's API."""

    def order(**fault: Any) -> None:
        assert urllib3.request("POST", f"{api}/_lab/faults", json=[fault]).status < 300

    yield order
    urllib3.request("DELETE", f"{api}/_lab/faults")
