#!/usr/bin/env python3
"""The policies of whoever deploys: what the runs of site.yml call, narrowed, and nothing more (docs/aws.md).

    scripts/iam_policy.py write [--project P --region R --account A --to DIRECTORY]   network.json and services.json
    scripts/iam_policy.py record RUN --caller KEY                      add to a run what the running lab counted

docs/iam/calls.yml says what each run calls, docs/iam/statements.yml how each call is narrowed.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

PLACE = Path(__file__).resolve().parents[1] / "docs/iam"
# A managed policy may have so many characters, without its white space.
MOST_CHARACTERS = 6144


class Unknown(ValueError):
    """A call that no statement narrows."""


def needed(calls: Iterable[str], table: Mapping[str, Any]) -> set[str]:
    """The IAM actions that calls need: service:Action each, with ``+tags`` after one that tags what it creates."""
    actions: set[str] = set()
    for call in calls:
        name, _, tags = call.partition(" ")
        if name in table["free"]:
            continue
        actions |= {*table["names"].get(name, [name]), *table["besides"].get(name, [])}
        if tags:
            actions.add("ec2:CreateTags")
    return actions


def policies(calls: Iterable[str], table: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The policies that allow these calls, by name; Unknown names those that no statement of the table holds."""
    calls = set(calls)
    actions = needed(calls, table)
    tagging = sorted(call.split(" ")[0].partition(":")[2] for call in calls if call.endswith(" +tags"))
    held: set[str] = set()
    found = {}
    for name, templates in table["policies"].items():
        statements = []
        for template in templates:
            chosen = sorted(action for action in actions if holds(template, action))
            held |= {*chosen}
            rest = {
                key: _filled(template[key], values, tagging) for key in ("Resource", "Condition") if key in template
            }
            statements += [{"Sid": template["Sid"], "Effect": "Allow", "Action": chosen, **rest}] if chosen else []
        found[name] = {"Version": "2012-10-17", "Statement": statements}
    if strange := sorted(actions - held):
        raise Unknown(
            f"No statement of docs/iam/statements.yml holds {', '.join(strange)}; add each where it is narrowed."
        )
    return found


def holds(template: Mapping[str, Any], action: str) -> bool:
    return any(fnmatchcase(action, wanted) for wanted in template["Action"]) and action not in template.get(
        "Without", ()
    )


def _filled(value: Any, values: Mapping[str, str], tagging: Sequence[str]) -> Any:
    if value == "{tagged_creations}":
        return [*tagging]
    if isinstance(value, str):
        return value.format_map(values)
    if isinstance(value, list):
        return [_filled(each, values, tagging) for each in value]
    return {key: _filled(each, values, tagging) for key, each in value.items()}


def calls_of(counted: Iterable[Mapping[str, Any]], callers: Sequence[str]) -> set[str]:
    """Calls as the lab counted them (GET /_lab/calls), of these access keys.

    One that creates is as good as untagged when it ever came without tags.
    """
    found: dict[str, bool] = {}
    for each in counted:
        if each["caller"] in callers:
            name = f"{each['service']}:{each['action']}"
            found[name] = found.get(name, True) and bool(each["tagged"])
    return {f"{name} +tags" if tagged else name for name, tagged in found.items()}


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((PLACE / name).read_text())
    return document


def recorded() -> set[str]:
    """What all runs call."""
    return {call for calls in read("calls.yml").values() for call in calls}


def rendered(values: Mapping[str, str]) -> dict[str, str]:
    """The files to write."""
    found = policies(recorded(), read("statements.yml"), values)
    return {f"{name}.json": json.dumps(document, indent=2) + "\n" for name, document in found.items()}


DEFAULTS = {"project": "madang", "region": "ap-northeast-2", "account": "*"}


def record(run: str, caller: str, endpoint_url: str) -> None:
    """Add to a run what no earlier one has called."""
    with urllib.request.urlopen(f"{endpoint_url}/_lab/calls", timeout=30) as answer:  # noqa: S310 — loopback
        seen = calls_of(json.load(answer), [caller])
    runs = read("calls.yml")
    others = {call for name, calls in runs.items() if name != run for call in calls}
    runs[run] = sorted({*runs.get(run, []), *(seen - others)})
    path = PLACE / "calls.yml"
    comments = [line for line in path.read_text().splitlines() if line.startswith(("---", "#"))]
    lists = [line for name, calls in runs.items() for line in (f"{name}:", *(f"  - {call}" for call in calls))]
    path.write_text("\n".join([*comments, *lists, ""]))


def main() -> None:
    parser = argparse.ArgumentParser(description="The IAM policies of whoever deploys")
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write", help="write network.json and services.json")
    for name, default in DEFAULTS.items():
        writing.add_argument(f"--{name}", default=default)
    writing.add_argument("--to", type=Path, default=PLACE, metavar="DIRECTORY")
    recording = commands.add_parser("record", help="add to a run what the running lab counted")
    recording.add_argument("run")
    recording.add_argument("--caller", required=True, help="the access key that the run had")
    recording.add_argument("--endpoint-url", default="http://127.0.0.1:8566")
    asked = parser.parse_args()
    try:
        if asked.command == "record":
            record(asked.run, asked.caller, asked.endpoint_url)
        else:
            for name, text in rendered({name: getattr(asked, name) for name in DEFAULTS}).items():
                (asked.to / name).write_text(text)
    except Unknown as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
