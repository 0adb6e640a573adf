"""What stands in two places, held together: collections, inventories, the lock file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import ansible_collections
import pytest
import yaml

ROOT = Path(__file__).parents[2]
COLLECTIONS = Path(next(iter(ansible_collections.__path__)))
# What only the lab needs, since production's defaults are AWS itself.
LAB_ALONE = {"aws_endpoint_url", "ssh_proxy_arguments"}


def wanted_collections() -> list[dict[str, str]]:
    collections: list[dict[str, str]] = yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]
    return collections


def variables(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(directory.rglob("*.yml")):
        found |= yaml.safe_load(path.read_text()) or {}
    return found


@pytest.mark.parametrize("collection", wanted_collections(), ids=lambda collection: str(collection["name"]))
def test_requirements_yml_asks_for_the_collection_that_the_locked_ansible_holds(collection: dict[str, str]) -> None:
    manifest = COLLECTIONS / collection["name"].replace(".", "/") / "MANIFEST.json"
    assert json.loads(manifest.read_text())["collection_info"]["version"] == collection["version"]


def test_requirements_yml_names_every_collection_that_playbooks_and_roles_use() -> None:
    text = "\n".join(
        p.read_text() for top in ("playbooks", "roles", "inventories") for p in (ROOT / top).rglob("*.yml")
    )
    used = set(re.findall(r"\b((?:amazon|community|ansible)\.(?!builtin|module_utils)[a-z]+)\.[a-z0-9_]+:", text))
    used |= set(re.findall(r"^plugin: ([a-z]+\.[a-z]+)\.", text, re.MULTILINE))
    assert {"amazon.aws", "ansible.mysql"} <= used, "the search finds what it is for"
    assert used <= {collection["name"] for collection in wanted_collections()}


def test_the_lock_file_names_no_index_and_no_host() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert len(lines) > 100
    strange = [
        line
        for line in lines
        if not re.match(r"[a-z0-9._\[\],-]+==\S+( ; [^/@]+)? \\$|    --hash=sha256:[0-9a-f]{64}", line)
    ]
    assert strange == []


def test_both_inventories_define_the_same_variables_but_what_only_the_lab_needs() -> None:
    lab = variables(ROOT / "inventories/lab/group_vars")
    production = variables(ROOT / "inventories/production/group_vars")
    assert set(lab) - set(production) == LAB_ALONE
    assert set(production) <= set(lab)


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_an_inventory_finds_the_hosts_of_its_own_environment(inventory: str) -> None:
    source = yaml.safe_load((ROOT / f"inventories/{inventory}/aws_ec2.yml").read_text())
    own = variables(ROOT / f"inventories/{inventory}/group_vars")
    assert own["project_environment"] == inventory
    assert source["filters"]["tag:Environment"] == inventory
    assert source["regions"] == [own["aws_region"]]


def test_the_inventories_differ_in_nothing_but_where_aws_is_and_which_environment() -> None:
    lab, production = (
        yaml.safe_load((ROOT / f"inventories/{name}/aws_ec2.yml").read_text()) for name in ("lab", "production")
    )
    for name in ("endpoint_url", "access_key", "secret_key"):
        del lab[name]
    lab["filters"]["tag:Environment"] = "production"
    assert lab == production
    assert (ROOT / "inventories/lab/localhost.yml").read_text() == (
        ROOT / "inventories/production/localhost.yml"
    ).read_text()


def test_the_labs_inventory_carries_the_credentials_that_the_tunnel_checks() -> None:
    from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY

    source = yaml.safe_load((ROOT / "inventories/lab/aws_ec2.yml").read_text())
    own = variables(ROOT / "inventories/lab/group_vars")
    assert (source["access_key"], source["secret_key"]) == (ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    assert (own["aws_lookup"]["access_key"], own["aws_lookup"]["secret_key"]) == (ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    assert own["aws_environment"]["AWS_SECRET_ACCESS_KEY"] == SECRET_ACCESS_KEY
    assert f"AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}" in own["ssh_proxy_environment"].split()


def imported(playbook: Path) -> set[str]:
    """The playbooks that one imports, by their file's name."""
    return {
        Path(play["import_playbook"]).name for play in yaml.safe_load(playbook.read_text()) if "import_playbook" in play
    }


def test_site_yml_and_every_playbook_that_changes_something_take_the_lock() -> None:
    site = imported(ROOT / "site.yml")
    # They change nothing of the environment; unlock.yml must not wait for what it breaks.
    looking = {"backup_database.yml", "import_compose.yml", "unlock.yml"}
    verbs = [path for path in sorted((ROOT / "playbooks").glob("*.yml")) if path.name not in site | looking]
    assert "lock.yml" in site
    # Where there is nothing to destroy, nothing is made either, and so no lock.
    assert {path.name for path in verbs if "lock.yml" not in imported(path)} == {"destroy.yml"}
    tasks = yaml.safe_load((ROOT / "roles/destroy/tasks/main.yml").read_text())
    assert {"name": "lock"} in [task.get("ansible.builtin.include_role") for task in tasks]
    assert len(verbs) >= 3, "the search finds what it is for"


def test_production_is_proved_with_its_own_variables_but_for_where_the_lab_is() -> None:
    given = yaml.safe_load((ROOT / "tests/e2e/production.yml").read_text())
    assert set(given) == {
        "ssh_proxy_arguments",
        *("verify_address_url", "verify_bucket_url", "verify_outside_command", "verify_outside_private"),
    }
