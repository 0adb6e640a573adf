"""What every room of the API shares: the lab's settings, one lock, and who confirms that slow things are ready."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from lab.settings import Internet, Settings


@dataclass
class World:
    """``confirmed_by_lab``: pending things wait for lab.api.ready; otherwise one look makes them ready."""

    settings: Settings
    confirmed_by_lab: bool = False


# moto keeps its state per process, so there is one world per process too.
_FIRST = Settings(root=Path(), cache=Path(), internet=Internet("198.18.0.0/16"))
world = World(_FIRST)

# moto is not safe for threads; whatever reads or writes its state holds this.
lock = threading.RLock()
