"""The network's picture as SVG, drawn from what AWS says there is: zones across, subnets down, who reaches whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from .found import Found
from .promises import DATABASES, HOSTS, REACH, SUBNETS, WAY_OUT, Promise, listed
from .wanted import EVERYWHERE, SSH, Subnet, Wanted

MARGIN, COLUMN, GUTTER = 28, 400, 84
TOP, NODE_HEIGHT, NODE_WIDTH = 24, 62, 190
# What stands outside, side by side, with room for what is said between.
FRONT_WIDTH = 4 * NODE_WIDTH + 3 * 92
TITLE, HOST_HEIGHT, HOST_GAP, FOOT, TIER_GAP = 40, 50, 10, 26, 52
HOST_WIDTH = 164
LONGEST = 24
LINES = ("flow", "out", "reach", "wrong")


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


def draw(wanted: Wanted, found: Found, promises: Sequence[Promise]) -> str:
    """An ``<svg>`` element whose colours are the page's CSS variables."""
    zones = sorted({subnet.zone for subnet in wanted.subnets})
    tiers = list(dict.fromkeys(_tier(subnet) for subnet in wanted.subnets))
    inside = {subnet.name: _inhabitants(subnet, wanted, found) for subnet in wanted.subnets}
    columns = len(zones) * COLUMN + (len(zones) - 1) * GUTTER
    width = 2 * MARGIN + max(columns + 2 * GUTTER, FRONT_WIDTH)
    first = (width - columns) / 2
    vpc_top = TOP + NODE_HEIGHT + 64
    boxes, hosts, y = _lay_out(wanted, zones, tiers, inside, (first, vpc_top + 56))
    vpc = Box(MARGIN, vpc_top, width - 2 * MARGIN, y - vpc_top)
    broken = {(each.section, each.subject) for each in promises if each.kept is False}
    parts = [
        *_vpc(vpc, first, wanted),
        *(_subnet(subnet, boxes[subnet.name], found, broken) for subnet in wanted.subnets),
        *_front(vpc, wanted, found, boxes, hosts),
        *_arrows(promises, hosts),
        *(
            _inhabitant(item, hosts[item["name"]], broken)
            for items in inside.values()
            for item in items
        ),
    ]  # fmt: skip
    title = f"The network of {wanted.prefix}"
    describes = "; ".join(
        f"{subnet.name} is {subnet.nature} and holds {listed(item['title'] for item in inside[subnet.name])}"
        for subnet in wanted.subnets
    )
    return (
        f'<svg viewBox="0 0 {width:g} {vpc.bottom + MARGIN:g}" role="img" aria-labelledby="picture-title picture-text">'
        f'<title id="picture-title">{escape(title)}</title><desc id="picture-text">{escape(describes)}.</desc>'
        f"<defs>{''.join(_tip(kind) for kind in LINES)}</defs>{''.join(parts)}</svg>"
    )


def _tip(kind: str) -> str:
    """An arrow's tip in its line's colour, which not every browser inherits."""
    return (
        f'<marker id="tip-{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
        f'<path class="tip {kind}-label" d="M0 0L8 4L0 8z"/></marker>'
    )


def _tier(subnet: Subnet) -> str:
    """Subnets of one kind stand side by side: ``app`` of app-a."""
    return re.sub(rf"-{re.escape(subnet.zone)}$", "", subnet.name)


def _inhabitants(subnet: Subnet, wanted: Wanted, found: Found) -> list[dict[str, Any]]:
    """What stands in a subnet: NAT gateways; instances, those of the configuration first; the collector's function."""
    live = found.subnets.get(subnet.name, {}).get("subnet_id", "")
    items: list[dict[str, Any]] = []
    for gateway in found.state["nat_gateways"]:
        if gateway.get("subnet_id") == live:
            seen = [each.get("public_ip", "") for each in gateway.get("nat_gateway_addresses") or []]
            items.append(
                {"name": gateway["nat_gateway_id"], "title": "NAT gateway", "text": ", ".join(seen), "kind": "gate"}
            )
    names = [host.name for host in wanted.hosts if host.subnet == subnet.name]
    others = [name for name, same in found.instances.items() if same[0].get("subnet_id") == live and name not in names]
    for name in [*names, *others]:
        instance = (found.instances.get(name) or [{}])[0]
        if instance and instance.get("subnet_id") != live:
            continue
        address = instance.get("public_ip_address") or instance.get("private_ip_address") or "not there"
        items.append({"name": name, "title": name, "text": address, "kind": "host"})
    function = found.state.get("function") or {}
    if live in ((function.get("vpc_config") or {}).get("subnet_ids") or []):
        title = function["function_name"].removeprefix(f"{wanted.prefix}-")
        # It stands in several subnets at once.
        items.append({"name": f"{title} in {live}", "title": title, "text": "Lambda function", "kind": "host"})
    return items


