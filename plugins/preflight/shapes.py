"""The shapes of values: types, numbers in a range, patterns, and lists of records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .wording import Refusals, listed, nearest

Record = dict[str, Any]

DNS_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
LABEL_WORDS = "lower-case letters, digits and hyphens, a letter first and no hyphen last, at most 63"
# As S3 has it, with what it keeps for itself.
BUCKET = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|--x-s3|--table-s3|\.mrap)$)(?!.*\.\.)"
    r"(?![0-9]+(\.[0-9]+){3}$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
)
BUCKET_WORDS = (
    "3 to 63 lower-case letters, digits, hyphens and dots, a letter or digit first and last, and no prefix or ending "
    "that S3 keeps for itself"
)


@dataclass(frozen=True)
class Key:
    """One key of a record: its kind, one of KINDS, and whether it must be there."""

    kind: str
    required: bool = True


def is_whole(value: Any) -> bool:
    """Whether Ansible would take it as an integer."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value) is not None
    )


def _is_number(value: Any) -> bool:
    return is_whole(value) or isinstance(value, float) or (isinstance(value, str) and bool(_NUMBER.fullmatch(value)))


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool) or str(value).lower() in ("yes", "no", "true", "false", "on", "off", "1", "0")


def is_true(value: Any) -> bool:
    """Whether Ansible would take it as true."""
    return str(value).lower() in ("yes", "true", "on", "1")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or is_whole(value)


_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]+)?")

KINDS = {
    "str": (_is_text, "text"),
    "path": (_is_text, "a path"),
    "int": (is_whole, "a whole number"),
    "float": (_is_number, "a number"),
    "bool": (_is_truth, "true or false"),
    "list": (lambda value: isinstance(value, list), "a list"),
    "dict": (lambda value: isinstance(value, dict), "a mapping"),
    "port": (lambda value: is_whole(value) or isinstance(value, str), "a port"),
}


def of_kind(refusals: Refusals, variable: str, value: Any, kind: str) -> bool:
    """Whether the value is of that kind; refused where it is not."""
    fits, words = KINDS.get(kind, KINDS["str"])
    if fits(value):
        return True
    refusals.add(variable, value, "", words)
    return False


def within(refusals: Refusals, variable: str, value: Any, low: int, high: int) -> bool:
    """Whether a whole number is in that range, ends included."""
    if is_whole(value) and low <= int(value) <= high:
        return True
    refusals.add(variable, value, "", f"a whole number from {low} to {high}")
    return False


def matching(refusals: Refusals, variable: str, value: Any, pattern: re.Pattern[str], write: str) -> bool:
    """Whether the whole text fits the pattern."""
    if pattern.fullmatch(str(value)):
        return True
    refusals.add(variable, value, "", write)
    return False


def among(refusals: Refusals, variable: str, value: Any, known: Iterable[Any], why: str) -> bool:
    """Whether the name is known; the nearest right one is named where it is not."""
    names = [str(name) for name in known]
    if str(value) in names:
        return True
    if refusals.knows(value):
        return False
    refusals.add(variable, value, why, nearest(str(value), names) or "one that exists")
    return False


def records(refusals: Refusals, variable: str, value: Any, keys: Mapping[str, Key]) -> list[tuple[str, Record]]:
    """The well-formed records of a list, each with what to call it; the others are refused.

    A record with a ``name`` is called by it: ``network_subnets[app-a]``.
    """
    good = []
    for index, record in enumerate(value if isinstance(value, list) else []):
        label = f"{variable}[{index}]"
        if not isinstance(record, dict):
            refusals.add(label, record, "is not a mapping", f"a mapping with {listed(keys).replace(' or ', ' and ')}")
            continue
        if isinstance(record.get("name"), str) and record["name"]:
            label = f"{variable}[{record['name']}]"
        if _keys_fit(refusals, label, record, keys):
            good.append((label, record))
    return good


def _keys_fit(refusals: Refusals, label: str, record: Record, keys: Mapping[str, Key]) -> bool:
    before = len(refusals.sentences)
    unknown = [other for other in record if other not in keys]
    for other in unknown:
        meant = nearest(str(other), set(keys) - set(record)) or "none"
        refusals.add(f"{label}.{other}", record[other], "is no key that is known here", meant)
    for name, key in keys.items():
        if name in record:
            of_kind(refusals, f"{label}.{name}", record[name], key.kind)
        elif key.required and all(nearest(str(other), [name]) != name for other in unknown):
            refusals.missing(f"{label}.{name}", KINDS[key.kind][1])
    return len(refusals.sentences) == before


def unique(refusals: Refusals, variable: str, names: Sequence[Any]) -> None:
    """No name twice."""
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        refusals.add(variable, name, "stands there twice", "each name once")
