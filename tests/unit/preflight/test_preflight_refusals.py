"""What the preflight refuses, and that it refuses nothing else."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from jinja2.nativetypes import NativeEnvironment

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
WRONG = yaml.safe_load((HERE / "wrong_inputs.yml").read_text())

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"

Refused = Callable[..., list[str]]


def shortened(value: str) -> str:
    """As a sentence shows it."""
    return value if len(value) <= 80 else f"{value[:77]}…"


@pytest.mark.parametrize("wrong", WRONG, ids=[json.dumps(wrong["set"])[:70] for wrong in WRONG])
def test_a_wrong_input_is_refused_with_this_message(wrong: dict[str, Any], refused: Refused) -> None:
    assert refused(wrong["set"]) == wrong["says"]


def test_the_table_has_sixty_different_inputs() -> None:
    assert len({json.dumps(wrong["set"]) for wrong in WRONG if wrong["says"]}) >= 60


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_the_products_own_variables_are_right(inventory: str, refused: Refused) -> None:
    assert refused({}, inventory) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"network_zone": "shop.example.internal"},
        {"network_subnets.0.zone": "b"},
        {"mysql_port": "3307"},
        {"instances_list.0.type": "m7g.2xlarge", "instances_list.0.volume_size": 100},
        {"security_groups_list.1.ingress.0.port": "8000-8010"},
        {"security_groups_list.1.egress.1": {"port": "all", "cidr": "0.0.0.0/0"}},
        {"mysql_users.1.privileges": "SELECT, insert"},
        {"mysql_topology": "independent", "instances_list.2.role": "collector"},
        {
            "mysql_topology": "independent",
            "mysql_databases.1": {"name": "collected", "host": "db2"},
            "mysql_users.1": {"name": "collector", "database": "collected", "host": "db2", "privileges": "INSERT"},
            "mysql_users.2": {"name": "backend", "database": "collected", "host": "db2", "privileges": "SELECT"},
        },
        {
            "cdn_aliases": ["www.example.com", "*.example.org"],
            "cdn_certificate_arn": CERTIFICATE,
        },
        {"backend_environment": {"LOG_LEVEL": "debug", "WORKERS": 2}, "backend_memory_max": "512M"},
        {"project_backend": str(ROOT / "examples/backend")},
        {
            "project_backend": "tests/products/nodejs",
            "backend_runtime": "nodejs",
            "backend_command": "node server.js",
        },
        {
            "project_backend": "tests/products/java",
            "backend_runtime": "java",
            "backend_command": "java -jar server.jar",
        },
        {
            "project_backend": "tests/products/binary",
            "backend_runtime": "binary",
            "backend_command": "./__main__.py --port 8000",
        },
        {"collector_runs_on": "lambda", "collector_command": "./unused"},
        {"backend_health_path": "", "backend_health_command": "python3 -m readings_api.check"},
        {"cdn_bucket": "shop.example.com-site", "lock_bucket": "shop-lock"},
        {"collector_function_schedule": "cron(0/5 8-18 ? JAN-jun MON-FRI 2026-2030)"},
        {"collector_function_schedule": "cron(15 10 L * ? *)"},
        {
            "aws_region_name": "x",
            "aws_placement": {},
            "aws_requester_id": "x",
            "aws_reservation_id": "r-1",
            "ssh_user": "x",
        },
    ],
    ids=lambda changes: json.dumps(changes)[:60],
)
def test_a_right_input_is_not_refused(changes: dict[str, Any], refused: Refused) -> None:
    assert refused(changes) == []


def test_a_group_with_more_rules_than_aws_allows_is_refused(refused: Refused) -> None:
    rules = [{"port": port, "group": "database"} for port in range(1, 62)]
    said = refused({"security_groups_list.1.egress": rules})
    assert said == ["security_groups_list[backend].egress is 61 rules, which AWS does not allow; write at most 60."]
    assert refused({"security_groups_list.1.egress": rules[1:]}) == []


def test_a_helper_variable_that_another_variable_reads_is_known(tmp_path: Path, preflight: ModuleType) -> None:
    (tmp_path / "group_vars/all").mkdir(parents=True)
    (tmp_path / "group_vars/all/mine.yml").write_text(
        'network_cidr: "{{ network_base }}.0.0/16"\nnetwork_bass: 10.20\n'
    )
    refusals = preflight.wording.Refusals()
    preflight.specification.check_names(["network_base", "network_bass"], {}, tmp_path, refusals)
    assert [sentence.split(",")[0] for sentence in refusals.sentences] == ["The variable's name is network_bass"]


def test_what_plays_register_and_roles_derive_is_known(preflight: ModuleType) -> None:
    names = preflight.specification.read_names(ROOT)
    assert {"network_vpc", "network_subnet_ids", "cdn_vpc_origin", "service__root", "verify_configuration"} <= names


def test_a_value_that_cannot_be_known_yet_is_refused_only_where_everything_needs_it(
    preflight: ModuleType, lab_variables: dict[str, Any]
) -> None:
    def said(name: str) -> list[str]:
        values = {key: value for key, value in lab_variables.items() if key != name}
        found: list[str] = preflight.problems(values, lab_variables, ROOT, unresolved={name: "'nope' is undefined"})
        return found

    assert said("backend_environment") == []
    assert said("network_zone") == [
        "network_zone has no value ('nope' is undefined); write one that can be known before anything is created."
    ]


def places(value: Any, way: str = "") -> Iterator[str]:
    """The paths to a value's parts; of a list, to the first."""
    parts = value.items() if isinstance(value, dict) else [(0, value[0])] if isinstance(value, list) and value else []
    for name, part in parts:
        yield f"{way}{name}"
        yield from places(part, f"{way}{name}.")


