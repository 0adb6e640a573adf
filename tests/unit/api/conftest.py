"""The API inside the test's own process, where lab.api.view and lab.api.ready reach it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from lab import settings as lab_settings
from lab.api.server import Api


@dataclass
class Inside:
    """The API in this process; ``changes`` counts how often it told of a change."""

    url: str
    settings: lab_settings.Settings
    changes: list[str]


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    """An API that waits for the lab's confirmations, with an empty account."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = lab_settings.from_environment(tmp_path, {"HOME": str(tmp_path)})
    changes: list[str] = []
    api = Api(settings, lambda: changes.append("changed"), confirmed_by_lab=True, log_calls=True)
    api.serve(listening)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "LABLABLABLABLABLABLA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    assert urllib3.request("POST", f"{url}/_lab/reset").status == 200
    changes.clear()
    yield Inside(url, settings, changes)
    api.close()
