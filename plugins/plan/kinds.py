"""What a task's result in check mode means: the kind of thing, its name, and what would happen to it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

CREATE, CHANGE, DELETE = "create", "change", "delete"
# A value that only AWS can choose, and one that is too long to show.
LONGEST = 90
# Stands for what is not there yet while a plan is made (the roles' placeholders).
PLACEHOLDER = "0" * 17


@dataclass(frozen=True)
class Change:
    """One property, from what to what, as text."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """One thing that a run would create, change or delete."""

    verb: str
    kind: str
    name: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Kind:
    """How to read a module's results.

    ``name`` picks the thing's name from the module's arguments; ``there`` says from the result whether it exists today;
    ``compared`` maps an argument to where the result has today's value, for modules that tell no difference;
    ``told`` are the members of a difference that say something, where others only repeat them.
    """

    noun: str
    name: Callable[[Mapping[str, Any]], Any] = lambda args: (args.get("tags") or {}).get("Name") or args.get("name")
    there: Callable[[Mapping[str, Any]], bool] | None = None
    compared: Mapping[str, tuple[str, ...]] | None = None
    told: tuple[str, ...] = ()


def _has(*path: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda result: bool(_at(result, path))


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for index, key in enumerate(path):
        if key == "*":
            return sorted(_at(each, path[index + 1 :]) for each in values or [])
        if isinstance(values, list):
            values = values[0] if values else None
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


KINDS: dict[str, Kind] = {
    "ec2_vpc_net": Kind(
        "VPC", lambda args: args.get("name"), _has("vpc"),
        {"dns_support": ("vpc", "enable_dns_support"), "dns_hostnames": ("vpc", "enable_dns_hostnames"),
         "tags": ("vpc", "tags")},
    ),
    "ec2_vpc_subnet": Kind(
        "subnet", there=_has("subnet", "id"),
        compared={"map_public": ("subnet", "map_public_ip_on_launch"), "tags": ("subnet", "tags")},
    ),
    "ec2_vpc_igw": Kind("internet gateway", there=_has("gateway_id"), compared={"tags": ("tags",)}),
    "ec2_eip": Kind("Elastic IP", there=_has("public_ip")),
    "ec2_vpc_nat_gateway": Kind("NAT gateway", there=_has("nat_gateway_id"), compared={"tags": ("tags",)}),
    "ec2_routing_table": Kind("route table"),
    "ec2_vpc_route_table": Kind("route table"),
    "ec2_gateway_endpoint": Kind("gateway endpoint"),
    "route53_zone": Kind("private zone", lambda args: args.get("zone"), _has("zone_id"),
                         {"comment": ("comment",), "tags": ("tags",)}),
    "ec2_vpc_dhcp_option": Kind("DHCP options", there=_has("dhcp_options_id")),
    "ec2_security_group": Kind("security group", lambda args: args.get("name")),
    "ec2_key": Kind("key pair", lambda args: args.get("name"), _has("key"), {"tags": ("key", "tags")}),
    "ec2_instance": Kind("instance", lambda args: args.get("name"), _has("instances"),
                         {"state": ("instances", "state", "name"),
                          "instance_type": ("instances", "instance_type"), "tags": ("instances", "tags"),
                          "metadata_options.http_tokens": ("instances", "metadata_options", "http_tokens"),
                          "security_groups": ("instances", "security_groups", "*", "group_id")}),
    "ec2_vol": Kind("volume", lambda _: "", lambda _: True),
    "route53": Kind("private name", lambda args: args.get("record"), told=("values", "ttl")),
    "s3_private_bucket": Kind("bucket"),
    "s3_site": Kind("site", lambda args: args.get("bucket"), lambda _: True),
    "secretsmanager_secret": Kind("secret"),
    "cloudfront_origin_access_control": Kind("origin access control", lambda args: args.get("name")),
    "cloudfront_function": Kind("CloudFront function", lambda args: args.get("name")),
    "cloudfront_vpc_origin": Kind("VPC origin", lambda args: args.get("name")),
    "cloudfront_web_distribution": Kind("distribution"),
    "cloudfront_cache_invalidation": Kind("cached pages", lambda args: ", ".join(args.get("paths") or []),
                                          lambda _: True),
    "ec2_instance_connect_endpoint": Kind("instance connect endpoint"),
    "iam_role": Kind("role", lambda args: args.get("name"), _has("iam_role"),
                     {"description": ("iam_role", "description"), "tags": ("iam_role", "tags"),
                      "managed_policies": ("iam_role", "attached_policies", "*", "policy_arn")}),
    "iam_policy": Kind("role's policy", lambda args: f"{args.get('policy_name')} of {args.get('iam_name')}"),
    "lambda": Kind("Lambda function", lambda args: args.get("name"), _has("configuration"),
                   {"memory_size": ("configuration", "memory_size"), "timeout": ("configuration", "timeout"),
                    "runtime": ("configuration", "runtime"), "handler": ("configuration", "handler"),
                    "tags": ("tags",)}),
    "cloudwatchlogs_log_group": Kind("log group", lambda args: args.get("log_group_name"), _has("log_group_name"),
                                     {"retention": ("retention_in_days",), "tags": ("tags",)}),
    "scheduler_schedule": Kind("schedule"),
    # Its results are secret, and it is asked only where the server runs.
    "mysql_user": Kind("MySQL user", lambda args: args.get("name"), lambda _: True),
    "mysql_db": Kind("MySQL schema", lambda args: args.get("name")),
}  # fmt: skip
# What says that there is nothing, in one module's words or another's.
EMPTY: tuple[Any, ...] = (None, "", {}, [])
PERMISSIONS = ("ip_permissions", "ip_permissions_egress")
# A module tells of these on one side alone.
ONE_SIDED = ("security_group_arn",)
FILES = ("template", "copy", "file", "lineinfile", "unarchive")


def entries(
    *, action: str, task: str, host: str, label: str, args: Mapping[str, Any], result: Mapping[str, Any]
) -> Iterator[Entry]:
    """What one changed result (of a task, or of one item of its loop) means."""
    short = action.rpartition(".")[2]
    place = "" if host == "localhost" else f" on {host}"
    kind = KINDS.get(short)
    diffs = [each for each in _listed(result.get("diff")) if isinstance(each, Mapping)]
    if kind and args:
        name = str(kind.name(args) or label or task)
        yield Entry(
            _verb(kind, args, result, diffs), kind.noun, f"{name}{place}", tuple(_changes(kind, args, result, diffs))
        )
    elif short in FILES and args:
        path = str(args.get("path") or args.get("dest") or task)
        before = any(_there(diff.get("before")) for diff in diffs)
        # Of one with a secret nothing is told, also not whether it is there.
        verb = DELETE if args.get("state") == "absent" else CHANGE if before or not result else CREATE
        yield Entry(verb, "file", f"{path}{place}", tuple(_differences(diffs)))
    elif short == "debug":
        for said in _listed(result.get("msg", task)):
            verb, noun, name = _said(str(said))
            yield Entry(verb, noun, f"{name}{place}")
    else:
        yield Entry(CHANGE, "task", f"{task}{f': {label}' if label else ''}{place}", tuple(_differences(diffs)))


def _there(side: Any) -> bool:
    """Whether a file's diff tells that there is a file today."""
    return side.get("state") != "absent" if isinstance(side, Mapping) else bool(side)


