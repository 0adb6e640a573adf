from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lab.machines import imds
from lab.machines.model import Machine

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def read(machine: Machine, path: str) -> str | None:
    found = imds.look_up(imds.tree(machine, NOW), path)
    return None if found is None else found.decode()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/latest/meta-data/instance-id", "i-0abc"),
        ("/latest/meta-data/local-ipv4", "10.0.1.5"),
        ("/latest/meta-data/local-hostname", "ip-10-0-1-5.ap-northeast-2.compute.internal"),
        ("/latest/meta-data/placement/availability-zone", "ap-northeast-2a"),
        ("/latest/meta-data/placement/region", "ap-northeast-2"),
        ("/latest/meta-data/security-groups", "backend\nssh"),
        ("/2021-03-23/meta-data/mac", "02:00:00:00:00:05"),
        ("/latest/meta-data/network/interfaces/macs/02:00:00:00:00:05/subnet-id", "subnet-1"),
        ("/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA deploy"),
        ("/latest/meta-data/public-keys/1/openssh-key", "ssh-ed25519 BBBB spare"),
    ],
)
def test_an_instance_reads_about_itself(machine: Machine, path: str, answer: str) -> None:
    assert read(machine, path) == answer


@pytest.mark.parametrize(
    ("path", "entries"),
    [
        ("/latest/", ["dynamic/", "meta-data/", "user-data"]),
        ("/latest/meta-data/public-keys/", ["0=deploy", "1=spare"]),
        ("/latest/meta-data/public-keys/0/", ["openssh-key"]),
        ("/latest/meta-data/placement", ["availability-zone", "region"]),
        ("/latest/meta-data/network/interfaces/macs/", ["02:00:00:00:00:05/"]),
        ("/latest/dynamic/", ["instance-identity/"]),
    ],
)
def test_directories_list_what_is_below_them(machine: Machine, path: str, entries: list[str]) -> None:
    assert (read(machine, path) or "").splitlines() == entries


def test_the_root_lists_the_versions(machine: Machine) -> None:
    assert "latest" in (read(machine, "/") or "").splitlines()


@pytest.mark.parametrize(
    "path",
    [
        "/latest/meta-data/public-ipv4",
        "/latest/meta-data/iam/",
        "/latest/meta-data/tags/instance/Project",
        "/latest/meta-data/public-keys/2/openssh-key",
        "/latest/meta-data/instance-id/below",
        "/never/meta-data/instance-id",
    ],
)
def test_what_an_instance_does_not_have_is_not_there(machine: Machine, path: str) -> None:
    assert read(machine, path) is None


def test_user_data_arrives_byte_for_byte_and_is_absent_when_empty(machine: Machine) -> None:
    assert imds.look_up(imds.tree(machine), "/latest/user-data") == machine.user_data
    assert imds.look_up(imds.tree(replace(machine, user_data=b"")), "/latest/user-data") is None


def test_an_empty_document_is_there(machine: Machine) -> None:
    assert read(replace(machine, security_groups=()), "/latest/meta-data/security-groups") == ""


def test_a_public_address_shows_with_its_name(machine: Machine) -> None:
    public = replace(machine, public_ip="198.18.64.7")
    assert read(public, "/latest/meta-data/public-ipv4") == "198.18.64.7"
    assert read(public, "/latest/meta-data/public-hostname") == "ec2-198-18-64-7.ap-northeast-2.compute.amazonaws.com"
    assert read(public, f"/latest/meta-data/network/interfaces/macs/{machine.mac}/public-ipv4s") == "198.18.64.7"


def test_a_profile_brings_credentials_that_expire_later(machine: Machine) -> None:
    profiled = replace(machine, instance_profile_arn="arn:aws:iam::123456789012:instance-profile/backend")
    assert read(profiled, "/latest/meta-data/iam/security-credentials/") == "backend"
    credentials = json.loads(read(profiled, "/latest/meta-data/iam/security-credentials/backend") or "")
    assert credentials["Expiration"] == "2026-11-23T02:00:00Z"
    assert credentials["SecretAccessKey"] == "lab"


def test_the_identity_document_names_account_and_instance(machine: Machine) -> None:
    document = json.loads(read(machine, "/latest/dynamic/instance-identity/document") or "")
    assert (document["accountId"], document["instanceId"]) == ("123456789012", "i-0abc")
