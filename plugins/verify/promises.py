"""What a promise is, and how a broken one is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# The sections of a report, in its order.
SUBNETS, GROUPS, REACH, WAY_OUT, HOSTS, FUNCTION, DATABASES, FRONT = SECTIONS = (
    "Subnets", "Groups", "Who reaches whom", "Way out", "Hosts", "Function", "Databases", "Front",
)  # fmt: skip


@dataclass(frozen=True)
class Promise:
    """One thing that must hold.

    ``kept`` is None where nobody could be asked (a lab without hosts). ``because`` is the evidence: a table, a rule,
    a status. ``sentence`` names a broken promise, with what was found and what to do; a kept one has none.
    ``source``, ``target``, ``port`` and ``reaches`` (what is promised) are set in the section "Who reaches whom" alone.
    """

    section: str
    subject: str
    says: str
    kept: bool | None
    because: str = ""
    sentence: str = ""
    source: str = ""
    target: str = ""
    port: int = 0
    reaches: bool = False

    @property
    def state(self) -> str:
        """``kept``, ``broken`` or ``not asked``."""
        return {True: "kept", False: "broken", None: "not asked"}[self.kept]


def promise(section: str, subject: str, says: str, broken: str, because: str = "") -> Promise:
    """A promise that is broken where ``broken`` says how, and kept where it is empty."""
    return Promise(section, subject, says, not broken, because, broken)


def listed(words: Iterable[str], last: str = "and") -> str:
    """``a, b and c``."""
    *others, final = [*words] or ["nothing"]
    return f"{', '.join(others)} {last} {final}" if others else final
