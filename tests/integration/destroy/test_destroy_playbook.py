"""`playbooks/destroy.yml` against the API alone: what it refuses, in which order it deletes, and what it leaves."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pty
import select
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.api.calls import Call
from tests import kill
from tests.account import everything, image, others, tagged
from tests.conftest import ROOT, running_api
from tests.integration.destroy.deployment import BUCKET, TAGS, Deployment

PRODUCTION = {"Project": "madang", "Environment": "production"}
CONFIRMED = ("-e", "confirm=madang", "-e", "destroy_data=madang-lab")
QUESTION = "Write the project's name, madang, to go on"
# Where a run is killed: as soon as the API was asked for this.
KILLED_AT = (
    ("ec2", "TerminateInstances"),
    ("cloudfront", "DeleteDistribution"),
    ("ec2", "DeleteSecurityGroup"),
    ("s3", "DeleteObjects"),
)


@dataclass(frozen=True)
class Done:
    """A run: its status, what it printed in one line, and the API's calls that change something."""

    status: int
    output: str
    mutating: Sequence[str]


@dataclass(frozen=True)
class Account:
    """An account with a deployment in it, and with what others keep there; ``before`` is theirs."""

    url: str
    directory: Path

    @functools.cache  # noqa: B019 — one account a test module
    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the service is any
            service,
            endpoint_url=self.url,
            region_name="ap-northeast-2",
            aws_access_key_id="LABLABLABLABLABLABLA",
            aws_secret_access_key="no-secret-of-anything-outside-this-lab",
        )

    def command(self, playbook: str, *arguments: str) -> list[str]:
        state = f"project_state_directory={self.directory / 'state'}"
        return [str(ROOT / ".venv/bin/ansible-playbook"), playbook, "-e", state, *arguments]

    def play(self, *arguments: str, playbook: str = "playbooks/destroy.yml") -> Done:
        kill.forget(self.url)
        done = subprocess.run(
            self.command(playbook, *arguments),
            cwd=ROOT,
            env={**os.environ, "AWS_ENDPOINT_URL": self.url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        return self.done(done.returncode, done.stdout)

    def answer(self, word: str) -> Done:
        """Run it at a terminal, and write this word once it waits after its question."""
        kill.forget(self.url)
        keyboard, terminal = pty.openpty()
        process = subprocess.Popen(
            ["timeout", "--foreground", "300", *self.command("playbooks/destroy.yml")],
            cwd=ROOT,
            env={**os.environ, "AWS_ENDPOINT_URL": self.url},
            # It asks nothing but of the terminal that is its own.
            preexec_fn=functools.partial(os.login_tty, terminal),
        )
        os.close(terminal)
        said = ""
        # A terminal that all have left is an error to read.
        with process, os.fdopen(keyboard, "r+b", buffering=0) as screen, contextlib.suppress(OSError):
            while True:
                if select.select([screen], [], [], 1)[0]:
                    said += screen.read(4096).decode(errors="replace")
                elif QUESTION in said:
                    screen.write(f"{word}\r".encode())
        assert QUESTION in said, said[-3000:]
        return self.done(process.returncode, said)

    def done(self, status: int, output: str) -> Done:
        """What became of a run that has ended."""
        counts = kill.asked(self.url)
        calls = [Call(service, action, "", "", "", "") for service, found in counts.items() for action in found]
        # S3's object data does not count as a change of the world for the lab; here it does.
        writes = [call for call in calls if call.mutating or call.action.startswith(("Put", "Delete"))]
        return Done(status, " ".join(output.split()), [f"{each.service} {each.action}" for each in writes])

    def kill_at(self, service: str, action: str) -> None:
        """Run it, and kill it as soon as it has asked for the action."""
        command = self.command("playbooks/destroy.yml", *CONFIRMED)
        kill.kill_at(self.url, service, action, command, {"AWS_ENDPOINT_URL": self.url})


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    directory = tmp_path_factory.mktemp("destroy")
    with running_api(directory / "api") as url:
        yield Account(url, directory)


@pytest.fixture(scope="module")
def theirs(account: Account) -> set[str]:
    """What others keep: without tags, of another environment, and with one tag of two."""
    others(account.client, "madang-lab", {}, "untagged", "10.30.0.0/24")
    others(account.client, "madang-lab", PRODUCTION, "production", "10.31.0.0/24")
    others(account.client, "madang-lab", {"Environment": "lab"}, "nobodys", "10.32.0.0/24")
    return everything(account.client)


@pytest.fixture(scope="module")
def deployment(account: Account, theirs: set[str]) -> Deployment:
    made = Deployment(account.client)
    made.build()
    return made


@pytest.fixture(scope="module")
def destroyed(account: Account, deployment: Deployment) -> Done:
    """The run that ended after others were killed on the way."""
    for service, action in KILLED_AT:
        account.kill_at(service, action)
    return account.play(*CONFIRMED)


def refused(done: Done, sentence: str) -> None:
    """The run ended with one error, which says the sentence, and touched nothing."""
    assert done.status != 0
    assert sentence in done.output
    assert done.output.count("[ERROR]") == 1
    assert done.mutating == []


def test_check_mode_lists_what_would_go_and_touches_nothing(account: Account, deployment: Deployment) -> None:
    done = account.play("--check")
    assert done.status == 0, done.output
    assert done.mutating == []
    for shown in ("Plan: 0 to create, 0 to change, 32 to delete.", f"- VPC {deployment.vpc}", f"- bucket {BUCKET}"):
        assert shown in done.output, done.output


def test_data_needs_the_second_word(account: Account, deployment: Deployment) -> None:
    done = account.play("-e", "confirm=madang", "-e", "destroy_data=madang")
    refused(done, "This would lose data: the databases on db1 with their volumes; everything in the bucket")
    assert "ansible-playbook playbooks/backup_database.yml -e host=db1." in done.output
    assert "write -e destroy_data=madang-lab. Nothing was touched." in done.output


@pytest.mark.parametrize("said", [(), ("-e", "confirm=shop")], ids=["nothing", "another project"])
def test_nobody_confirmed(said: tuple[str, ...], account: Account, deployment: Deployment) -> None:
    done = account.play(*said, "-e", "destroy_data=madang-lab")
    refused(done, "Nobody confirmed that madang-lab goes: write -e confirm=madang. Nothing was touched.")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of its own, with a deployment of which little is left."""
    directory = tmp_path_factory.mktemp("small")
    with running_api(directory / "api") as url:
        account = Account(url, directory)
        account.client("ec2").create_key_pair(KeyName="madang-lab", **tagged("key-pair", TAGS))
        yield account


def test_another_name_at_the_terminal_ends_it_before_anything_goes(small: Account) -> None:
    refused(small.answer("madan"), "Nobody confirmed that madang-lab goes")
    assert everything(small.client) == {"KeyPairs madang-lab"}


def test_the_projects_name_at_the_terminal_goes_on(small: Account) -> None:
    done = small.answer("madang")
    assert done.status == 0, done.output[-6000:]
    # Neither is the bucket left that the lock was taken in.
    assert everything(small.client) == set()


def test_what_others_put_into_the_vpc_is_refused_before_anything_goes(account: Account, deployment: Deployment) -> None:
    ec2 = account.client("ec2")
    started = ec2.run_instances(
        ImageId=image(account.client), InstanceType="t3.micro", MinCount=1, MaxCount=1,
        SubnetId=deployment.subnets["app-a"],
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "theirs"}]}],
    )["Instances"][0]["InstanceId"]  # fmt: skip
    try:
        done = account.play(*CONFIRMED)
    finally:
        ec2.terminate_instances(InstanceIds=[started])
        ec2.describe_instances(), ec2.describe_instances()
    refused(done, f"In the deployment's VPC stands what does not have its tags: instance theirs ({started}).")
    assert "tag it Project=madang and Environment=lab if it is to go too. Nothing was touched." in done.output


def test_a_run_that_was_killed_anywhere_is_finished_by_the_next(account: Account, destroyed: Done) -> None:
    assert destroyed.status == 0, destroyed.output[-6000:]


def test_nothing_that_it_made_is_left_and_everything_that_it_did_not(
    account: Account, theirs: set[str], destroyed: Done
) -> None:
    assert everything(account.client) == theirs


def test_there_is_nothing_left_to_do(account: Account, destroyed: Done) -> None:
    done = account.play()
    assert done.status == 0, done.output
    assert "There is nothing with the tags Project=madang Environment=lab in ap-northeast-2." in done.output
    assert done.mutating == []


def scheduled(account: Account) -> set[str]:
    secrets = account.client("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"]
    return {secret["Name"] for secret in secrets if secret.get("DeletedDate")}


def test_the_next_deployment_gets_its_secrets_back(account: Account, destroyed: Done) -> None:
    assert scheduled(account) == {"madang/lab/ssh-key", "madang/lab/mysql-ca"}
    playbook = account.directory / "secrets.json"
    play = {"hosts": "localhost", "environment": "{{ aws_environment }}", "roles": ["secrets"]}
    playbook.write_text(json.dumps([play]))
    project = {"project_name": "madang", "project_prefix": "madang-lab", "project_tags": TAGS}
    wanted = json.dumps({**project, "secrets_wanted": [{"name": "ssh-key"}]})
    done = account.play("-e", wanted, playbook=str(playbook))
    assert done.status == 0, done.output
    assert account.client("secretsmanager").get_secret_value(SecretId="madang/lab/ssh-key")["SecretString"] == "ssh-key"


def test_secrets_go_for_ever_where_that_is_asked_for(account: Account, theirs: set[str], destroyed: Done) -> None:
    done = account.play(*CONFIRMED, "-e", "destroy_secrets_recovery_days=0")
    assert done.status == 0, done.output
    assert scheduled(account) == set()
    assert everything(account.client) == theirs
