"""Promises that the API alone answers: what makes a subnet public, which rule admits whom, what protects a host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .found import Found, Table, block_devices
from .promises import FRONT, GROUPS, HOSTS, SUBNETS, WAY_OUT, Promise, listed, promise
from .wanted import EVERYWHERE, NAT, Rule, Subnet, Wanted

NETWORK_FILE = "group_vars/all/network.yml"
GROUPS_FILE = "group_vars/all/security_groups.yml"
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def promises(wanted: Wanted, found: Found, bucket: Mapping[str, Any] | None) -> list[Promise]:
    """Every promise that needs no packet."""
    return [
        *subnets(wanted, found),
        *routes(wanted, found),
        *ways(wanted, found),
        *groups(wanted, found),
        *hosts(wanted, found),
        *(front(found, bucket) if bucket else []),
    ]


def subnets(wanted: Wanted, found: Found) -> Iterator[Promise]:
    """Each subnet is what its table in the configuration makes it."""
    there = found.subnets
    for subnet in wanted.subnets:
        live = there.get(subnet.name)
        if live is None:
            yield promise(SUBNETS, subnet.name, subnet.nature, f"There is no subnet {subnet.name}. {run('network')}")
            continue
        table = found.table_of(live["subnet_id"])
        broken = _wrong_table(subnet, table, wanted) or _wrong_way(subnet, table, wanted, found)
        yield promise(SUBNETS, subnet.name, f"is {subnet.nature}", broken, _why(table))
        if live.get("map_public_ip_on_launch"):
            yield promise(
                SUBNETS, subnet.name, "gives no public addresses",
                f"{subnet.name} gives every new instance a public address (MapPublicIpOnLaunch), and must not. "
                f"{run('network')}",
            )  # fmt: skip
    named = {subnet.name for subnet in wanted.subnets}
    for name, live in there.items():
        ours = (live.get("tags") or {}).get("Name") == f"{wanted.prefix}-{name}"
        if ours and name not in named:
            yield promise(
                SUBNETS, name, "is not there",
                f"{name} ({live['subnet_id']}) is in the VPC, and {NETWORK_FILE} has no such subnet. Move or terminate "
                f"what stands in it; then ansible-playbook site.yml --tags network deletes it.",
            )  # fmt: skip


def _wrong_table(subnet: Subnet, table: Table | None, wanted: Wanted) -> str:
    if table is None:
        return f"{subnet.name} follows no route table at all. {run('network')}"
    mends = _mends(table.decides) if table.name == subnet.table else run("network")
    says = f"{NETWORK_FILE} gives it the table {subnet.table}, which makes it {subnet.nature}. {mends}"
    if table.blackhole:
        return (
            f"{subnet.name} has no way out: {_named(table)} sends {EVERYWHERE} to {table.target}, which is not there "
            f"any more. {_run_ways(wanted)}"
        )
    if table.nature != subnet.nature:
        return f"{subnet.name} is {table.nature}, and must be {subnet.nature}: {_why(table)}; {says}"
    if table.name != subnet.table:
        return f"{subnet.name} follows another table than it should: {_why(table)}; {says}"
    return ""


def _wrong_way(subnet: Subnet, table: Table | None, wanted: Wanted, found: Found) -> str:
    """A private subnet gets out by the NAT that the configuration has for its zone."""
    if not subnet.way or not table or not table.target or _leads(table.target, subnet.way, wanted, found):
        return ""
    why = f"{_named(table)} sends {EVERYWHERE} to {table.target}"
    return (
        f"{subnet.name} gets out by {_way(table.target, found)}, and must by {_asked(subnet.way, wanted)}: {why}. "
        f"{_run_ways(wanted)}"
    )


def _leads(target: str, asked: str, wanted: Wanted, found: Found) -> bool:
    """Whether a route's target is what the configuration calls by that name."""
    way = wanted.ways.get(asked)
    return found.way_of(target) == (way.kind, way.subnet) if way else target.startswith("igw-")


def _way(target: str, found: Found) -> str:
    kind, place = found.way_of(target)
    return f"a NAT {kind} in {place}" if kind else target


