"""What a run in check mode would do, from what its tasks reported. Pure: ``kinds`` reads, ``wording`` says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .kinds import Change, Entry, entries, merged
from .wording import render

__all__ = ["Change", "Entry", "as_json", "entries", "merged", "render"]


def as_json(found: Sequence[Entry], later: Sequence[str]) -> dict[str, Any]:
    """The plan for programs; ``later`` are plays that wait for hosts which are not there yet."""
    return {"entries": [asdict(each) for each in merged(found)], "later": list(later)}