def _lay_out(
    wanted: Wanted,
    zones: Sequence[str],
    tiers: Sequence[str],
    inside: Mapping[str, list[dict[str, Any]]],
    corner: tuple[float, float],
) -> tuple[dict[str, Box], dict[str, Box], float]:
    boxes: dict[str, Box] = {}
    hosts: dict[str, Box] = {}
    first, y = corner
    for tier in tiers:
        row = [subnet for subnet in wanted.subnets if _tier(subnet) == tier]
        lines = max(1, *(-(-len(inside[subnet.name]) // 2) for subnet in row))
        height = TITLE + lines * (HOST_HEIGHT + HOST_GAP) + FOOT
        for subnet in row:
            x = first + zones.index(subnet.zone) * (COLUMN + GUTTER)
            boxes[subnet.name] = Box(x, y, COLUMN, height)
            items = inside[subnet.name]
            for index, item in enumerate(items):
                alone = len(items) == 1 or (index == len(items) - 1 and len(items) % 2)
                left = x + (COLUMN - HOST_WIDTH) / 2 if alone else x + 24 + (index % 2) * (COLUMN - 48 - HOST_WIDTH)
                top = y + TITLE + (index // 2) * (HOST_HEIGHT + HOST_GAP)
                hosts[item["name"]] = Box(left, top, HOST_WIDTH, HOST_HEIGHT)
        y += height + TIER_GAP
    return boxes, hosts, y - TIER_GAP + 28


def _vpc(vpc: Box, first: float, wanted: Wanted) -> Iterator[str]:
    yield _rect(vpc, "vpc", 18)
    yield _titled(first + 4, vpc.y + 32, f"VPC {wanted.prefix}", wanted.cidr)


def _subnet(subnet: Subnet, box: Box, found: Found, broken: set[tuple[str, str]]) -> str:
    live = found.subnets.get(subnet.name)
    table = found.table_of(live["subnet_id"]) if live else None
    nature = table.nature if table else "not there"
    wrong = (SUBNETS, subnet.name) in broken
    way = {"igw": "internet gateway", "nat": "NAT gateway", "eni": "NAT instance", "i": "NAT instance"}
    decides = (table.decides if table else "") or EVERYWHERE
    leads = table.routes.get(decides, "") if table else ""
    target = way.get(leads.split("-")[0], leads) if leads else "nowhere"
    return (
        f'<g class="{"broken" if wrong else nature.replace(" ", "-")}">{_rect(box, "subnet", 12)}'
        + _text(box.x + 16, box.y + 26, subnet.name, "strong")
        + _text(box.right - 16, box.y + 26, f"{'✗ ' if wrong else ''}{nature}", "nature", "end")
        + _text(box.x + 16, box.bottom - 12, f"{decides} → {target}", "soft small")
        + _text(box.right - 16, box.bottom - 12, f"{subnet.cidr} · {subnet.zone}", "soft small", "end")
        + "</g>"
    )


def _inhabitant(item: Mapping[str, Any], box: Box, broken: set[tuple[str, str]]) -> str:
    wrong = any((section, item["name"]) in broken for section in (HOSTS, REACH, WAY_OUT, DATABASES))
    return (
        f'<g class="{item["kind"]}{" broken" if wrong else ""}">{_rect(box, "box", 9)}'
        + _text(box.middle, box.y + 21, f"{'✗ ' if wrong else ''}{item['title']}", "strong", "middle")
        + _text(box.middle, box.y + 38, item["text"], "soft small mono", "middle")
        + "</g>"
    )


def _front(vpc: Box, wanted: Wanted, found: Found, boxes: Mapping[str, Box], hosts: Mapping[str, Box]) -> Iterator[str]:
    """What stands outside: visitors, CloudFront, the bucket, the internet; and the gates in the VPC's wall."""
    span = (vpc.width - NODE_WIDTH) / 3
    visitors, cloudfront, bucket, internet = (
        Box(MARGIN + span * index, TOP, NODE_WIDTH, NODE_HEIGHT) for index in range(4)
    )  # fmt: skip
    for left, right, says in ((visitors, cloudfront, "pages, /api"), (cloudfront, bucket, "signed")):
        line = f"M{left.right + 6:g} {TOP + 31}H{right.x - 6:g}"
        yield _arrow(line, "flow", says, (left.right + right.x) / 2, TOP + 22)
    backend = next((host for host in wanted.hosts if host.name == wanted.backend), None)
    if backend and backend.name in hosts:
        yield _origin(cloudfront, vpc, boxes[backend.subnet], hosts[backend.name], wanted.backend_port)
    gate = Box(internet.middle - 78, vpc.y - 17, 156, 34)
    ways = [hosts[each["nat_gateway_id"]] for each in found.state["nat_gateways"] if each["nat_gateway_id"] in hosts]
    ways += [
        hosts[name] for name, same in found.instances.items() if same[0].get("public_ip_address") and name in hosts
    ]
    for each in ways:
        corners = [
            (each.middle, each.y - 4),
            (each.middle, vpc.y + 46),
            (gate.middle, vpc.y + 46),
            (gate.middle, gate.bottom + 4),
        ]
        yield _arrow(_path(corners), "out", "", 0, 0)
    up = f"M{gate.middle:g} {gate.y - 4:g}V{internet.bottom + 6:g}"
    yield _arrow(up, "out", "out, never in", gate.middle + 12, gate.y - 12, "start")
    inner = _text(gate.middle, gate.y + 22, "internet gateway", "small strong", "middle")
    yield f'<g class="gate">{_rect(gate, "box", 9)}{inner}</g>'
    domain = next((each["domain_name"] for each in found.state["distributions"]), "not there")
    seen = f"sees {listed(found.public_addresses)}" if found.public_addresses else "sees nobody"
    bucket_name = str((found.state.get("bucket") or {}).get("name", ""))
    for box, title, text in (
        (visitors, "Visitors", "from anywhere"),
        (cloudfront, "CloudFront", domain),
        (bucket, "Bucket", bucket_name),
        (internet, "The internet", seen),
    ):
        short = text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[1 - LONGEST // 2 :]}"
        yield (
            f'<g class="outside">{_rect(box, "box", 12)}{_text(box.middle, box.y + 27, title, "strong", "middle")}'
            f"{_text(box.middle, box.y + 46, short, 'soft small', 'middle')}</g>"
        )


def _origin(cloudfront: Box, vpc: Box, subnet: Box, backend: Box, port: int) -> str:
    """CloudFront's way to the backend, down the space beside the subnets."""
    lane, turn, end = subnet.x - GUTTER / 2, vpc.y - 28, backend.y + HOST_HEIGHT / 2
    corners = [
        (cloudfront.middle, cloudfront.bottom + 6),
        (cloudfront.middle, turn),
        (lane, turn),
        (lane, end),
        (backend.x - 6, end),
    ]
    return _arrow(_path(corners), "flow", f"VPC origin, port {port}", cloudfront.middle - 10, turn - 9, "end")


def _path(corners: Sequence[tuple[float, float]], radius: float = 10) -> str:
    """A line by way of corners, which are round."""
    path = f"M{corners[0][0]:g} {corners[0][1]:g}"
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        (x1, y1), (x2, y2) = _towards(corner, before, radius), _towards(corner, after, radius)
        path += f"L{x1:g} {y1:g}Q{corner[0]:g} {corner[1]:g} {x2:g} {y2:g}"
    return f"{path}L{corners[-1][0]:g} {corners[-1][1]:g}"


def _towards(start: tuple[float, float], end: tuple[float, float], distance: float) -> tuple[float, float]:
    length = max(abs(end[0] - start[0]) + abs(end[1] - start[1]), 1)
    part = min(distance, length / 2) / length
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def _arrows(promises: Sequence[Promise], hosts: Mapping[str, Box]) -> Iterator[str]:
    """Who reaches whom on what is no SSH: as promised, or broken."""
    drawn = [
        each
        for each in promises
        if each.section == REACH and each.source in hosts and each.target in hosts
        and ((each.reaches and each.port != SSH) or each.kept is False)
    ]  # fmt: skip
    both = {(each.target, each.source, each.port) for each in drawn}
    for each in drawn:
        twin = (each.source, each.target, each.port) in both
        if twin and each.source > each.target and each.kept is not False:
            continue  # drawn with a tip at both ends
        start, end = hosts[each.source], hosts[each.target]
        if abs(start.y - end.y) < 1:
            left, right = (start, end) if start.x < end.x else (end, start)
            path = f"M{left.right + 5} {left.y + 25}H{right.x - 5}"
            # Side by side in one subnet, they leave no room between them.
            height = left.y + 18 if right.x - left.right > GUTTER / 2 else left.y - 5
            where = ((left.right + right.x) / 2, height)
            tips = "both" if twin else ("end" if start is left else "start")
        else:
            down = end.y > start.y
            y1, y2 = (start.bottom + 4, end.y - 6) if down else (start.y - 4, end.bottom + 6)
            bend = (y2 - y1) * 0.7
            x1 = start.middle + (14 if end.middle > start.middle + 1 else -14 if end.middle < start.middle - 1 else 0)
            x2 = end.middle + (28 if start.middle > end.middle + 1 else -28 if start.middle < end.middle - 1 else 0)
            path = f"M{x1} {y1}C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"
            # Just before the target's subnet, where lines that cross have parted again.
            height = end.y - TITLE - 8 if down else end.bottom + FOOT + 18
            where = (_at_height((x1, y1), (x2, y2), bend, height) + 7, height)
            tips = "both" if twin else "end"
        says = f"{each.source} {'reaches' if each.reaches else 'must not reach'} {each.target} on {each.port}"
        kind = "wrong" if each.kept is False else "reach"
        label = f"{'✗ ' if kind == 'wrong' else ''}{each.port}"
        anchor = "middle" if start.y == end.y else "start"
        yield f"<g><title>{escape(says)}</title>{_arrow(path, kind, label, *where, anchor, tips)}</g>"


def _at_height(start: tuple[float, float], end: tuple[float, float], bend: float, y: float) -> float:
    """Where the curve of ``_arrows`` is at a height, by halving."""
    low, high = 0.0, 1.0
    for _ in range(20):
        t = (low + high) / 2
        u = 1 - t
        here = u**3 * start[1] + 3 * u * u * t * (start[1] + bend) + 3 * u * t * t * (end[1] - bend) + t**3 * end[1]
        low, high = (t, high) if (here < y) == (start[1] < end[1]) else (low, t)
    return (u**3 + 3 * u * u * t) * start[0] + (3 * u * t * t + t**3) * end[0]


def _arrow(
    path: str, kind: str, label: str, x: float, y: float, anchor: str = "middle", tips: str = "end"
) -> str:  # fmt: skip
    markers = {end: f' marker-{end}="url(#tip-{kind})"' for end in ("end", "start")}
    ends = "".join(markers.values()) if tips == "both" else markers[tips]
    line = f'<path class="{kind}" d="{path}"{ends}/>'
    return line + (_text(x, y, label, f"small label {kind}-label", anchor) if label else "")


def _rect(box: Box, kind: str, radius: int) -> str:
    place = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    return f'<rect class="{kind}" {place} rx="{radius}"/>'


def _titled(x: float, y: float, title: str, beside: str) -> str:
    inner = f'<tspan class="strong">{escape(title)}</tspan><tspan class="soft mono" dx="10">{escape(beside)}</tspan>'
    return f'<text x="{x:g}" y="{y:g}">{inner}</text>'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
