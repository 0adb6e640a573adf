"""What to do with each MySQL server, and when to do nothing: decided from what every server says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

State = Mapping[str, Any]
"""What a server says of itself: ``schemas`` (names, its own), ``follows`` (a host's name, or ""), ``running`` (whether
it does), ``error``, ``executed``, ``purged`` and ``received`` (GTID sets), ``read_only``, ``semi_sync``, ``accounts``
(user names)."""

UNASKED: State = {
    "schemas": [], "follows": "", "running": False, "error": "", "executed": "", "purged": "", "received": "",
    "read_only": False, "semi_sync": False, "accounts": [],
}  # fmt: skip

FOLLOWS, REJOIN, BEGIN, CLONE, ALONE = "follow", "rejoin", "begin", "clone", "alone"

PROMOTE = "ansible-playbook playbooks/promote_database.yml -e host={host} -e confirm={host}"
BACK_UP = "ansible-playbook playbooks/backup_database.yml -e host={host}"
RESEED = "ansible-playbook playbooks/reseed_replica.yml -e host={host} -e confirm={host}"


def mysql_state_of(answer: str) -> dict[str, Any]:
    """The answer to ``mysql_question`` (vars/main.yml), a JSON object, with MySQL's 0 and 1 as what they mean."""
    told = json.loads(answer)
    truths = {name for name, value in UNASKED.items() if isinstance(value, bool)}
    return {name: bool(told[name]) if name in truths else told[name] for name in UNASKED if name in told} | {
        name: value for name, value in UNASKED.items() if name not in told
    }


def mysql_step(states: Mapping[str, State], host: str, topology: str, source: str, reseed: str = "") -> str:
    """How a server gets where ``topology`` wants it.

    ``alone`` (it follows nobody), ``follow`` (it does already), ``begin`` (both are empty), ``clone`` (it is empty, or
    is to be, and the source is not), ``rejoin`` (it has data, and follows from where it is).
    """
    state = states[host]
    if topology == "independent" or host == source:
        return ALONE
    if host == reseed:
        return CLONE
    if follows(state, source):
        return FOLLOWS
    if state["schemas"]:
        return REJOIN
    return CLONE if states[source]["schemas"] else BEGIN


def mysql_refusal(
    states: Mapping[str, State], host: str, topology: str, source: str, reseed: str = "", nothing_new: bool = True
) -> str:
    """Why nothing may be done to ``host``, in sentences that say what to do instead; empty where all is well.

    ``nothing_new`` says whether the source has every transaction that this server has, and can still give it the rest.
    """
    if topology == "independent":
        return ""
    step = mysql_step(states, host, topology, source, reseed)
    if host == source:
        return _refuse_source(states, host)
    if step == REJOIN and not nothing_new:
        return (
            f"{host} has data of its own (schemas {_listed(states[host]['schemas'])}) with a history that {source} "
            f"does not have, and following {source} would lose it. Nothing was changed. Save it: "
            f"`{BACK_UP.format(host=host)}`; then replace it by {source}'s: `{RESEED.format(host=host)}`. "
            "Or write mysql_topology: independent."
        )
    if step == CLONE and not states[source]["schemas"]:
        return f"{source} has no data that {host} could be seeded from. Nothing was changed."
    return ""


def _refuse_source(states: Mapping[str, State], host: str) -> str:
    state = states[host]
    others = {name: other for name, other in states.items() if name != host and other["schemas"]}
    if state["follows"]:
        return (
            f"{host} is mysql_source and follows {state['follows'].split('.')[0]}; a person promotes it: "
            f"`{PROMOTE.format(host=host)}`. Nothing was changed."
        )
    if others and not state["schemas"]:
        name, other = next(iter(others.items()))
        return (
            f"{host} is mysql_source and is empty, and {name} has data (schemas {_listed(other['schemas'])}), which "
            f"following an empty source would lose. Nothing was changed. Promote {name}: "
            f"`{PROMOTE.format(host=name)}`."
        )
    promoted = [name for name, other in others.items() if not other["follows"] and not other["read_only"]]
    if promoted and state["read_only"]:
        return (
            f"{host} is mysql_source and was fenced when {promoted[0]} was promoted. Write mysql_source: {promoted[0]} "
            "in group_vars/all/mysql.yml. Nothing was changed."
        )
    return ""


def mysql_promotion_refusal(states: Mapping[str, State], host: str) -> str:
    """Why ``host`` cannot be promoted; empty where it can."""
    state = states[host]
    if not state["follows"]:
        again = (
            ""
            if state["read_only"]
            else f" If it takes the writes already, write mysql_source: {host} and run site.yml."
        )
        return f"{host} follows nobody, so there is nothing to promote it from.{again}"
    if not state["schemas"]:
        return f"{host} has no data. Promoting it would lose the product's."
    followers = [name for name, other in states.items() if name != host and not other["follows"] and other["schemas"]]
    if state["error"] and followers:
        return (
            f"{host} stopped following {followers[0]} ({state['error']}), so it lacks what came after. Mend that first."
        )
    return ""


def mysql_promotion_waits(states: Mapping[str, State], host: str) -> list[str]:
    """The sets of transactions (GTID) that ``host`` must have before it takes writes."""
    own = [states[host]["received"]]
    others = [other["executed"] for name, other in states.items() if name != host and other["schemas"]]
    return [transactions for transactions in own + others if transactions]


def follows(state: State, source: str) -> bool:
    """Whether a server is a replica of ``source``, by its name with or without the zone."""
    return str(state["follows"]).split(".")[0] == source


def mysql_databases_on(databases: Sequence[Mapping[str, str]], host: str, topology: str, source: str) -> list[str]:
    """The names of the databases that ``host`` keeps; with replication the source keeps all."""
    return [str(item["name"]) for item in databases if _is_on(item, host, topology, source)]


def mysql_accounts_on(
    users: Sequence[Mapping[str, str]], host: str, topology: str, source: str, database: str
) -> list[dict[str, str]]:
    """Each user of ``host`` once, as ``{"name": …, "priv": …}`` with the privileges of all of its records."""
    granted: dict[str, dict[str, list[str]]] = {}
    for user in users:
        if _is_on(user, host, topology, source):
            schema = str(user.get("database", database))
            granted.setdefault(str(user["name"]), {}).setdefault(schema, []).append(str(user["privileges"]))
    return [
        {"name": name, "priv": "/".join(f"{schema}.*:{','.join(privileges)}" for schema, privileges in schemas.items())}
        for name, schemas in granted.items()
    ]


def _is_on(item: Mapping[str, str], host: str, topology: str, source: str) -> bool:
    return host == (source if topology == "replication" else str(item.get("host", source)))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))


class FilterModule:
    """Ansible's way in."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "mysql_state_of": mysql_state_of,
            "mysql_step": mysql_step,
            "mysql_refusal": mysql_refusal,
            "mysql_promotion_refusal": mysql_promotion_refusal,
            "mysql_promotion_waits": mysql_promotion_waits,
            "mysql_databases_on": mysql_databases_on,
            "mysql_accounts_on": mysql_accounts_on,
        }
