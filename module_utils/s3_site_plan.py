"""What to do so that the bucket shows a release: a pure decision from what is wanted, listed and remembered."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urljoin

from ansible.module_utils.s3_site_build import Local, SiteError
from ansible.module_utils.s3_site_cache_control import Part
from ansible.module_utils.s3_site_content_types import variant_of
from ansible.module_utils.s3_site_invalidation import fold, urls_of
from ansible.module_utils.s3_site_record import DAY, Entry, Listed, Manifest, Places, Record, Release, Retired


@dataclass(frozen=True)
class Bucket:
    """What the one listing of the bucket, and the records that it led to, say. ``at`` are times of S3's clock (s)."""

    listing: Mapping[str, Listed]
    record: Record = field(default_factory=Record)
    recorded_at: float = 0.0
    current: Manifest = field(default_factory=lambda: Manifest("", "", {}))
    # Of a publish that was interrupted, the newest first.
    interrupted: Sequence[Manifest] = ()
    interrupted_at: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What to do, in the order of doing it. All lists hold keys."""

    manifest: Manifest
    record: Record
    record_etag: str = ""  # of the record that this plan was made from, '' for none
    assets: list[str] = field(default_factory=list)  # hashed files to upload
    contents: list[str] = field(default_factory=list)  # mutable files whose content is not kept yet
    switches: list[list[str]] = field(default_factory=list)  # mutable files to put in place, one part after the other
    removed: list[str] = field(default_factory=list)  # pages that the release does not have
    pruned: list[str] = field(default_factory=list)  # what was not current for longer than the retention
    cleared: list[str] = field(default_factory=list)  # manifests that nothing refers to any more
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # what this release does not have, but visitors of the last may need
    retained: int = 0  # how many files are kept for retention altogether
    unmanaged: int = 0  # objects that no release ever had; they are left alone
    renewed: list[str] = field(default_factory=list)  # hashed files with a known name and a new content
    invalidation_paths: list[str] = field(default_factory=list)

    @property
    def publishes(self) -> bool:
        """Whether anything of what visitors see, or of the record, changes."""
        return bool(self.assets or self.contents or any(self.switches) or self.removed) or self.is_new

    is_new: bool = False

    @property
    def changes(self) -> bool:
        """Whether there is anything to do at all."""
        return self.publishes or bool(self.pruned)


def wanted(build: Sequence[Local], digest: Callable[[Local], str]) -> dict[str, Entry]:
    """The files of a build as a release has them; ``digest`` is asked for mutable files alone."""
    return {
        file.path: Entry(file.size, "" if file.part is Part.HASHED else digest(file), file.headers, file.changed_ns)
        for file in build
    }


def recorded_digest(file: Local, current: Manifest) -> str | None:
    """The digest of a local file, if the record knows it without reading: same size, not written to since."""
    known = current.files.get(file.path)
    if known is not None and known.digest and known.size == file.size and known.changed_ns == file.changed_ns:
        digest: str = known.digest
        return digest
    return None


def unhashed_assets(page: str, text: str, files: Mapping[str, Entry]) -> list[str]:
    """The scripts and styles of a site that a page loads, and whose names are the same from build to build."""
    found = re.findall(r"""<(?:script|link)[^>]+(?:src|href)=["']?([^"' >?#]+\.(?:m?js|css))""", text)
    paths = [unquote(urljoin("/" + page, url)).removeprefix("/") for url in found]
    return [path for path in dict.fromkeys(paths) if path in files and files[path].digest]


def name_release(asked: str | None, mark: str, bucket: Bucket, now: int) -> str:
    """The name of the release with fingerprint ``mark``: the one that it has, was asked for, or a new one.

    Raises SiteError when the name that was asked for is another release's, or cannot be part of a key.
    """
    current: str = bucket.record.current
    if mark == bucket.current.fingerprint:
        return current
    if not asked:
        again = next((other.release for other in bucket.interrupted[:1] if other.fingerprint == mark), None)
        return again or f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{mark[:8]}"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", asked):
        raise SiteError(f"release: {asked} is no name of a release. Use letters, digits, - and _ alone, at most 128.")
    if any(known.id == asked and known.fingerprint != mark for known in bucket.record.releases):
        raise SiteError(f"release: {asked} exists already, with another content. Choose another name.")
    return asked


def is_live(path: str, want: Entry, bucket: Bucket) -> bool:
    """Whether the object at ``path`` is already what is wanted, by the listing and the record alone.

    Either the record says so, and the object is not younger than the record; or an interrupted publish of the same
    content put it there, from a file that nobody has written to since. Where ETags are known to be MD5s (not with KMS,
    not of multipart uploads) they must agree.
    """
    listed = bucket.listing.get(path)
    if listed is None or listed.size != want.size:
        return False
    retired = bucket.record.retired.get(path)
    known = bucket.current.files.get(path) or (retired.entry if retired else None)
    if want.same(known) and listed.modified <= bucket.recorded_at:
        no_md5 = not want.digest or not bucket.record.etags_are_md5 or "-" in listed.etag
        return no_md5 or listed.etag == want.digest
    begun = bucket.interrupted[0].files.get(path) if bucket.interrupted else None
    if begun is None or not want.same(begun) or listed.modified < bucket.interrupted_at:
        return False
    return listed.etag == want.digest if want.digest else begun.changed_ns == want.changed_ns


