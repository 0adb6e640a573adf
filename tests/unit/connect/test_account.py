"""Where the client finds credentials and region: as every AWS tool does."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location(
    "proxy", Path(__file__).parents[3] / "plugins/connect/instance_connect_proxy.py"
)
proxy = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proxy)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An AWS configuration of its own."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (tmp_path / "credentials").write_text("[shop]\naws_access_key_id = FILE\naws_secret_access_key = filed\n")
    (tmp_path / "config").write_text("[profile shop]\nregion = eu-west-1\n")


def test_keys_and_session_token_of_the_environment_are_used(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "spoken")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    assert proxy.Account(None, None).credentials() == ("ENV", "spoken", "token")


def test_a_named_profile_goes_before_the_environments_keys(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "spoken")
    assert proxy.Account("shop", None).credentials() == ("FILE", "filed", None)


def test_the_environments_profile_holds_without_keys(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "shop")
    assert proxy.Account(None, None).credentials() == ("FILE", "filed", None)
    assert proxy.Account(None, None).region() == "eu-west-1"


def test_the_region_given_goes_before_the_environments_and_the_profiles(monkeypatch):
    assert proxy.Account("shop", None).region() == "eu-west-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert proxy.Account("shop", None).region() == "us-east-1"
    assert proxy.Account("shop", "ap-northeast-2").region() == "ap-northeast-2"


def test_without_credentials_or_region_the_remedy_is_said():
    with pytest.raises(proxy.ProxyError, match="no AWS credentials found: set AWS_PROFILE"):
        proxy.Account(None, None).credentials()
    with pytest.raises(proxy.ProxyError, match="no AWS region: give --region"):
        proxy.Account(None, None).region()
