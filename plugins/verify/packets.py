"""Promises that packets answer: what each host, and the outside, got when it tried."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .found import Found
from .promises import DATABASES, FRONT, HOSTS, REACH, WAY_OUT, Promise, listed, promise
from .static import GROUPS_FILE, run, token_problem
from .wanted import NAT, Connection, Wanted, admission

OPEN, REFUSED, DROPPED, UNKNOWN_NAME = "open", "refused", "dropped", "unknown name"
OUTSIDE = "outside"

Answers = Mapping[str, Mapping[str, Any]]


def questions(wanted: Wanted, source: str, addresses: Mapping[str, str] | None = None) -> list[list[Any]]:
    """What a place tries: name or address, port, whether it must get through. ``addresses`` stand for names outside."""
    return [
        [addresses[each.target] if addresses else each.target, each.port, each.reaches]
        for each in wanted.connections
        if each.source == source and (addresses is None or each.target in addresses)
    ]


def promises(wanted: Wanted, found: Found, answers: Answers) -> list[Promise]:
    """Every promise that packets answer; ``answers`` holds what the probe said, by place.

    A place without an answer was not asked; one with ``problem`` could not be, which breaks what it should have shown.
    """
    return [
        *reach(wanted, found, answers),
        *way_out(wanted, found, answers),
        *metadata(wanted, found, answers),
        *databases(wanted, answers),
    ]


def reach(wanted: Wanted, found: Found, answers: Answers) -> Iterator[Promise]:
    """Each connection is made, or is not, as promised."""
    there = {name: each[0] for name, each in found.instances.items()}
    outside = {name: instance.get("private_ip_address", "") for name, instance in there.items()}
    for each in wanted.connections:
        answer = answers.get(each.source)
        says = f"{'reaches' if each.reaches else 'does not reach'} {each.target}:{each.port}"
        kept: bool | None = None
        because, sentence = _admitting(found, there, each) or each.because, ""
        if answer and answer.get("problem"):
            kept, sentence = False, f"{each.source} could not be asked what it reaches: {answer['problem']}."
        elif answer:
            target = outside.get(each.target, "") if each.source == OUTSIDE else each.target
            got = outcomes(answer).get((target, each.port))
            if got is not None:
                sentence = _wrong(each, got, because)
                kept = not sentence
        yield Promise(
            REACH, each.source, says, kept, because, sentence, each.source, each.target, each.port, each.reaches
        )
    yield from _public_addresses(found, answers.get(OUTSIDE))


def _public_addresses(found: Found, answer: Mapping[str, Any] | None) -> Iterator[Promise]:
    """Nothing that has a public address answers the outside."""
    if not answer or answer.get("problem"):
        return
    got = outcomes(answer)
    for address in found.public_addresses:
        answering = [str(port) for (where, port), outcome in got.items() if where == address and outcome != DROPPED]
        yield promise(
            REACH, OUTSIDE, f"gets nothing from {address}",
            f"The public address {address} answers the outside on port {listed(answering)}, and must not. Groups and "
            f"routes decide: look at {GROUPS_FILE}." if answering else "",
            "no answer",
        )  # fmt: skip


def outcomes(answer: Mapping[str, Any]) -> dict[tuple[str, int], str]:
    return {(where, int(port)): outcome for where, port, outcome in answer["connections"]}


def _wrong(each: Connection, got: str, because: str) -> str:
    where = f"{each.target} on port {each.port}"
    if each.reaches and got == DROPPED:
        why = f"the rule {because} admits it, so look at the route tables" if because else (
            f"no rule in AWS admits it; {GROUPS_FILE} has one"
        )  # fmt: skip
        return f"{each.source} does not reach {where}, and must: {why}. {run('network,security_groups')}"
    if each.reaches and got == UNKNOWN_NAME:
        return f"{each.source} does not know the name {each.target}, so it cannot reach it. {run('instances')}"
    if each.reaches and got == REFUSED and each.listens:
        return f"{each.source} reaches {where}, but nothing listens there: look at the service on {each.target}."
    if not each.reaches and got in (OPEN, REFUSED):
        why = (
            f"the rule {because} admits it" if because else "no rule of its groups admits it, so look at its addresses"
        )
        return f"{each.source} reaches {where}, and must not: {why}. {run('security_groups')}"
    return ""


def _admitting(found: Found, there: Mapping[str, Any], each: Connection) -> str:
    """The rule of the target that admits a connection today, by its name and group; empty where none does."""
    target = there.get(each.target)
    if not target:
        return ""
    groups = found.groups
    end = (found.groups_of(target), target.get("private_ip_address", ""))
    if each.source == OUTSIDE:
        entering = next(
            (rule for name in end[0] for rule in groups.get(name, ()) if not rule.egress and _from_anywhere(rule.peer)
             and rule.protocol in ("all", "tcp") and (rule.first == -1 or rule.first <= each.port <= rule.last)),
            None,
        )  # fmt: skip
        return f"{entering.name} ({entering})" if entering else ""
    source = there.get(each.source)
    if not source:
        return ""
    admitted = admission(groups, (found.groups_of(source), source.get("private_ip_address", "")), end, each.port)
    return f"{admitted[1].name} ({admitted[1]})" if admitted else ""


def _from_anywhere(peer: str) -> bool:
    return "/" in peer and ipaddress.ip_network(peer, strict=False).prefixlen == 0


def way_out(wanted: Wanted, found: Found, answers: Answers) -> Iterator[Promise]:
    """Each host of a private subnet gets out, and is seen as the address that its subnet's table leads to.

    Where its table leads some of the outside to a NAT, and some not, it may also get no answer: which addresses the
    outside service has, only its name's resolver knows.
    """
    subnets = found.subnets
    outward = {subnet.name: subnet.gets_out for subnet in wanted.subnets}
    for host in wanted.hosts:
        table = found.table_of(subnets[host.subnet]["subnet_id"]) if host.subnet in subnets else None
        gets_out = host.role == NAT or outward[host.subnet]
        # Behind a table that is not what it should be, any NAT's address is the one that was promised.
        addresses = (table.sees if table else ()) or (() if gets_out is False else found.nat_addresses)
        if host.role == NAT:
            own = found.instances.get(host.name, [{}])[0].get("public_ip_address")
            addresses = (own,) if own else ()
        answer = answers.get(host.name)
        kept: bool | None = None
        sentence = ""
        if answer and not answer.get("problem"):
            seen = answer.get("address")
            kept = seen is None if gets_out is False else seen in addresses or (gets_out is None and seen is None)
            if not kept:
                must = "nobody" if gets_out is False else listed(addresses, "or") if addresses else "a NAT's address"
                sentence = (
                    f"{host.name} is seen outside as {seen or 'nobody: it gets no answer'}, and must be seen as "
                    f"{must}. {run('network')}"
                )
        seen_as = f"is seen outside as {listed(addresses, 'or') if addresses else 'a NAT'}"
        says = {True: seen_as, False: "does not get out", None: f"{seen_as}, or by nobody"}[gets_out]
        because = f"the table {table.name} leads to {table.target}" if table and table.target else ""
        yield Promise(WAY_OUT, host.name, says, kept, because, sentence)


def metadata(wanted: Wanted, found: Found, answers: Answers) -> Iterator[Promise]:
    """The metadata service refuses who has no token, asked from the host itself."""
    for host in wanted.hosts:
        status = (answers.get(host.name) or {}).get("metadata_without_token")
        if status is not None:
            yield promise(
                HOSTS, host.name, "no metadata without a token",
                "" if status == 401 else token_problem(host.name, found.instances.get(host.name, [{}])[0]) or
                f"{host.name}'s metadata service answered {status} to a request without a token, and must answer 401. "
                f"{run('instances')}",
                "answered 401",
            )  # fmt: skip


def databases(wanted: Wanted, answers: Answers) -> Iterator[Promise]:
    """MySQL asks for TLS of everybody, and the replica follows its source."""
    for host in (each for each in wanted.hosts if each.role == "database"):
        answer = answers.get(host.name)
        if not answer or answer.get("problem"):
            continue
        said = answer.get("mysql") or {}
        if "problem" in said:
            yield promise(
                DATABASES,
                host.name,
                "answers",
                f"MySQL on {host.name} does not answer: {said['problem']}. {run('database')}",
            )
            continue
        yield promise(
            DATABASES, host.name, "refuses connections without TLS",
            "" if said.get("require_secure_transport") == "1" else
            f"MySQL on {host.name} takes connections without TLS (require_secure_transport is off). {run('database')}",
            "require_secure_transport: on",
        )  # fmt: skip
        if host.name in wanted.replicas:
            yield promise(
                DATABASES, host.name, f"follows {wanted.mysql_source} over TLS", _replication(host.name, wanted, said),
                f"receives: {said.get('receiver')}, applies: {said.get('applier')}",
            )  # fmt: skip


def _replication(name: str, wanted: Wanted, said: Mapping[str, str]) -> str:
    source = wanted.mysql_source
    if said.get("receiver") != "ON" or said.get("applier") != "ON":
        stopped = [
            part for key, part in (("receiver", "receiving"), ("applier", "applying")) if said.get(key) != "ON"
        ]  # fmt: skip
        error = f" ({said['error']})" if said.get("error") else ""
        stand = "is" if len(stopped) == 1 else "are"
        return f"{name} does not follow {source}: {listed(stopped)} {stand} stopped{error}. {run('database')}"
    if said.get("source_tls") != "YES":
        return f"{name} follows {source} without TLS. {run('database')}"
    if said.get("super_read_only") != "1":
        return (
            f"{name} is a replica and takes writes (super_read_only is off), which would put it at odds with {source}. "
            f"{run('database')}"
        )
    return ""


def front(answers: Sequence[Mapping[str, Any]]) -> Iterator[Promise]:
    """What CloudFront and the bucket were asked: ``url``, ``name``, ``wanted`` and ``status`` (None: no answer)."""
    for each in answers:
        got = each["status"]
        ok = got == each["wanted"]
        what = f"{each['name']} answers {got if got is not None else 'nothing'}, and must answer {each['wanted']}"
        if each.get("direct"):
            yield promise(
                FRONT, "bucket", "refuses a direct read",
                "" if ok else f"The bucket, read directly at {each['url']}, answers "
                f"{got if got is not None else 'nothing'}, and must answer {each['wanted']}. {run('cdn')}",
                f"answered {got}",
            )  # fmt: skip
        else:
            yield promise(
                FRONT, each["name"], f"answers {each['wanted']} through CloudFront",
                "" if ok else f"{what}, at {each['url']}. {_front_advice(each, got)}",
                f"answered {got}",
            )  # fmt: skip


def _front_advice(each: Mapping[str, Any], got: int | None) -> str:
    if got in (502, 504):
        return (
            "CloudFront gets no answer from the backend: look at its service, then at its group's rule for CloudFront."
        )
    return "Look at the backend's log." if each["name"].startswith("/api") else run("cdn,frontend")