def _asked(target: str, wanted: Wanted) -> str:
    way = wanted.ways.get(target)
    return f"a NAT {way.kind} in {way.subnet}" if way else "the internet gateway"


def routes(wanted: Wanted, found: Found) -> Iterator[Promise]:
    """Each table has the routes of the configuration, and no other. What the subnets' promises tell is not told twice.

    A default route alone, which makes the subnets what they are, is their promise.
    """
    told = _told(wanted, found)
    there = found.tables
    for name, asked in wanted.tables.items():
        table = there.get(name)
        if table is None:
            continue  # its subnets' promises say so
        for destination in dict.fromkeys([*asked, *table.routes]):
            if (name, destination) in told:
                continue
            broken = _wrong_route(destination, asked.get(destination, ""), table, wanted, found)
            if broken or (destination in asked and destination != EVERYWHERE):
                says = f"has no route for {destination}"
                if destination in asked:
                    says = f"sends {destination} to {_asked(asked[destination], wanted)}"
                yield promise(SUBNETS, f"the table {name}", says, broken, table.table_id)


def _told(wanted: Wanted, found: Found) -> set[tuple[str, str]]:
    """The tables and destinations that the broken promises of their own subnets name already."""
    told = set()
    there = found.subnets
    for subnet in wanted.subnets:
        table = found.table_of(there[subnet.name]["subnet_id"]) if subnet.name in there else None
        if table is None or table.name != subnet.table:
            continue
        if table.blackhole or (subnet.way and table.target):
            told.add((table.name, EVERYWHERE))
        if table.nature != subnet.nature:
            told.add((table.name, table.decides or EVERYWHERE))
    return told


def _wrong_route(destination: str, asked: str, table: Table, wanted: Wanted, found: Found) -> str:
    target = table.routes.get(destination, "")
    if target and asked and _leads(target, asked, wanted, found):
        return ""
    where = f"The table {table.name} ({table.table_id})"
    if not target:
        must = f"must send it to {_asked(asked, wanted)}. {_run_ways(wanted)}"
        return f"{where} has no route for {destination}, and {must}"
    sends = f"{where} sends {destination} to {_way(target, found)}"
    if asked:
        return f"{sends}, and must to {_asked(asked, wanted)}. {_run_ways(wanted)}"
    return f"{sends}, and must not: {NETWORK_FILE} has no such route. {_mends(destination)}"


def _mends(destination: str) -> str:
    """What takes a route away: a run looks at those for IPv4 ranges alone."""
    by_hand = destination.startswith("pl-") or ":" in destination
    return f"Delete the route for {destination} by hand: no run does." if by_hand else run("network")


def ways(wanted: Wanted, found: Found) -> Iterator[Promise]:
    """The ways out are those of the configuration: another one would cost money, or let somebody out."""
    places = {(way.kind, way.subnet) for way in wanted.ways.values()}
    targets = [gateway["nat_gateway_id"] for gateway in found.state["nat_gateways"]]
    targets += [
        instance["instance_id"]
        for instance in found.state["instances"]
        if (instance.get("tags") or {}).get("Role") == NAT and instance["state"]["name"] in ("pending", "running")
    ]
    there = {target: found.way_of(target) for target in targets}
    for way in wanted.ways.values():
        target = next((target for target, place in there.items() if place == (way.kind, way.subnet)), "")
        yield promise(
            WAY_OUT, way.name, f"is a NAT {way.kind} in {way.subnet}",
            "" if target else f"There is no NAT {way.kind} in {way.subnet}. {_run_ways(wanted)}", target,
        )  # fmt: skip
    for target, (kind, place) in there.items():
        if (kind, place) not in places:
            yield promise(
                WAY_OUT, target, "is not there",
                f"There is a NAT {kind} in {place} ({target}), which costs money, and no subnet needs it. "
                f"{_run_ways(wanted)}",
            )  # fmt: skip


def _run_ways(wanted: Wanted) -> str:
    gateways = all(way.kind == "gateway" for way in wanted.ways.values())
    return run("network" if gateways else "network,security_groups,instances")


