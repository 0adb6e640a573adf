"""Bucket policies: who may do what. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["allow", "deny", "neutral"]


@dataclass(frozen=True)
class Request:
    """One request: ``principal`` is ``anonymous``, ``owner`` (the bucket's account) or a service's name.

    ``context`` has condition keys in lower case, such as ``aws:sourcearn``.
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def decide(policy: Mapping[str, Any] | None, request: Request, account_id: str) -> Verdict:
    """What a policy says of a request; an explicit denial wins, silence is neutral."""
    verdict: Verdict = "neutral"
    for statement in _listed((policy or {}).get("Statement")):
        denies = statement.get("Effect") == "Deny"
        if not (_speaks_of(statement, request, account_id) and _holds(statement, request, if_unknown=denies)):
            continue
        if denies:
            return "deny"
        verdict = "allow"
    return verdict


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _speaks_of(statement: Mapping[str, Any], request: Request, account_id: str) -> bool:
    if "NotPrincipal" in statement:
        principal = not _is_principal(statement["NotPrincipal"], request.principal, account_id)
    else:
        principal = _is_principal(statement.get("Principal"), request.principal, account_id)
    return (
        principal
        and _named(statement, "Action", request.action.lower(), str.lower)
        and _named(statement, "Resource", request.resource, str)
    )


def _named(statement: Mapping[str, Any], name: str, wanted: str, fold: Callable[[str], str]) -> bool:
    if f"Not{name}" in statement:
        return not any(_like(wanted, fold(pattern)) for pattern in _listed(statement[f"Not{name}"]))
    return any(_like(wanted, fold(pattern)) for pattern in _listed(statement.get(name)))


def _like(value: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _is_principal(given: Any, principal: str, account_id: str) -> bool:
    if given == "*":
        return True
    if not isinstance(given, dict):
        return False
    if principal not in ("anonymous", "owner"):
        return principal in _listed(given.get("Service"))
    accounts = _listed(given.get("AWS"))
    if principal == "anonymous":
        return "*" in accounts
    return any(item in ("*", account_id) or f"::{account_id}:" in str(item) for item in accounts)


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": _like,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda value, wanted: value.lower() == str(wanted).lower(),
}
_OPPOSITES = {
    "StringNotEquals": "StringEquals",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _holds(statement: Mapping[str, Any], request: Request, *, if_unknown: bool) -> bool:
    """Whether all conditions hold; an operator that the lab does not know counts against the request."""
    for operator, conditions in (statement.get("Condition") or {}).items():
        plain = operator.removesuffix("IfExists")
        opposite = plain in _OPPOSITES
        matches = _OPERATORS.get(_OPPOSITES.get(plain, plain))
        for key, wanted in conditions.items():
            value = request.context.get(key.lower())
            if matches is None:
                held = if_unknown
            elif value is None:
                held = opposite or operator.endswith("IfExists")
            else:
                held = any(matches(value, item) for item in _listed(wanted)) != opposite
            if not held:
                return False
    return True


def is_public(policy: Mapping[str, Any] | None) -> bool:
    """Whether a policy lets anybody in, as Block Public Access sees it: ``*`` without a condition."""
    for statement in _listed((policy or {}).get("Statement")):
        if statement.get("Effect") != "Allow" or statement.get("Condition"):
            continue
        principal = statement.get("Principal")
        if principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS"))):
            return True
    return False
