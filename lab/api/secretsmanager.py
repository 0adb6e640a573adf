"""Secrets Manager with AWS's own words about a secret whose deletion is scheduled: stock modules look for them."""

from __future__ import annotations

from typing import Any

import moto.secretsmanager.models as moto_models
import moto.secretsmanager.urls as moto_urls
from moto.secretsmanager.exceptions import InvalidRequestException


class Backend(moto_models.SecretsManagerBackend):  # type: ignore[misc]  # moto has no types here
    """One account's secrets in one region."""

    _url_module = moto_urls

    def _is_scheduled(self, name: str) -> bool:
        return self._is_valid_identifier(name) and bool(self.secrets[name].is_deleted())

    def create_secret(self, name: str, *rest: Any, **named: Any) -> Any:
        if self._is_scheduled(name):
            raise InvalidRequestException(
                "You can't create this secret because a secret with this name is already scheduled for deletion."
            )
        return super().create_secret(name, *rest, **named)

    def get_secret_value(self, secret_id: str, *rest: Any, **named: Any) -> Any:
        if self._is_scheduled(secret_id):
            raise InvalidRequestException(
                "You can't perform this operation on the secret because it was marked for deletion."
            )
        return super().get_secret_value(secret_id, *rest, **named)


def install() -> None:
    """Put it where moto looks for its own."""
    moto_models.secretsmanager_backends.backend = Backend
