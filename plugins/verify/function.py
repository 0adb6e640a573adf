"""Promises about the collector's function and its schedule: as configured, or nothing left of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .found import Found
from .promises import FUNCTION, Promise, listed, promise
from .static import run
from .wanted import Function, Wanted

ACTIVE, ENABLED = "Active", "ENABLED"
# What helps a function that is not Active; a run, which would change nothing, does not.
HELPS = {
    "Pending": "Lambda is still making it: verify again in a minute.",
    "Inactive": "Nobody called it for weeks, so Lambda took its interfaces: invoke it, which fails once, and verify "
    "again in a minute.",
}
ANEW = "Delete it, and ansible-playbook site.yml --tags collector makes it anew."


def promises(wanted: Wanted, found: Found) -> list[Promise]:
    """Every promise about them."""
    function = wanted.function
    if function is None:
        return []
    if not function.runs:
        return [_gone(function.name, found)]
    return [*_function(function, found), *_schedule(function, found)]


def _gone(name: str, found: Found) -> Promise:
    left = [f"a {kind}" for kind in ("function", "schedule") if found.state[kind]]
    broken = (
        f"There {'is' if len(left) == 1 else 'are'} {listed(left)} {name}, and must not be: collector_runs_on is ec2. "
        f"{run('collector')} It looks for the role {name}-schedule: where that is gone, delete them by hand."
    )
    return promise(FUNCTION, name, "is not there", broken if left else "", "collector_runs_on: ec2")


def _function(function: Function, found: Found) -> Iterator[Promise]:
    name, live = function.name, found.state["function"]
    if live is None:
        missing = f"There is no function {name}, and must be one: collector_runs_on is lambda. {run('collector')}"
        yield promise(FUNCTION, name, "is there", missing)
        return
    yield promise(FUNCTION, name, f"is {ACTIVE}", _inactive(name, live), live["runtime"])
    place = live.get("vpc_config") or {}
    subnet_names = {subnet["subnet_id"]: short for short, subnet in found.subnets.items()}
    for kind, wanted, ids, names in (
        ("subnet", function.subnets, place.get("subnet_ids") or [], subnet_names),
        ("group", function.groups, place.get("security_group_ids") or [], found.group_names),
    ):
        has = [names.get(each, each) for each in ids]
        broken = f"The function {name} is in {_named(kind, has)}, and must be in {_named(kind, wanted)}. "
        yield promise(
            FUNCTION, name, f"in {_named(kind, wanted)}",
            "" if set(has) == set(wanted) else broken + run("collector"), listed(ids),
        )  # fmt: skip


def _inactive(name: str, live: Mapping[str, Any]) -> str:
    state, reason = live["state"], str(live.get("state_reason") or "").rstrip(".")
    if state == ACTIVE:
        return ""
    why = f" ({reason})" if reason else ""
    return f"The function {name} is {state}{why}, and must be {ACTIVE}. {HELPS.get(state, ANEW)}"


def _named(kind: str, names: Iterable[str]) -> str:
    ordered = sorted(names)
    return f"the {kind}{'s' if len(ordered) > 1 else ''} {listed(ordered)}" if ordered else f"no {kind}"


def _schedule(function: Function, found: Found) -> Iterator[Promise]:
    name, live, target = function.name, found.state["schedule"], found.state["function"]
    subject, mend = f"the schedule {name}", run("collector")
    if live is None:
        missing = f"There is no schedule {name}, so nothing fires the function. {mend}"
        yield promise(FUNCTION, subject, "is there", missing)
        return
    state, fires, expression = live["state"], live["target"]["arn"], live["schedule_expression"]
    yield promise(
        FUNCTION, subject, f"is {ENABLED}",
        "" if state == ENABLED else
        f"The schedule {name} is {state}, and must be {ENABLED}: nothing fires the function. {mend}",
    )  # fmt: skip
    if target:  # where there is none, its own promise says so
        yield promise(
            FUNCTION, subject, "fires the function",
            "" if fires == target["function_arn"] else
            f"The schedule {name} fires {fires}, and must fire the function {name}. {mend}",
            fires,
        )  # fmt: skip
    yield promise(
        FUNCTION, subject, f"fires at {function.schedule}",
        "" if expression == function.schedule else
        f"The schedule {name} fires at {expression}, and must at {function.schedule}. {mend}",
    )  # fmt: skip
