"""How a refusal reads: the variable, what was found, what to write instead."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any


class Refusals:
    """Collects sentences, one for each thing that is wrong."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self._found: set[str] = set()

    def add(self, variable: str, found: Any, why: str, write: str) -> None:
        """``found`` is the value as the user wrote it; ``why`` follows "which", and may be empty."""
        reason = f", which {why}" if why else ""
        self._found.add(shown(found))
        self._say(f"{variable} is {shown(found)}{reason}; write {write}.")

    def knows(self, found: Any) -> bool:
        """Whether this value has been refused: where others are made of it, its own sentence is enough."""
        return shown(found) in self._found

    def missing(self, variable: str, write: str) -> None:
        """Something that must be there is not."""
        self._say(f"{variable} is not there; write {write}.")

    def unresolved(self, variable: str, reason: str) -> None:
        """A template whose value could not be made."""
        self._say(f"{variable} has no value ({reason}); write one that can be known before anything is created.")

    def _say(self, sentence: str) -> None:
        if sentence not in self.sentences:
            self.sentences.append(sentence)


def shown(value: Any) -> str:
    """A value as YAML's flow style would have it, shortened: text in quotes only where they matter."""
    if isinstance(value, str) and value and value == value.strip() and value.isprintable():
        text = value
    elif value is None:
        text = "empty"
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}…"


def nearest(name: str, known: Iterable[str], cutoff: float = 0.7) -> str:
    """The name that was probably meant; where none is near, all of them if they are few, or else nothing."""
    names = sorted(set(known))
    close = difflib.get_close_matches(str(name), names, n=3, cutoff=cutoff)
    if close:
        ratios = {other: difflib.SequenceMatcher(None, other, str(name)).ratio() for other in close}
        return listed(sorted(other for other in close if ratios[other] == max(ratios.values())))
    return listed(names) if 0 < len(names) <= 12 else ""


def listed(names: Iterable[str]) -> str:
    """``a, b or c``."""
    words = list(names)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else "nothing"
