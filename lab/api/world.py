"""What every room of the API shares: the lab's settings, one lock, and who confirms that slow things are ready."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.functions.model import Outcome
from lab.settings import Internet, Settings


class RunsFunctions(Protocol):
    """Who runs Lambda functions, named by their ARN. Neither call may be made while holding the lock."""

    def now(self, arn: str, payload: bytes) -> Outcome:
        """Run it and wait."""

    def later(self, arn: str, payload: bytes) -> None:
        """Have it run; what fails is tried again."""


@dataclass
class World:
    """``confirmed_by_lab``: pending things wait for lab.api.ready; otherwise one look makes them ready.

    ``functions`` is None where nothing runs, in a lab without hosts.
    """

    settings: Settings
    confirmed_by_lab: bool = False
    functions: RunsFunctions | None = None


# moto keeps its state per process, so there is one world per process too.
_FIRST = Settings(root=Path(), cache=Path(), internet=Internet("198.18.0.0/16"))
world = World(_FIRST)

# moto is not safe for threads; whatever reads or writes its state holds this.
lock = threading.RLock()
