"""A plan in the making: what the steps share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .classify import Parts
from .databases import Server
from .ledger import Ledger, Service
from .settings import Settings
from .sources import Sources
from .words import Answers


@dataclass
class Plan:
    """``variables`` is what to write, by name; ``decisions`` are for people; ``asks`` stops everything."""

    variables: dict[str, Any] = field(default_factory=dict)
    decisions: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)


@dataclass
class Work:
    """What the steps below share."""

    model: Mapping[str, Any]
    services: Mapping[str, Service]
    sources: Mapping[str, Sources]
    parts: Parts
    answers: Answers
    root: Path
    now: Mapping[str, Any]
    plan: Plan
    servers: dict[str, Server] = field(default_factory=dict)
    # Values that are secret somewhere in the file, and so everywhere.
    known: frozenset[str] = frozenset()
    source: str = ""
    runtimes: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Settings] = field(default_factory=dict)

    def set(self, **variables: Any) -> None:
        self.plan.variables |= variables

    def decide(self, sentence: str) -> None:
        self.plan.decisions.append(sentence)

    def ask(self, sentence: str) -> None:
        self.plan.asks.append(sentence)

    def path(self, path: Path) -> str:
        """A path below the checkout as relative to it, any other as absolute."""
        path = Path(os.path.normpath(path.absolute()))
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def name_of(self, part: str) -> str:
        return self.parts.backend if part == "backend" else self.parts.collector