def _named(table: Table) -> str:
    return (
        f"the table {table.name} ({table.table_id})" if table.explicit else f"the VPC's main table ({table.table_id})"
    )


def _why(table: Table | None) -> str:
    if table is None:
        return ""
    decides = table.decides
    way = f"sends {decides} to {table.routes[decides]}" if decides else "has no default route"
    return f"{_named(table)} {way}"


def groups(wanted: Wanted, found: Found) -> Iterator[Promise]:
    """Each group has the rules of the configuration, and no other."""
    there = found.groups
    for name, rules in wanted.groups.items():
        if name not in there:
            yield promise(
                GROUPS, name, "is there", f"There is no security group {wanted.prefix}-{name}. {run('security_groups')}"
            )
            continue
        asked = {rule.meaning: rule for rule in rules}
        has = {rule.meaning: rule for rule in there[name]}
        for rule in rules:
            live = has.get(rule.meaning)
            yield promise(
                GROUPS, name, _admits(rule),
                "" if live else f"{name} lacks the rule that {GROUPS_FILE} asks for: {rule}. {run('security_groups')}",
                live.name if live else "",
            )  # fmt: skip
        for rule in there[name]:
            if rule.meaning not in asked:
                yield promise(GROUPS, name, f"has no rule for {rule}", _extra(name, rule), rule.name)


def _admits(rule: Rule) -> str:
    return f"{'may open' if rule.egress else 'admits'} {rule}"


def _extra(group: str, rule: Rule) -> str:
    if rule.peer.startswith("prefix list"):
        what = "admits every CloudFront customer" if not rule.egress else "lets out more than it should"
        should = "should name this account's own CloudFront group"
        return f"{group} {what}: the rule {rule.name} ({rule}) {should}. {run('cdn')}"
    verb = "lets its hosts open" if rule.egress else "admits"
    return (
        f"{group} {verb} {rule}, and must not: {GROUPS_FILE} has no such rule as {rule.name}. {run('security_groups')}"
    )


def hosts(wanted: Wanted, found: Found) -> Iterator[Promise]:
    """Each host is there once, unseen from outside, with IMDSv2 alone and encrypted volumes."""
    there = found.instances
    subnet_names = {subnet["subnet_id"]: name for name, subnet in found.subnets.items()}
    for host in wanted.hosts:
        running = [each for each in there.get(host.name, []) if each["state"]["name"] == "running"]
        if len(running) != 1:
            yield promise(
                HOSTS, host.name, "runs",
                f"{host.name} runs {len(running)} times, and must run once. "
                f"{run('instances') if not running else 'Terminate the others.'}",
            )  # fmt: skip
            continue
        instance = running[0]
        where = subnet_names.get(instance.get("subnet_id", ""), instance.get("subnet_id", "nowhere"))
        yield promise(
            HOSTS, host.name, f"in {host.subnet}",
            "" if where == host.subnet else
            f"{host.name} stands in {where}, and must stand in {host.subnet}: an instance cannot move. Terminate it "
            f"and run ansible-playbook site.yml --tags instances.",
            instance.get("subnet_id", ""),
        )  # fmt: skip
        address = instance.get("public_ip_address") or ""
        if host.role == NAT:
            yield from _nat_instance(host.name, instance, address)
        else:
            yield promise(
                HOSTS, host.name, "no public address",
                f"{host.name} has the public address {address}, and must have none. Take it away, or terminate the "
                f"instance and run ansible-playbook site.yml --tags instances." if address else "",
            )  # fmt: skip
        in_groups = found.groups_of(instance)
        yield promise(
            HOSTS, host.name, f"in {_groups_named(host.groups)}",
            "" if set(in_groups) == set(host.groups) else
            f"{host.name} is in {_groups_named(in_groups)}, and must be in {_groups_named(host.groups)}. "
            f"{run('instances')}",
        )  # fmt: skip
    for name, same in sorted(there.items()):
        for instance in same:
            yield from _protection(name, instance, found)


