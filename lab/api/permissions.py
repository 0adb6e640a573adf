"""What roles may do, where the lab holds them to it: who may assume one, and what functions and schedules do as one.

A person's or Ansible's own key may do everything, as before. Conditions of a policy are not looked at.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from moto.iam.access_control import IAMPolicy, IAMPolicyStatement, PermissionResult
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends

from lab.api.calls import Call
from lab.api.world import world
from lab.settings import ACCOUNT_ID, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_PARTITION = "aws"
# The policies' names of services whose signatures say something else.
_PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}

# The roles that somebody acts as, by the access key of their sessions.
_sessions: dict[str, str] = {}


def _match(pattern: str, text: str) -> re.Match[str] | None:
    """A policy's wildcards: any number of characters, and one. Moto knows the first alone."""
    return re.match(fnmatch.translate(pattern.replace("[", "[[]")), text)


def session(role_arn: str) -> tuple[str, str]:
    """The access key and secret of a role's sessions. What signs with it may do what the role may."""
    digest = hashlib.sha256(role_arn.encode()).digest()
    key = "ASIA" + base64.b32encode(digest).decode()[:16]
    _sessions[key] = role_arn
    return key, SECRET_ACCESS_KEY


def assumable(role_arn: str, service: str) -> bool:
    """Whether the role is there and lets a service assume it. Hold the lock."""
    role = _role(role_arn)
    if role is None:
        return False
    document = role.assume_role_policy_document
    policy = json.loads(document) if isinstance(document, str) else document
    return any(
        statement.get("Effect") == "Allow" and service in _listed(statement.get("Principal", {}).get("Service"))
        for statement in _listed(policy["Statement"])
    )


def permits(role_arn: str, action: str, resource: str) -> bool:
    """Whether the role's policies allow an action on a resource, and none denies it. Hold the lock."""
    role = _role(role_arn)
    if role is None:
        return False
    backend = iam_backends[ACCOUNT_ID][_PARTITION]
    policies = [backend.get_role_policy(role.name, name)[1] for name in backend.list_role_policies(role.name)]
    policies += backend.list_attached_role_policies(role.name)[0]
    results = [IAMPolicy(policy).is_action_permitted(action, resource) for policy in policies]
    return PermissionResult.PERMITTED in results and PermissionResult.DENIED not in results


def refusal(call: Call, environ: WSGIEnvironment) -> str:
    """Why a role's session may not make a call; empty when it may, or when it is not a role's. Hold the lock."""
    role_arn = _sessions.get(call.caller)
    if role_arn is None:
        return ""
    action = f"{_PREFIXES.get(call.service, call.service)}:{call.action}"
    resource = _resource(call, environ)
    if permits(role_arn, action, resource):
        return ""
    name = role_arn.rpartition("/")[2]
    return (
        f"User: arn:aws:sts::{ACCOUNT_ID}:assumed-role/{name}/session is not authorized to perform: {action} "
        f"on resource: {resource} because no identity-based policy allows the {action} action"
    )


def _resource(call: Call, environ: WSGIEnvironment) -> str:
    """The ARN of the secret that is asked for; everything else counts as ``*``."""
    if call.service != "secretsmanager":
        return "*"
    body = environ["wsgi.input"].read()
    environ["wsgi.input"].seek(0)
    identifier = str(json.loads(body or b"{}").get("SecretId", "*"))
    secret = secretsmanager_backends[ACCOUNT_ID][world.settings.region].secrets.get(identifier)
    return str(secret.arn) if secret is not None else identifier


def _role(role_arn: str) -> Any:
    backend = iam_backends[ACCOUNT_ID][_PARTITION]
    return next((role for role in backend.get_roles() if role.arn == role_arn), None)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def install() -> None:
    """Put it where moto looks for its own."""
    IAMPolicyStatement._match = staticmethod(_match)
