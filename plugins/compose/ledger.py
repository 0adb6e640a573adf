"""What became of each key of a resolved compose file: carried over, or listed with a sentence. Nothing else happens."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]
Service = dict[str, Any]

# The parser writes them where the file says nothing.
IMPLIED = ("command", "entrypoint")
# Lists of plain values that are accounted for one by one.
SEPARATE = ("expose",)


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values: mappings, lists of mappings and SEPARATE are gone into, other lists are one value."""
    if isinstance(value, Mapping):
        for key, element in value.items():
            if not (element is None and key in IMPLIED):
                yield from leaves(element, (*path, str(key)))
    elif isinstance(value, list) and (path[-1:] == SEPARATE or any(isinstance(one, Mapping) for one in value)):
        for index, element in enumerate(value):
            yield from leaves(element, (*path, str(index)))
    else:
        yield path


@dataclass
class Ledger:
    """Where each path went; an entry holds for all that is below it."""

    carried: dict[Path, str] = field(default_factory=dict)
    listed: dict[Path, str] = field(default_factory=dict)
    found: set[Path] = field(default_factory=set)

    def carry(self, *path: str, to: str) -> None:
        self.carried[path] = to

    def carry_keys(self, *path: str, of: Mapping[str, Any], keys: Collection[str], to: str) -> None:
        """Carry these keys of a mapping over; whatever else it has is still to be accounted for."""
        for key in of:
            if key in keys:
                self.carry(*path, key, to=to)

    def say(self, *path: str, sentence: str) -> None:
        """List what has no place, or what changes on its way."""
        self.listed[path] = sentence

    def knows(self, path: Path) -> bool:
        """Whether this path, or one above it, is accounted for."""
        return any(path[:end] in self.carried or path[:end] in self.listed for end in range(1, len(path) + 1))

    def missing(self, model: Mapping[str, Any]) -> list[Path]:
        """The paths that nobody has accounted for."""
        return [path for path in leaves(model) if not self.knows(path)]


def dotted(path: Path) -> str:
    """``services.web.ports.0``, with ``services`` left out, which says nothing."""
    return ".".join(path[1:] if path[0] == "services" and len(path) > 1 else path)