def _nat_instance(name: str, instance: Mapping[str, Any], address: str) -> Iterator[Promise]:
    yield promise(
        HOSTS, name, "has a public address",
        "" if address else f"{name} has no public address, so nobody gets out by it. {run('network,instances')}",
        address,
    )  # fmt: skip
    yield promise(
        HOSTS, name, "forwards for others",
        f"{name}'s source/destination check is on, so what it would forward is dropped. {run('instances')}"
        if instance.get("source_dest_check") else "",
        "source/destination check: off",
    )  # fmt: skip


def _groups_named(groups: Iterable[str]) -> str:
    return f"the group{'s' if len(list(groups)) > 1 else ''} {listed(sorted(groups))}"


def token_problem(name: str, instance: Mapping[str, Any]) -> str:
    """What is wrong with an instance's metadata service, as its attributes say; empty where nothing is."""
    tokens = (instance.get("metadata_options") or {}).get("http_tokens", "unknown")
    if tokens == "required":
        return ""
    return (
        f"{name}'s metadata service takes requests without a token (http_tokens is {tokens}, and must be required): "
        f"a request forged through an application could read its credentials. {run('instances')}"
    )


def _protection(name: str, instance: Mapping[str, Any], found: Found) -> Iterator[Promise]:
    yield promise(HOSTS, name, "IMDSv2 alone", token_problem(name, instance), "http_tokens: required")
    volumes = {volume["volume_id"]: volume for volume in found.state["volumes"]}
    plain = [each for each in block_devices(instance) if not volumes.get(each, {}).get("encrypted")]
    yield promise(
        HOSTS, name, "encrypted volumes",
        f"{name}'s {'volume' if len(plain) == 1 else 'volumes'} {listed(plain)} {'is' if len(plain) == 1 else 'are'} "
        f"not encrypted. No volume can be encrypted in place: terminate the instance and run ansible-playbook site.yml."
        if plain else "",
        listed(block_devices(instance)),
    )  # fmt: skip


def front(found: Found, bucket: Mapping[str, Any]) -> Iterator[Promise]:
    """The bucket is CloudFront's alone."""
    name = bucket["name"]
    if not bucket["exists"]:
        yield promise(FRONT, name, "is there", f"There is no bucket {name}. {run('cdn')}")
        return
    block = bucket["public_access_block"] or {}
    off = [key for key in BLOCKS if not block.get(key)]
    yield promise(
        FRONT, "bucket", "blocks public access",
        f"The bucket {name} does not block public access: {listed(off)} {'is' if len(off) == 1 else 'are'} off. "
        f"{run('cdn')}" if off else "",
        "Block Public Access: all four",
    )  # fmt: skip
    arns = [distribution["arn"] for distribution in found.state["distributions"]]
    strangers = [who for who in readers(bucket["policy"]) if who not in arns]
    missing = [arn for arn in arns if arn not in readers(bucket["policy"])]
    broken = ""
    if strangers:
        broken = (
            f"The policy of the bucket {name} lets {listed(strangers)} read it, and must name CloudFront's "
            f"distribution alone. {run('cdn')}"
        )
    elif missing:
        broken = f"The policy of the bucket {name} does not let the distribution {missing[0]} read it. {run('cdn')}"
    yield promise(FRONT, "bucket", "lets the distribution alone read it", broken, listed(arns))


def readers(policy: Mapping[str, Any] | None) -> list[str]:
    """Whom a bucket's policy admits: a distribution's ARN, or the principal in AWS's words."""
    found = []
    for statement in (policy or {}).get("Statement", []):
        if statement.get("Effect") != "Allow":
            continue
        sources = (statement.get("Condition") or {}).get("StringEquals", {})
        source = next((value for key, value in sources.items() if key.lower() == "aws:sourcearn"), None)
        principal = statement.get("Principal")
        if isinstance(principal, Mapping) and principal.get("Service") == "cloudfront.amazonaws.com" and source:
            found += source if isinstance(source, list) else [source]
        else:
            found.append("everybody" if principal in ("*", {"AWS": "*"}) else str(principal))
    return found


def run(tag: str) -> str:
    """What puts it right."""
    return f"ansible-playbook site.yml --tags {tag} puts it right."
