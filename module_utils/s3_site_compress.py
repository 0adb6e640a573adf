"""Writes the Brotli and gzip siblings of a build's files (``app.js.br``, ``app.js.gz``), for whoever serves them.

Only what the last release does not have already is compressed, into files below a directory that the caller removes.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible.module_utils.s3_site_build import Local, SiteError
from ansible.module_utils.s3_site_cache_control import frozen
from ansible.module_utils.s3_site_content_types import compressible, variant_of
from ansible.module_utils.s3_site_plan import Bucket
from ansible.module_utils.s3_site_record import Entry

with contextlib.suppress(ImportError):
    import brotli  # type: ignore[import-untyped]  # it has no types

SUFFIX = {"br": ".br", "gzip": ".gz"}
SMALLEST = 1_000  # bytes; below that the answer's headers weigh more than what is saved
_CHUNK = 1024 * 1024


def add_siblings(
    build: Sequence[Local],
    wanted: Mapping[str, Entry],
    encodings: Sequence[str],
    bucket: Bucket,
    src: Path,
    work: Path,
    digest: Callable[[Path], str],
) -> tuple[dict[str, Entry], dict[str, str]]:
    """``wanted`` with the siblings, and where those that had to be made stand. Raises SiteError without Brotli."""
    if "br" in encodings and "brotli" not in globals():
        raise SiteError("precompress: br needs Python's brotli. Install it (pip install brotli), or leave br out.")
    files, made = dict(wanted), dict[str, str]()
    jobs: list[tuple[Local, str, str]] = []
    for file in build:
        if file.size < SMALLEST or not compressible(file.path) or variant_of(file.path)[1]:
            continue
        for encoding in encodings:
            sibling = file.path + SUFFIX[encoding]
            if sibling in wanted:  # the bundler wrote it
                continue
            known = known_sibling(file.path, sibling, wanted[file.path], encoding, bucket)
            if known is not None:
                files[sibling] = known
            else:
                jobs.append((file, sibling, encoding))

    def job(item: tuple[Local, str, str]) -> tuple[str, Entry]:
        file, sibling, encoding = item
        target = work / sibling
        made[sibling] = str(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        compress(src / file.path, target, encoding)
        content_digest = digest(target) if wanted[file.path].digest else ""
        headers = frozen(*wanted[file.path].headers[:2], encoding)
        stat = target.stat()
        return sibling, Entry(stat.st_size, content_digest, headers, stat.st_ctime_ns)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        files.update(pool.map(job, jobs))
    return files, made


def known_sibling(path: str, sibling: str, original: Entry, encoding: str, bucket: Bucket) -> Entry | None:
    """The sibling that the current release has of the same original, if the bucket still has it."""
    files = bucket.current.files
    there, listed = files.get(sibling), bucket.listing.get(sibling)
    if there is None or listed is None or listed.size != there.size:
        return None
    headers = frozen(*original.headers[:2], encoding)
    return there if original.same(files.get(path)) and there.headers == headers else None


def compress(source: Path, target: Path, encoding: str) -> None:
    """Compress a file as well as it goes (a large one a little less), one MiB at a time."""
    large = source.stat().st_size > 4 * _CHUNK
    feed: Callable[[bytes], bytes]
    packer: Any
    if encoding == "br":
        packer = brotli.Compressor(quality=9 if large else 11)
        feed, finish = packer.process, packer.finish
    else:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        feed, finish = packer.compress, packer.flush
    with source.open("rb") as original, target.open("wb") as packed:
        while chunk := original.read(_CHUNK):
            packed.write(feed(chunk))
        packed.write(finish())