@pytest.mark.parametrize("value", [None, [], {}, 1.5, "x", [[1]]], ids=repr)
def test_no_value_of_a_wrong_kind_ends_the_preflight_itself(
    value: Any, preflight: ModuleType, lab_variables: dict[str, Any], changed: Callable[..., None]
) -> None:
    silent = []
    for path in places(lab_variables):
        variables = copy.deepcopy(lab_variables)
        changed(variables, path, value)
        if not preflight.problems(variables, variables, ROOT):
            silent.append(path)
    assert not {"network_cidr", "network_subnets.0.cidr", "instances_list.0.role", "mysql_secrets.0.name"} & set(silent)


def test_no_secret_is_looked_at(preflight: ModuleType) -> None:
    looked_at = preflight.wanted(ROOT)
    assert "backend_port" in looked_at
    assert not {"backend_database_password", "collector_database_password", "mysql_passwords"} & set(looked_at)


def test_a_private_key_file_that_is_one_is_not_refused(tmp_path: Path, refused: Refused) -> None:
    key = tmp_path / "id_ed25519"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert refused({"ssh_key_file": str(key)}) == []
    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    assert refused({"ssh_key_file": str(key)}) == []


@pytest.mark.parametrize("begins", ["ssh-ed25519 AAAA", "-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----"])
def test_a_key_file_that_holds_something_else_is_refused(begins: str, tmp_path: Path, refused: Refused) -> None:
    key = tmp_path / "id"
    key.write_text(f"{begins}\n")
    assert refused({"ssh_key_file": str(key)}) == [
        f"ssh_key_file is {shortened(str(key))}, which is not a private key; write the path of one, or of a file that "
        "does not exist yet."
    ]


def test_a_nodejs_service_without_a_lock_file_is_refused(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "package.json").write_text("{}")
    said = refused({"project_backend": str(tmp_path), "backend_runtime": "nodejs", "backend_command": "node a.js"})
    assert said == [
        f"project_backend is {shortened(str(tmp_path))}, which has no package-lock.json, which pins every dependency; "
        "write that file with `npm install` there."
    ]


@pytest.mark.parametrize("service", ["backend", "collector"])
def test_what_the_roles_themselves_set_is_known(service: str, preflight: ModuleType) -> None:
    own = yaml.safe_load((ROOT / f"roles/{service}/vars/main.yml").read_text())
    names = (own[f"{service}__password"]["name"], own[f"{service}__ca"]["name"])
    assert names == preflight.services.OWN_CREDENTIALS
    path = yaml.safe_load((ROOT / "roles/backend/defaults/main.yml").read_text())["backend_health_path"]
    assert path == preflight.services.HEALTH_PATH


def test_destroy_refuses_what_nothing_reads_and_asks_for_nothing_else(
    preflight: ModuleType, lab_variables: dict[str, Any]
) -> None:
    [play] = yaml.safe_load((ROOT / "playbooks/destroy.yml").read_text())
    template = play["tasks"][0]["vars"]["preflight_problems"]
    gone = {"project_backend": "/nowhere", "network_cidr": "10.20.0.1/16"}

    def said(**written: int) -> list[str]:
        values = {**lab_variables, **gone, **written}
        environment = NativeEnvironment()
        environment.filters |= {
            "dirname": lambda path: str(Path(path).parent),
            "configuration_problems": lambda root: preflight.problems(values, values, Path(root)),
        }
        environment.tests["match"] = lambda text, pattern: re.match(pattern, text) is not None
        return list(environment.from_string(template).render(playbook_dir=str(ROOT / "playbooks")))

    assert said() == said(destroy_secrets_recovery_days=0) == []
    assert said(destroy_secrets_recovery_day=0) == [
        "The variable's name is destroy_secrets_recovery_day, which nothing reads; write destroy_secrets_recovery_days."
    ]
