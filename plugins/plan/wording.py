"""A plan as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .kinds import Entry, merged

TITLES = {"create": "To create", "change": "To change", "delete": "To delete"}
MARKS = {"create": "+", "change": "~", "delete": "-"}
COLOURS = {"create": "\033[32m", "change": "\033[33m", "delete": "\033[31m"}
BOLD, RESET = "\033[1m", "\033[0m"


def render(entries: Sequence[Entry], later: Sequence[str], *, complete: bool = True, colour: bool = False) -> str:
    """The summary at the end of a run in check mode. ``complete`` is False where a task failed before the end."""
    found = merged(entries)
    lines = ["", _bold(_headline(found), colour)]
    for verb, title in TITLES.items():
        of_verb = [each for each in found if each.verb == verb]
        if of_verb:
            lines += ["", _bold(title, colour), *_rows(verb, of_verb, colour)]
    if later:
        lines += ["", "Then, on hosts that are not there yet:", *(f"  + {play}" for play in later)]
    if not complete:
        lines += ["", "This plan ends where a task failed; what would come after it is not in it."]
    return "\n".join(lines)


def _headline(entries: Sequence[Entry]) -> str:
    if not entries:
        return "Plan: nothing to do. Nothing was touched."
    counts = ", ".join(f"{sum(each.verb == verb for each in entries)} to {verb}" for verb in TITLES)
    return f"Plan: {counts}. Nothing was touched."


def _rows(verb: str, entries: Sequence[Entry], colour: bool) -> Iterator[str]:
    width = max(len(each.kind) for each in entries)
    mark = f"{COLOURS[verb]}{MARKS[verb]}{RESET}" if colour else MARKS[verb]
    for each in entries:
        yield f"  {mark} {each.kind.ljust(width)}  {each.name}".rstrip()
        for change in each.changes if verb == "change" else ():
            yield f"      {change.what}: {change.before} → {change.after}"


def _bold(text: str, colour: bool) -> str:
    return f"{BOLD}{text}{RESET}" if colour else text
