"""Things that are not ready at once: instances, NAT gateways, endpoints, origins, distributions, invalidations."""

from __future__ import annotations

from lab.api.world import world


class Settling:
    """Something slow. A subclass says when it is ``unsettled`` and what ``settle`` does.

    When the lab confirms (``world.confirmed_by_lab``), lab.api.ready calls ``settle``; otherwise the second look does,
    so that every client sees the pending state once.
    """

    _looked = False

    @property
    def unsettled(self) -> bool:
        """Whether it waits for something."""
        raise NotImplementedError

    def settle(self) -> None:
        """Take the step that was waited for."""
        raise NotImplementedError

    def unsettle(self) -> None:
        """A new change began: it will be seen pending once more."""
        self._looked = False

    def look(self) -> None:
        """To be called before each answer that shows it."""
        if world.confirmed_by_lab or not self.unsettled:
            return
        if self._looked:
            self._looked = False
            self.settle()
        else:
            self._looked = True
