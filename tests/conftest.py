"""What all tests share: the API of the lab, alone and empty."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

ROOT = Path(__file__).parent.parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "namespaces: needs root and network namespaces")


@contextlib.contextmanager
def running_api(root: Path) -> Iterator[str]:
    """The endpoint URL of an API process of its own, whose state directory stands in ``root``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.api", "--port", "0", "--root", str(root), "--log"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "the API did not start; its own words stand above"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory for sockets: pytest's own (tmp_path) becomes too long for their paths with the hundredth run."""
    with tempfile.TemporaryDirectory(prefix="madang-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def api_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One API process for the whole session; take ``api``, which empties it, instead."""
    with running_api(tmp_path_factory.mktemp("api")) as url:
        yield url


def reset(url: str) -> None:
    """Empty the account behind an endpoint URL."""
    assert urllib3.request("POST", f"{url}/_lab/reset", timeout=60).status == 200


@pytest.fixture
def api(api_process: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The endpoint URL of an API with an empty account; the AWS_… variables point boto3 and modules at it."""
    reset(api_process)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", api_process)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "LABLABLABLABLABLABLA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    monkeypatch.setenv("AWS_REGION", "ap-northeast-2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    return api_process


@pytest.fixture(scope="module")
def module_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint URL of an API process that a whole test module shares; no variables are set."""
    with running_api(tmp_path_factory.mktemp("module-api")) as url:
        yield url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs hosts where this machine can boot none, for that reason alone."""
    from lab import preflight

    reason = preflight.no_hosts_reason()
    if reason:
        for item in items:
            if item.get_closest_marker("namespaces"):
                item.add_marker(pytest.mark.skip(reason=f"needs hosts: {reason}"))
