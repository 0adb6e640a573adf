"""Secrets, generated or taken from a compose file, go to Secrets Manager and are said nowhere, not even with -vvv."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from tests.e2e import leaks

ROOT = Path(__file__).parents[3]
COMPOSE = """\
services:
  backend:
    build: backend
    environment:
      DATABASE_URL: mysql://shop:in-the-url+Zx81@db/shop
    secrets: [payments]
secrets:
  payments: {file: ./payments}
"""
WANTED = [
    {"name": "payments", "compose": "secrets.payments"},
    {"name": "database-url", "compose": "services.backend.environment.DATABASE_URL"},
    {"name": "generated"},
    {"name": "key", "generate": "ssh_key"},
    {"name": "authority", "generate": "certificate_authority"},
]


@pytest.fixture
def compose(tmp_path: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANSIBLE_FILTER_PLUGINS", str(ROOT / "plugins/filter"))
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "ansible"))
    monkeypatch.setenv("TMPDIR", str(short_path))
    (tmp_path / "product").mkdir()
    (tmp_path / "product/payments").write_text("sk_live_Qm7Tz0d1\n")
    file = tmp_path / "product/compose.yaml"
    file.write_text(COMPOSE)
    return file


def test_every_secret_is_kept_and_none_is_said_or_left_on_this_machine(
    api: str, play: Callable[..., Any], compose: Path, tmp_path: Path, short_path: Path
) -> None:
    known = {"endpoint_url": api, "access_key": ACCESS_KEY_ID, "secret_key": SECRET_ACCESS_KEY}
    variables: dict[str, Any] = {
        "secrets_wanted": WANTED,
        "project_name": "shop",
        "project_environment": "test",
        "project_prefix": "shop-test",
        "project_tags": {"Project": "shop"},
        "project_compose": str(compose),
        "aws_lookup": {**known, "region": os.environ["AWS_REGION"]},
    }
    done = play("secrets", "-vvv", **variables)
    assert (done.failed, done.changed > 0) == (0, True), done.output
    manager = boto3.client("secretsmanager")
    kept = {
        each["name"]: str(manager.get_secret_value(SecretId=f"shop/test/{each['name']}")["SecretString"])
        for each in WANTED
    }
    assert kept["payments"].strip() == "sk_live_Qm7Tz0d1"
    assert kept["database-url"] == "mysql://shop:in-the-url+Zx81@db/shop"
    search = leaks.Search({name: value.strip() for name, value in kept.items()})
    search.text("output", done.output)
    search.files("machine", tmp_path, without=("product",))
    search.files("machine", short_path)
    assert search.found == set()
