"""Filters that turn the services' variables into what the service role takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def secrets_for(
    mysql_secrets: Sequence[Mapping[str, Any]], user: str, own: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What a service needs of Secrets Manager: MySQL's authority, its user's password, and its ``own`` secrets.

    An own secret may be one of MySQL's, which then says how it is generated.
    """
    known = {secret["name"]: secret for secret in mysql_secrets}
    names = ["mysql-ca", f"mysql-user-{user}", *(secret["name"] for secret in own)]
    of_mysql = [dict(secret) for name, secret in known.items() if name in names]
    return of_mysql + [dict(secret) for secret in own if secret["name"] not in known]


def service_secrets(secrets: Sequence[Mapping[str, Any]], values: Mapping[str, str]) -> list[dict[str, Any]]:
    """backend_secrets as service_credentials; ``values`` has each secret by its name in Secrets Manager.

    ``value``, where it is given, is the text around the secret, with ``{secret}`` in its place.
    """
    return [
        {
            "name": str(secret["variable"]).lower(),
            "variable": secret["variable"],
            "content": str(secret.get("value", "{secret}")).replace("{secret}", values[secret["name"]]),
            "environment": bool(secret.get("environment", False)),
        }
        for secret in secrets
    ]


def credential_files(credentials: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Credentials as the files that hold them: the secret alone, or a line that systemd reads into the environment."""
    return [{**credential, "content": _content(credential)} for credential in credentials]


def _content(credential: Mapping[str, Any]) -> str:
    content = str(credential["content"])
    if not credential.get("environment", False):
        return content
    escaped = re.sub(r'([\\"$`])', r"\\\1", content)
    return f'{credential["variable"]}="{escaped}"\n'


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "secrets_for": secrets_for,
            "service_secrets": service_secrets,
            "credential_files": credential_files,
        }
