"""Carries a plan out, in an order that a visitor, and a kill at any point, cannot catch half done."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from ansible.module_utils.s3_site_build import SiteError
from ansible.module_utils.s3_site_plan import Bucket, Plan
from ansible.module_utils.s3_site_record import (
    Entry,
    Listed,
    Manifest,
    Places,
    Record,
    read_manifest,
    read_record,
    write_manifest,
    write_record,
)
from ansible.module_utils.s3_site_transfer import Store

_PACKED = ("application/gzip", "no-store", "")
_MD5 = re.compile(r"[0-9a-f]{32}")

Say = Callable[[str], None]


def read_bucket(store: Store, places: Places) -> Bucket:
    """What the bucket holds and remembers: one listing, and a read for each record that matters."""
    listing = store.list()
    if places.record not in listing:
        record, recorded_at = Record(), 0.0
    else:
        record, recorded_at = _read(read_record, store, places.record), listing[places.record].modified
    current = _manifest(store, places, record.current, listing)
    known = {release.id for release in record.releases}
    loose = [key for key in listing if (release := places.release_of(key)) and release not in known]
    loose.sort(key=lambda key: listing[key].modified, reverse=True)
    interrupted = [_read(read_manifest, store, key) for key in loose]
    return Bucket(listing, record, recorded_at, current, interrupted, listing[loose[0]].modified if loose else 0.0)


def read_release(store: Store, places: Places, release: str, bucket: Bucket, days: int, now: int) -> Manifest:
    """The manifest of a kept release. Raises SiteError when there is none of that name."""
    kept = [known.id for known in bucket.record.releases if known.kept(now, days)]
    if release not in kept or places.manifest(release) not in bucket.listing:
        there = f"It keeps {', '.join(reversed(kept))}." if kept else "It keeps none."
        raise SiteError(f"release: {store.bucket} keeps no release {release}. {there}")
    return bucket.current if release == bucket.record.current else _manifest(store, places, release, bucket.listing)


def _manifest(store: Store, places: Places, release: str, listing: Mapping[str, Listed]) -> Manifest:
    key = places.manifest(release)
    return _read(read_manifest, store, key) if release and key in listing else Manifest("", "", {})


def _read[What](parse: Callable[[bytes], What], store: Store, key: str) -> What:
    try:
        return parse(store.get(key))
    except (ValueError, KeyError, TypeError) as error:
        raise SiteError(
            f"s3://{store.bucket}/{key} is {error}. Something else wrote it, or a newer version of this module did. "
            "Set another record_prefix, or delete that object to begin a new record."
        ) from error


def carry_out(plan: Plan, store: Store, places: Places, source: Callable[[str], str], say: Say) -> None:
    """Make the plan's release current. Raises SiteError, which says what visitors see then."""
    step = _Steps(plan, store, places, source, say)
    try:
        if plan.publishes:
            step.stage()
            step.switch()
        step.remember()
        step.prune()
    except SiteError as error:
        raise SiteError(f"{error} {step.what_visitors_see}") from error


class _Steps:
    """The steps of a publish. Each may be repeated, and none begins before the one before it has ended."""

    def __init__(self, plan: Plan, store: Store, places: Places, source: Callable[[str], str], say: Say) -> None:
        self._plan = plan
        self._store = store
        self._places = places
        self._source = source
        self._say = say
        self._files: Mapping[str, Entry] = plan.manifest.files
        self._md5s: list[bool] = []
        self.what_visitors_see = "Nothing that visitors see has changed."

    def stage(self) -> None:
        """Bring everything into the bucket that the release needs and no page refers to yet."""
        plan, files, store = self._plan, self._files, self._store
        store.put(self._places.manifest(plan.manifest.release), write_manifest(plan.manifest), _PACKED)

        def upload(path: str) -> None:
            entry = files[path]
            if not entry.digest:
                store.upload(path, self._source(path), entry)
                return
            etag = store.upload(self._places.content(entry), self._source(path), entry)
            if _MD5.fullmatch(etag):
                self._md5s.append(etag == entry.digest)

        self._all("files uploaded", [*plan.assets, *plan.contents], upload)

    def switch(self) -> None:
        """Put the mutable files in place: first those that pages load, then the pages, then the index."""

        def put_in_place(path: str) -> None:
            self._store.copy(self._places.content(self._files[path]), path)

        self.what_visitors_see = "Visitors still see the whole old site, but some files beside the pages are new."
        for paths, seen in zip(self._plan.switches, _SEEN, strict=True):
            # One after the other where the order counts: the index itself stands last in its part.
            if seen is _SEEN[-1]:
                for path in paths:
                    put_in_place(path)
            else:
                self._all("files put in place", paths, put_in_place)
            self.what_visitors_see = seen
        self._store.delete(self._plan.removed)

    def remember(self) -> None:
        """Write the record: from here on the release is the current one."""
        record = self._plan.record
        if self._md5s:
            record = replace(record, etags_are_md5=all(self._md5s))
        self._store.replace(self._places.record, write_record(record), _PACKED, self._plan.record_etag)
        self.what_visitors_see = "The release is published, and visitors see it."

    def prune(self) -> None:
        """Delete what no visitor can need any more."""
        self._store.delete([*self._plan.pruned, *self._plan.cleared])

    def _all(self, what: str, paths: list[str], work: Callable[[str], object]) -> None:
        """Do the work for all paths, and say every few seconds how far it is."""
        total, done, said, counting = len(paths), 0, time.monotonic(), threading.Lock()

        def one(path: str) -> None:
            nonlocal done, said
            work(path)
            with counting:
                done += 1
                if time.monotonic() - said >= 2:
                    said = time.monotonic()
                    self._say(f"{done} of {total} {what}")

        self._store.each(paths, one)
        if total:
            self._say(f"{total} of {total} {what}")


_SEEN = (
    "Visitors still see the whole old site, but some files beside the pages are new.",
    "Visitors of the index still see the old site; other pages are new.",
    "Visitors see the new site, but the record does not say so yet.",
)
