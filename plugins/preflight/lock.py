"""The lock: how long a lease lasts, and how long a run waits for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .shapes import BUCKET, BUCKET_WORDS, matching, within
from .wording import Refusals

# A lease that is shorter could end while S3 is slow; one that is longer keeps others out for as long after a death.
SECONDS = (30, 3600)
LONGEST_WAIT = 86400


def check(variables: Mapping[str, Any], refusals: Refusals) -> None:
    """Everything that begins with ``lock_``."""
    if "lock_bucket" in variables:  # by default it is known only when the account is
        matching(refusals, "lock_bucket", variables["lock_bucket"], BUCKET, BUCKET_WORDS)
    if "lock_wait" in variables:
        within(refusals, "lock_wait", variables["lock_wait"], 0, LONGEST_WAIT)
    if "lock_seconds" in variables:
        within(refusals, "lock_seconds", variables["lock_seconds"], *SECONDS)
