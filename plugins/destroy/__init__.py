"""What destroying a deployment would take, and what speaks against it; pure functions."""

from __future__ import annotations

from .refusals import losses, strangers
from .wording import entries, plan, rows

__all__ = ["entries", "losses", "plan", "rows", "strangers"]
