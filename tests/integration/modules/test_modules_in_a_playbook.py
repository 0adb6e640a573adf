"""The modules as Ansible packs and runs them, with the project's own configuration."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]

TASKS = [
    {"cloudfront_origin_access_control": {"name": "shop"}, "register": "access"},
    {
        "cloudfront_function": {"name": "shop", "code": "function handler(event) { return event.request; }"},
        "register": "pages",
    },
    {
        "cloudfront_vpc_origin": {
            "name": "shop",
            "arn": "{{ backend }}",
            "origin_protocol_policy": "http-only",
            "wait_timeout": 30,
        },
        "register": "origin",
    },
    {
        "cloudfront_web_distribution": {
            "tags": {"Name": "shop"},
            "origins": [
                {
                    "id": "site",
                    "domain_name": "shop.s3.ap-northeast-2.amazonaws.com",
                    "origin_access_control_id": "{{ access.origin_access_control.id }}",
                },
                {
                    "id": "api",
                    "domain_name": "ip-10-0-0-4.internal",
                    "vpc_origin_config": {"vpc_origin_id": "{{ origin.vpc_origin.id }}"},
                },
            ],
            "default_cache_behavior": {
                "target_origin_id": "site",
                "function_associations": [{"event_type": "viewer-request", "function_arn": "{{ pages.function.arn }}"}],
            },
            "cache_behaviors": [
                {"path_pattern": "/api/*", "target_origin_id": "api", "cache_policy": "CachingDisabled"}
            ],
            "wait_timeout": 30,
        },
        "register": "distribution",
    },
    {
        "cloudfront_cache_invalidation": {
            "distribution_id": "{{ distribution.distribution.id }}",
            "paths": ["/*"],
            "caller_reference": "first",
        }
    },
    {"ec2_instance_connect_endpoint": {"subnet_id": "{{ subnet }}", "tags": {"Name": "shop"}, "wait_timeout": 30}},
    {"ec2_managed_prefix_list_info": {"names": ["com.amazonaws.global.cloudfront.origin-facing"]}},
]


@pytest.fixture
def play(tmp_path, ec2, backends):
    """Runs the tasks and returns how many changed, with check mode if asked."""
    [subnet] = [item["SubnetId"] for item in ec2.describe_subnets()["Subnets"] if item["CidrBlock"] == "10.0.0.0/24"]
    book = tmp_path / "site.yml"
    variables = {"backend": backends[0], "subnet": subnet, "ansible_python_interpreter": sys.executable}
    plays = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": TASKS}]
    book.write_text(yaml.safe_dump(plays))

    def run(*options: str) -> int:
        command = [str(Path(sys.executable).with_name("ansible-playbook")), str(book), "-i", "localhost,", *options]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_HOME": str(tmp_path)}
        done = subprocess.run(
            [*command, "--connection", "local"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return int(re.search(r"changed=(\d+)", done.stdout).group(1))

    return run


def test_a_playbook_plans_an_empty_account_deploys_it_and_then_changes_nothing(play):
    changes = len(TASKS) - 1  # looking a prefix list up changes nothing
    assert play("--check", "--diff") == changes
    assert play() == changes
    assert play() == 0
