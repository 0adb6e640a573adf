"""A layer that is asked for before what it stands on: one sentence says what is missing and which command makes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import running_api
from tests.integration.plan.drift import Account
from tests.integration.site_run import Done, Play

LOCK = "madang-lab-deploy-123456789012"
MAKE = "ansible-playbook site.yml --tags "
NO_VPC = ("There is no VPC with the tags Name=madang-lab Project=madang Environment=lab", f"{MAKE}network")
NO_GROUPS = "There are no security groups backend, collector, connect, database in the VPC"

# What each tag says on an empty account.
EMPTY = {
    "security_groups": NO_VPC,
    "instances": NO_VPC,
    "cdn": NO_VPC,
    "database": ("db1 and db2 do not run", f"{MAKE}instances"),
    "backend": ("backend does not run", f"{MAKE}instances"),
    "collector": ("collector does not run", f"{MAKE}instances"),
    "collector in Lambda": NO_VPC,
    "frontend": ("There is no distribution with the tags Name=madang-lab", f"{MAKE}cdn"),
    "verify": ("There is nothing to verify", "ansible-playbook site.yml"),
}

# What it says where there is a network and nothing else.
ONLY_A_NETWORK = {
    "instances": (NO_GROUPS, f"{MAKE}security_groups"),
    "collector in Lambda": ("There is no security group collector in the VPC", f"{MAKE}security_groups"),
    "database": ("db1 and db2 do not run", f"{MAKE}instances"),
    "cdn": ("There is no running instance named backend", f"{MAKE}instances"),
    "frontend": ("There is no distribution", f"{MAKE}cdn"),
}


def alone(play: Play, part: str) -> Done:
    elsewhere = ("-e", "collector_runs_on=lambda") if part.endswith("in Lambda") else ()
    return play("--tags", part.split()[0], *elsewhere, skip="none")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    directory = tmp_path_factory.mktemp("empty")
    with running_api(directory / "api") as url:
        yield Play(url, directory)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    directory = tmp_path_factory.mktemp("network")
    with running_api(directory / "api") as url:
        play = Play(url, directory)
        made = play("--tags", "network")
        assert made.status == 0, made.output[-6000:]
        yield play


def refuses(play: Play, part: str, sentence: tuple[str, str]) -> None:
    done = alone(play, part)
    said = " ".join(done.output.split())
    assert done.status != 0
    assert all(words in said for words in sentence), done.output[-3000:]
    assert done.output.count("[ERROR]") == 1, done.output[-3000:]
    # But for the lock, which is taken first and has a bucket of its own.
    assert [call for call in done.mutating if not call.startswith("s3 ")] == []
    assert {bucket["Name"] for bucket in Account(play.url).client("s3").list_buckets()["Buckets"]} <= {LOCK}


@pytest.mark.parametrize("part", EMPTY)
def test_on_an_empty_account_a_layer_says_what_it_stands_on_and_touches_nothing(empty: Play, part: str) -> None:
    refuses(empty, part, EMPTY[part])


@pytest.mark.parametrize("part", ONLY_A_NETWORK)
def test_on_a_network_alone_a_layer_says_which_is_the_next_and_touches_nothing(network: Play, part: str) -> None:
    refuses(network, part, ONLY_A_NETWORK[part])


def test_a_network_that_lacks_a_subnet_is_to_be_completed_first(network: Play) -> None:
    account = Account(network.url)
    account.ec2.delete_subnet(SubnetId=account.subnet("database-c"))
    refuses(network, "instances", ("The network has no subnet database-c", f"{MAKE}network"))
