"""The result as one page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from .found import Found
from .picture import draw
from .promises import GROUPS, HOSTS, REACH, SECTIONS, Promise
from .terminal import axes, by_cell, sentences
from .wanted import Wanted

STYLE = Path(__file__).with_name("page.css")
MARKS = {"kept": "✓", "broken": "✗", "not asked": "?"}
CLASSES = {"kept": "is-kept", "broken": "is-broken", "not asked": "not-asked"}


def render(wanted: Wanted, found: Found, promises: Sequence[Promise], *, when: str) -> str:
    """An HTML document; ``when`` is the time of asking, for people."""
    broken = sentences(promises)
    title = _headline(wanted.prefix, broken, promises)
    body = "".join(
        [
            *_head(wanted, found, promises, title, when),
            *_broken(broken),
            '<section aria-labelledby="network"><h2 id="network">The network</h2>',
            f'<div class="wide">{draw(wanted, found, promises)}</div></section>',
            *_matrix(promises),
            '<div class="columns">',
            *(part for section in SECTIONS if section != REACH for part in _section(section, promises)),
            "</div>",
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE.read_text()}</style></head><body><main>{body}"
        "<footer><p>Made by <code>ansible-playbook site.yml --tags verify</code>. Every mark was asked of AWS, or "
        "tried with packets. The same as data: <code>verify.json</code> beside this page.</p></footer>"
        "</main></body></html>\n"
    )


def _headline(prefix: str, broken: Sequence[str], promises: Sequence[Promise]) -> str:
    if broken:
        return f"{prefix} breaks {len(broken)} promise{'s' if len(broken) > 1 else ''}"
    if any(each.kept is None for each in promises):
        return f"{prefix} keeps every promise that could be asked"
    return f"{prefix} keeps every promise"


def _head(wanted: Wanted, found: Found, promises: Sequence[Promise], title: str, when: str) -> Iterator[str]:
    vpc = next((vpc["vpc_id"] for vpc in found.state["vpcs"]), "no VPC")
    counts = {state: sum(each.state == state for each in promises) for state in MARKS}
    yield f'<header><p class="eyebrow">{escape(wanted.region)} · {escape(vpc)} · {escape(when)}</p>'
    yield f'<h1>{escape(title)}</h1><ul class="counts"><li class="good"><b>{counts["kept"]}</b> kept</li>'
    yield f'<li class="{"bad" if counts["broken"] else ""}"><b>{counts["broken"]}</b> broken</li>'
    if counts["not asked"]:
        yield f"<li><b>{counts['not asked']}</b> not asked: no host could be booted here</li>"
    yield "</ul></header>"


def _broken(broken: Sequence[str]) -> Iterator[str]:
    if broken:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in broken)
        yield f'<section class="broken" aria-labelledby="broken"><h2 id="broken">Broken</h2><ol>{items}</ol></section>'


def _matrix(promises: Sequence[Promise]) -> Iterator[str]:
    rows, columns = axes(promises)
    if not rows:
        return
    cells = by_cell(promises)
    yield f'<section aria-labelledby="reach"><h2 id="reach">{REACH}</h2><div class="wide"><table><thead><tr>'
    yield '<th rowspan="2" scope="col">from / to</th>'
    yield "".join(
        f'<th class="first" colspan="{len(ports)}" scope="colgroup">{escape(target)}</th>' for target, ports in columns
    )
    yield "</tr><tr>"
    for _, ports in columns:
        yield "".join(
            f'<th class="port{" first" if index == 0 else ""}" scope="col">{port}</th>'
            for index, port in enumerate(ports)
        )
    yield "</tr></thead><tbody>"
    for row in rows:
        yield f'<tr><th scope="row">{escape(row)}</th>'
        for target, ports in columns:
            for index, port in enumerate(ports):
                yield _cell(cells.get((row, target, port)), own=row == target, first=index == 0)
        yield "</tr>"
    yield (
        '</tbody></table></div><p class="legend"><b>●</b> reaches, as promised &nbsp; · is kept out, as promised &nbsp;'
        ' <span class="x">✗</span> broken &nbsp; ? not asked. Point at a mark for its rule.</p></section>'
    )


def _cell(promise: Promise | None, *, own: bool, first: bool) -> str:
    edge = " first" if first else ""
    if own or promise is None:
        return f'<td class="self{edge}" aria-label="itself">{"—" if own else ""}</td>'
    if promise.kept is None:
        kind, shown = "asked-not", "?"
    elif not promise.kept:
        kind, shown = "wrong", "✗"
    else:
        kind, shown = ("reaches", "●") if promise.reaches else ("kept-out", "·")
    says = f"{promise.source} {promise.says}: {promise.sentence or promise.because or promise.state}"
    told = escape(says, quote=True)
    return f'<td class="{kind}{edge}" title="{told}" aria-label="{told}">{shown}</td>'


def _section(section: str, promises: Sequence[Promise]) -> Iterator[str]:
    found = [each for each in promises if each.section == section]
    if not found:
        return
    name = section.lower().replace(" ", "-")
    yield f'<section aria-labelledby="{name}"><h2 id="{name}">{section}</h2>'
    if section in (GROUPS, HOSTS):
        for subject in dict.fromkeys(each.subject for each in found):
            yield from _details(subject, [each for each in found if each.subject == subject])
    else:
        yield f'<ul class="promises">{"".join(_item(each, with_subject=True) for each in found)}</ul>'
    yield "</section>"


def _details(subject: str, promises: Sequence[Promise]) -> Iterator[str]:
    wrong = sum(each.kept is False for each in promises)
    kind = "is-broken" if wrong else "is-kept"
    count = f"{wrong} broken of {len(promises)}" if wrong else f"{len(promises)} promises"
    yield f'<details{" open" if wrong else ""}><summary class="{kind}">'
    yield f'<span class="mark">{"✗" if wrong else "✓"}</span>'
    yield f"<b>{escape(subject)}</b> · {count}</summary>"
    yield f'<ul class="promises">{"".join(_item(each, with_subject=False) for each in promises)}</ul></details>'


def _item(promise: Promise, *, with_subject: bool) -> str:
    subject = f"<b>{escape(promise.subject)}</b> " if with_subject else ""
    because = f"<small>{escape(promise.because)}</small>" if promise.because else ""
    return (
        f'<li class="{CLASSES[promise.state]}">'
        f'<span class="mark" aria-label="{promise.state}">{MARKS[promise.state]}</span>'
        f'<span class="says">{subject}{escape(promise.says)}{because}</span></li>'
    )