def merged(found: Iterable[Entry]) -> list[Entry]:
    """Each thing once, though several tasks may have told of it; what is created is not also changed."""
    things: dict[tuple[str, str], Entry] = {}
    for each in found:
        known = things.get((each.kind, each.name))
        if known is None:
            things[each.kind, each.name] = each
        elif known.verb == CHANGE:
            things[each.kind, each.name] = replace(known, changes=tuple(dict.fromkeys(known.changes + each.changes)))
    return list(things.values())


def _said(message: str) -> tuple[str, str, str]:
    """``Would run backend in app-a``, ``Would delete VPC: shop``: what a role says of what no module tells of."""
    verb, _, rest = message.removeprefix("Would ").partition(" ")
    nouns = {"run": "instance", "publish": "site", "build": "frontend build"}
    noun, colon, name = rest.partition(": ")
    if verb == "delete" and colon:
        return DELETE, noun, name
    return (CREATE, nouns[verb], rest) if verb in nouns and rest else (CHANGE, "task", f"{verb} {rest}".strip())


def _verb(kind: Kind, args: Mapping[str, Any], result: Mapping[str, Any], diffs: list[Mapping[str, Any]]) -> str:
    if args.get("state") in ("absent", "terminated"):
        return DELETE
    if kind.there is not None:
        return CHANGE if kind.there(result) else CREATE
    before = [diff.get("before") for diff in diffs]
    if any(before):
        return CHANGE if any(diff.get("after") for diff in diffs) else DELETE
    return CREATE


