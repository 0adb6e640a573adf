"""The collections' own modules against the lab's API: the second run changes nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import boto3

PLAYBOOK = Path(__file__).with_name("stock_modules.yml")


def play(tmp_path: Path) -> str:
    """Run the playbook; its output, after it went well."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", str(PLAYBOOK)],
        # An ansible.cfg of the project's would bring its own inventory and connection.
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_HOME": str(tmp_path / "ansible")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_stock_modules_build_everything_once_and_change_nothing_again(api: str, tmp_path: Path) -> None:
    first, second = play(tmp_path), play(tmp_path)
    assert re.search(r"changed=1\d ", first), first[-3000:]
    assert re.search(r"changed=0 ", second), second[-6000:]
    ec2 = boto3.client("ec2")
    by_project = [{"Name": "tag:Project", "Values": ["stock"]}]
    (reservation,) = ec2.describe_instances(Filters=by_project)["Reservations"]
    (instance,) = reservation["Instances"]
    assert (instance["PrivateIpAddress"], instance["SourceDestCheck"]) == ("10.40.1.4", False)
    assert len(ec2.describe_nat_gateways(Filters=by_project)["NatGateways"]) == 1
