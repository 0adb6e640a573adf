"""What is wrong with a configuration, found before the first API call. Pure: it reads files, and asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import cdn, collector, instances, lock, mysql, network, security_groups, services, specification
from .wording import Refusals

# Their variables have no specification of their own, since they are the service role's.
RUNTIMES = ("backend_runtime", "collector_runtime")


def problems(
    values: Mapping[str, Any], present: Iterable[str], root: Path, *, unresolved: Mapping[str, str] | None = None
) -> list[str]:
    """One sentence for each mistake: the variable, what was found, what to write.

    ``values`` are plain and templated, by the variable's name; ``present`` is every variable's name;
    ``unresolved`` says for the variables without a value why; ``root`` is the checkout.
    """
    specified = specification.options(root)
    for name in RUNTIMES:
        if name in specified:
            specified[name] = {"type": "str", "choices": specified["service_runtime"]["choices"]}
    refusals = Refusals()
    _check_presence(values, unresolved or {}, specified, refusals)
    specification.check_names(present, specified, root, refusals)
    good = specification.check_types(dict(values), specified, refusals)
    # What others are made of comes first: its own sentence is then enough.
    services.check(good, refusals, root)
    mysql.check(good, refusals)
    network.check(good, refusals)
    security_groups.check(good, refusals)
    instances.check(good, refusals)
    collector.check(good, refusals, root)
    cdn.check(good, refusals)
    lock.check(good, refusals)
    return refusals.sentences


def wanted(root: Path) -> list[str]:
    """The names of the variables whose values ``problems`` looks at."""
    return specification.looked_at(specification.options(root))


def _check_presence(
    values: Mapping[str, Any], unresolved: Mapping[str, str], specified: specification.Options, refusals: Refusals
) -> None:
    for name in sorted(specification.required(specified)):
        if name in unresolved:
            refusals.unresolved(name, unresolved[name])
        elif name not in values:
            kind = specified.get(name, {}).get("description", "it")
            refusals.missing(
                name, f"it in group_vars/all ({kind.rstrip('.')})" if name in specified else "it in group_vars/all"
            )
