"""What the bucket remembers of a site's releases, and how that is written down.

Under a private prefix stand three kinds of objects, none with a dot in the last part of its key, so that a viewer
function which routes such paths to the index page never lets one out:

- ``record``: which releases there are, which is current, and since when each file is not current any more;
- ``manifest/ID``: the files of one release. It is written before anything else of a publish, so one that the record
  does not know belongs to a publish that was interrupted;
- ``content/DIGEST``: the content and headers of one mutable file. To make a release current is to copy these to their
  places, in order; to roll back is the same.

The first two are a line of JSON for the whole, then one a file, compressed with gzip.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, NamedTuple

from ansible.module_utils.s3_site_cache_control import frozen

VERSION = 1
DAY = 86_400


class Entry(NamedTuple):
    """A file as a release has it.

    ``digest`` is the MD5 of its content, '' for a hashed file, whose name says it. ``headers`` are Content-Type,
    Cache-Control and Content-Encoding. ``changed_ns`` is the local file's change time.
    """

    size: int
    digest: str
    headers: tuple[str, str, str]
    changed_ns: int = 0

    def same(self, other: Entry | None) -> bool:
        """Whether both make the same object."""
        return other is not None and self[:3] == other[:3]


class Retired(NamedTuple):
    """A file that is not current any more, and since when (Unix time, s)."""

    entry: Entry
    since: int


class Listed(NamedTuple):
    """An object as the bucket's listing has it; ``etag`` without its quotes, ``modified`` in Unix time (s)."""

    size: int
    etag: str
    modified: float


@dataclass(frozen=True)
class Manifest:
    """The files of one release, by path."""

    release: str
    fingerprint: str
    files: Mapping[str, Entry]


@dataclass(frozen=True)
class Release:
    """A release as the record knows it; times are Unix times (s), ``superseded`` is None while it is current."""

    id: str
    fingerprint: str
    published: int
    superseded: int | None
    files: int
    bytes: int

    def kept(self, now: int, days: int) -> bool:
        """Whether it can still be rolled back to."""
        return self.superseded is None or self.superseded + days * DAY > now


@dataclass(frozen=True)
class Record:
    """What the bucket remembers. ``switch`` is the last change of what visitors see, for its invalidation."""

    current: str = ""
    releases: tuple[Release, ...] = ()
    retired: Mapping[str, Retired] = field(default_factory=dict)
    etags_are_md5: bool = False
    switch: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Places:
    """The keys under the private prefix, which ends in a slash."""

    prefix: str

    @property
    def record(self) -> str:
        return self.prefix + "record"

    def manifest(self, release: str) -> str:
        return f"{self.prefix}manifest/{release}"

    def content(self, entry: Entry) -> str:
        """Where the content of a mutable file is kept; its headers are part of it."""
        return f"{self.prefix}content/{entry.digest}-{zlib.crc32(chr(0).join(entry.headers).encode()):08x}"

    def release_of(self, key: str) -> str:
        """The release whose manifest a key holds, or ''."""
        start = self.prefix + "manifest/"
        return key.removeprefix(start) if key.startswith(start) else ""


def fingerprint(files: Mapping[str, Entry]) -> str:
    """A short hash over all that makes a release: paths, contents, headers."""
    whole = hashlib.sha256()
    for some in batched(sorted(files), 1000):
        whole.update(json.dumps([[path, *files[path][:3]] for path in some]).encode())
    return whole.hexdigest()[:16]


def write_manifest(manifest: Manifest) -> bytes:
    """A manifest as the content of its object."""
    head = {"version": VERSION, "release": manifest.release, "fingerprint": manifest.fingerprint}
    return _write(head, lambda: ((path, entry, ()) for path, entry in manifest.files.items()))


def read_manifest(content: bytes) -> Manifest:
    """A manifest from the content of its object. Raises ValueError when it is none."""
    head, files = _read(content)
    return Manifest(head["release"], head["fingerprint"], {path: entry for path, (entry, _) in files.items()})


def write_record(record: Record) -> bytes:
    """The record as the content of its object."""
    head = {
        "version": VERSION,
        "current": record.current,
        "etags_are_md5": record.etags_are_md5,
        "releases": [vars(release) for release in record.releases],
        "switch": dict(record.switch),
    }
    return _write(head, lambda: ((path, entry, (since,)) for path, (entry, since) in record.retired.items()))


def read_record(content: bytes) -> Record:
    """The record from the content of its object. Raises ValueError when it is none."""
    head, files = _read(content)
    return Record(
        head["current"],
        tuple(Release(**release) for release in head["releases"]),
        {path: Retired(entry, more[0]) for path, (entry, more) in files.items()},
        head["etags_are_md5"],
        head["switch"],
    )


def _write(head: dict[str, Any], files: Callable[[], Iterator[tuple[str, Entry, tuple[int, ...]]]]) -> bytes:
    headers: dict[tuple[str, str, str], int] = {}
    for _, entry, _ in files():
        headers.setdefault(entry.headers, len(headers))
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    as_json = json.JSONEncoder(ensure_ascii=False).encode
    packed = [packer.compress(as_json({**head, "headers": list(headers)}).encode())]
    for path, entry, more in files():
        row = [path, entry.size, entry.digest, headers[entry.headers], entry.changed_ns, *more]
        packed.append(packer.compress(b"\n" + as_json(row).encode()))
    packed.append(packer.flush())
    return b"".join(packed)


def _read(content: bytes) -> tuple[dict[str, Any], dict[str, tuple[Entry, list[int]]]]:
    """What ``_write`` wrote, line by line: a release may have a hundred thousand files."""
    try:
        with gzip.open(io.BytesIO(content)) as lines:
            head = json.loads(lines.readline())
            if head["version"] != VERSION:
                raise ValueError(f"written in version {head['version']} of its form; this module knows {VERSION}")
            headers = [frozen(*values) for values in head["headers"]]
            files = {}
            for line in lines:
                path, size, digest, number, changed_ns, *more = json.loads(line)
                files[sys.intern(path)] = (Entry(size, digest, headers[number], changed_ns), more)
    except (OSError, EOFError, zlib.error, json.JSONDecodeError) as error:
        raise ValueError(f"not a record of releases: {error}") from error
    return head, files