def decide(
    manifest: Manifest, part_of: Callable[[str], Part], bucket: Bucket, places: Places, index: str, days: int, now: int
) -> Plan:
    """The plan that makes ``manifest`` the current release. Files are kept ``days`` after they were last current."""
    files = manifest.files
    # Hashed is what the release treats as hashed, whatever the options say today.
    stale = [path for path, entry in files.items() if not is_live(path, entry, bucket)]
    assets = [path for path in stale if not files[path].digest]
    mutable = [(max(part_of(path), Part.OTHER), path) for path in stale if files[path].digest]
    contents = {
        place: path
        for path, entry in files.items()
        if entry.digest
        and ((listed := bucket.listing.get(place := places.content(entry))) is None or listed.size != entry.size)
    }
    gone = [path for path in bucket.current.files if path not in files]
    ever = {*gone, *(path for other in bucket.interrupted for path in other.files if path not in files)}
    removed = [path for path in ever if part_of(path) >= Part.PAGE]
    is_new = manifest.fingerprint != bucket.current.fingerprint or manifest.release != bucket.record.current
    retired = _retired(manifest, bucket, places, removed, now)
    expired = [key for key, (_, since) in retired.items() if since + days * DAY <= now and key in bucket.listing]
    record = _next_record(manifest, bucket, retired, days, now)
    paths = fold(*_urls(manifest, bucket, places, stale, removed, index))
    if stale or removed or is_new:
        switch = {"reference": f"{manifest.release}-{now}", "paths": paths}
        record = replace(record, switch=switch)
    known = (bucket.current.files, bucket.record.retired, files)
    return Plan(
        manifest,
        record,
        record_etag=bucket.listing[places.record].etag if places.record in bucket.listing else "",
        assets=assets,
        contents=sorted(contents.values()),
        switches=[
            sorted((path for of, path in mutable if of is part), key=lambda path: (not variant_of(path)[1], path))
            for part in (Part.OTHER, Part.PAGE, Part.INDEX)
        ],
        removed=sorted(path for path in removed if path in bucket.listing),
        pruned=sorted(expired),
        cleared=_cleared(record, bucket, places, manifest.release),
        added=[path for path in stale if path not in bucket.listing],
        changed=[path for path in stale if path in bucket.listing],
        kept=sorted(path for path in gone if path not in set(removed)),
        retained=sum(not key.startswith(places.prefix) for key in retired) - len(expired),
        unmanaged=sum(
            not any(key in some for some in known) and not key.startswith(places.prefix) for key in bucket.listing
        ),
        renewed=[path for path in assets if (old := bucket.current.files.get(path)) and old.size != files[path].size],
        invalidation_paths=paths,
        is_new=is_new,
    )


def _retired(
    manifest: Manifest, bucket: Bucket, places: Places, removed: Sequence[str], now: int
) -> dict[str, Retired]:
    """What stands in the bucket without being current after this publish, and since when."""
    current = {*manifest.files, *(places.content(entry) for entry in manifest.files.values() if entry.digest)}
    gone = set(removed)
    retired = {key: old for key, old in bucket.record.retired.items() if key in bucket.listing and key not in current}
    for source in (bucket.current, *bucket.interrupted):
        for path, entry in source.files.items():
            for key in (path, places.content(entry)) if entry.digest else (path,):
                if key in bucket.listing and key not in current and key not in gone:
                    retired.setdefault(key, Retired(entry, now))
    return retired


def _next_record(manifest: Manifest, bucket: Bucket, retired: Mapping[str, Retired], days: int, now: int) -> Record:
    """The record once ``manifest`` is current."""
    size = sum(entry.size for entry in manifest.files.values())
    old = bucket.record
    others = [
        replace(release, superseded=now) if release.superseded is None else release
        for release in old.releases
        if release.id != manifest.release
    ]
    same = next((release for release in old.releases if release.id == manifest.release), None)
    published = same.published if same and same.fingerprint == manifest.fingerprint else now
    this = Release(manifest.release, manifest.fingerprint, published, None, len(manifest.files), size)
    kept = [release for release in others if release.kept(now, days)]
    releases = tuple(sorted((*kept, this), key=lambda release: release.published))
    return Record(manifest.release, releases, retired, old.etags_are_md5, old.switch)


def _cleared(record: Record, bucket: Bucket, places: Places, release: str) -> list[str]:
    """Manifests of releases that are not kept, and of interrupted publishes."""
    kept = {release, *(known.id for known in record.releases)}
    return sorted(key for key in bucket.listing if (of := places.release_of(key)) and of not in kept)


def _urls(
    manifest: Manifest, bucket: Bucket, places: Places, stale: Sequence[str], removed: Sequence[str], index: str
) -> tuple[set[str], Iterator[str]]:
    """The URL paths that answer otherwise than before the last completed publish, and those that answer the same.

    What an interrupted publish has put in place already counts as changed: nobody has invalidated it.
    """
    changed = {path for path in stale if path in bucket.listing} | set(removed)
    before = bucket.current.files
    for path, entry in manifest.files.items():
        if path in before:
            if not entry.same(before[path]):
                changed.add(path)
        elif entry.digest and bucket.interrupted and path in bucket.listing:
            changed.add(path)
    same = (path for path in bucket.listing if path not in changed and not path.startswith(places.prefix))
    return (
        {url for path in changed for url in urls_of(path, index)},
        (url for path in same for url in urls_of(path, index)),
    )
