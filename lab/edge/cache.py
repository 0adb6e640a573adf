"""The edge's cache on disk: nginx writes each entry's key into its file, and an entry without a file is a miss."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lab.edge.model import Invalidation
from lab.edge.paths import matches

# nginx's binary header, then the key: CloudFront's longest URL (8,192 bytes) fits with headers and cookies.
_HEAD = 64 * 1024
_MARK = b"\nKEY: "


class Key(NamedTuple):
    """The first two fields of an entry's key; policy.js writes them."""

    distribution_id: str
    path: str


def parse_key(head: bytes) -> Key | None:
    """The key in the first bytes of a cache file; None when it is not one, or not a whole one."""
    _, mark, rest = head.partition(_MARK)
    line, end, _ = rest.partition(b"\n")
    fields = line.decode("utf-8", "replace").split(" ")
    return Key(fields[0], fields[1]) if mark and end and len(fields) > 1 else None


def takes(invalidation: Invalidation, key: Key) -> bool:
    """Whether an invalidation removes the entry with this key."""
    return key.distribution_id == invalidation.distribution_id and any(
        matches(path, key.path) for path in invalidation.paths
    )


def entries(cache: Path) -> Iterator[tuple[Path, Key]]:
    """Every entry under the cache's directory, with all its variants (encodings, headers, cookies)."""
    for path in cache.rglob("*"):
        try:
            with path.open("rb") as file:
                key = parse_key(file.read(_HEAD))
        except OSError:  # a directory, or an entry that nginx has just replaced
            continue
        if key:
            yield path, key


def purge(cache: Path, invalidation: Invalidation) -> int:
    """Remove what the invalidation names; return how many entries went."""
    removed = 0
    for path, key in entries(cache):
        if takes(invalidation, key):
            path.unlink(missing_ok=True)
            removed += 1
    return removed
