"""Every promise of a deployment, held against what AWS says and what packets did. Pure: it asks nobody.

``wanted`` reads the promises from the configuration, ``found`` reads AWS's answers, ``static``, ``function``
and ``packets`` compare, ``terminal`` and ``page`` show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from . import function, packets, page, static, terminal
from .found import Found
from .promises import Promise
from .wanted import Wanted, read

__all__ = ["Found", "Promise", "Wanted", "as_json", "held", "outside_questions", "packets", "page", "read", "terminal"]


def held(wanted: Wanted, found: Found, answers: packets.Answers, front: Sequence[Mapping[str, Any]]) -> list[Promise]:
    """Every promise with its state, in the report's order."""
    return [
        *static.promises(wanted, found, found.state.get("bucket")),
        *function.promises(wanted, found),
        *packets.promises(wanted, found, answers),
        *packets.front(front),
    ]


def outside_questions(wanted: Wanted, found: Found, *, private: bool) -> list[list[Any]]:
    """What the outside tries: every public address, and private ones where an answer could only come from the VPC."""
    ports = sorted({each.port for each in wanted.connections} | {80, 443})
    questions = [[address, port, False] for address in found.public_addresses for port in ports]
    if private:
        addresses = {
            name: same[0]["private_ip_address"]
            for name, same in found.instances.items()
            if same[0].get("private_ip_address")
        }
        questions += packets.questions(wanted, packets.OUTSIDE, addresses)
    return questions


def as_json(promises: Iterable[Promise]) -> list[dict[str, Any]]:
    """The promises for programs: what each says, its ``state``, and without what is empty."""
    return [
        {"state": each.state, **{key: value for key, value in asdict(each).items() if value and key != "kept"}}
        for each in promises
    ]
