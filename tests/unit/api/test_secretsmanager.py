"""Secrets Manager over its wire protocol: a secret whose deletion is scheduled."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError


def test_a_secret_that_is_scheduled_for_deletion_holds_its_name_until_it_is_restored(api: str) -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="shop/key", SecretString="old")
    secrets.delete_secret(SecretId="shop/key")
    with pytest.raises(ClientError, match="because it was marked for deletion"):
        secrets.get_secret_value(SecretId="shop/key")
    with pytest.raises(ClientError, match="a secret with this name is already scheduled for deletion"):
        secrets.create_secret(Name="shop/key", SecretString="new")
    secrets.restore_secret(SecretId="shop/key")
    assert secrets.get_secret_value(SecretId="shop/key")["SecretString"] == "old"