def _changes(
    kind: Kind, args: Mapping[str, Any], result: Mapping[str, Any], diffs: list[Mapping[str, Any]]
) -> Iterator[Change]:
    yield from (each for each in _differences(diffs) if not kind.told or each.what in kind.told)
    for argument, path in (kind.compared or {}).items():
        wanted, today = _at(args, tuple(argument.split("."))), _at(result, path)
        if wanted is None or today is None:
            continue
        if isinstance(wanted, list) and isinstance(today, list):
            wanted = sorted(wanted)
        if argument == "tags":
            name = args.get("name")
            wanted = {**wanted, **({"Name": name} if name and "Name" in today else {})}
        yield from _difference(argument, today, wanted)


def _differences(diffs: list[Mapping[str, Any]]) -> Iterator[Change]:
    for diff in diffs:
        before, after = _parsed(diff.get("before")), _parsed(diff.get("after"))
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _difference("", before, after)
        elif before != after:
            yield from _file_changes([diff])


def _difference(what: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after or (before in EMPTY and after in EMPTY) or what in ONE_SIDED:
        return
    if what in PERMISSIONS:
        before, after = _rules(before, what), _rules(after, what)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}, key=str):
            yield from _difference(f"{what}.{key}" if what else str(key), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) == len(after) == 1:
            yield from _difference(what, before[0], after[0])
            return
        gone, new = [each for each in before if each not in after], [each for each in after if each not in before]
        if len(gone) == len(new):
            for old, fresh in zip(gone, new, strict=True):
                yield from _difference(what, old, fresh)
            return
        for each in gone:
            yield Change(what, _text(each), "(removed)")
        for each in new:
            yield Change(what, "(none)", _text(each))
    else:
        yield Change(what, _text(before) or "(none)", _text(after) or "(removed)")


def _rules(permissions: Any, what: str) -> list[str]:
    """A group's permissions as rules: ``tcp 3306 from sg-1``."""
    rules = []
    for each in permissions or []:
        first, last = each.get("from_port"), each.get("to_port")
        ports = "" if first is None else f" {first}" if first == last else f" {first}-{last}"
        protocol = "everything" if str(each.get("ip_protocol")) == "-1" else each.get("ip_protocol")
        ranges = [*(each.get("ip_ranges") or []), *(each.get("ipv6_ranges") or [])]
        peers = [peer.get("cidr_ip") or peer.get("cidr_ipv6") for peer in ranges]
        peers += [peer.get("group_id") for peer in each.get("user_id_group_pairs") or []]
        peers += [peer.get("prefix_list_id") for peer in each.get("prefix_list_ids") or []]
        way = "to" if what.endswith("egress") else "from"
        rules += [f"{protocol}{ports} {way} {_text(peer)}" for peer in peers]
    return sorted(rules)


def _file_changes(diffs: list[Mapping[str, Any]]) -> Iterator[Change]:
    """The lines of a file that differ."""
    for diff in diffs:
        before, after = str(diff.get("before") or ""), str(diff.get("after") or "")
        if not before or before == after:
            continue
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0):
            if line.startswith("-") and not line.startswith("---"):
                yield Change("line", _text(line[1:]), "(removed)")
            elif line.startswith("+") and not line.startswith("+++"):
                yield Change("line", "(none)", _text(line[1:]))


def _parsed(value: Any) -> Any:
    """A diff's side as data where it is data; some modules write it as text."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if value in EMPTY:
        return ""
    if PLACEHOLDER in str(value) and isinstance(value, str):
        return "(known after creation)"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
