"""The filters that turn secrets' names into what the service role writes, and hosts' names into the private zone's."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def filters(name: str) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = runpy.run_path(str(ROOT / "plugins/filter" / name))[
        "FilterModule"
    ]().filters()
    return found


def test_a_secret_is_put_where_its_value_says() -> None:
    secrets = [
        {"name": "mysql-user-shop", "variable": "URL", "environment": True, "value": "mysql://shop:{secret}@db/{x}"},
        {"name": "token", "variable": "TOKEN_FILE"},
    ]
    assert filters("services.py")["service_secrets"](
        secrets, {"mysql-user-shop": "s3", "token": "t", "other": "o"}
    ) == [
        {"name": "url", "variable": "URL", "content": "mysql://shop:s3@db/{x}", "environment": True},
        {"name": "token_file", "variable": "TOKEN_FILE", "content": "t", "environment": False},
    ]


def test_a_secret_in_the_environment_is_a_line_that_systemd_reads() -> None:
    credentials = [
        {"name": "a", "variable": "A", "content": 'x"\\$`y', "environment": True},
        {"name": "b", "variable": "B", "content": "plain"},
    ]
    contents = [file["content"] for file in filters("services.py")["credential_files"](credentials)]
    assert contents == ['A="x\\"\\\\\\$\\`y"\n', "plain"]


def test_a_host_is_reached_by_its_name_and_its_aliases() -> None:
    running = [
        {"tags": {"Name": "my-db"}, "private_ip_address": "10.0.0.4"},
        {"tags": {"Name": "web"}, "private_ip_address": "10.0.0.5"},
    ]
    wanted = [{"name": "my-db", "aliases": ["my_db", "storage"]}, {"name": "web"}]
    assert filters("aws.py")["private_zone_names"](running, wanted) == [
        {"name": "my-db", "address": "10.0.0.4"},
        {"name": "my_db", "address": "10.0.0.4"},
        {"name": "storage", "address": "10.0.0.4"},
        {"name": "web", "address": "10.0.0.5"},
    ]
