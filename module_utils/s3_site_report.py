"""What the module returns of a plan: counts, paths, releases, and a difference for diff mode."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ansible.module_utils.s3_site_plan import Bucket, Plan, unhashed_assets
from ansible.module_utils.s3_site_record import Places, Record, Release

# A first publish of many thousand files need not print them all.
LINES = 500


def result(plan: Plan, bucket: Bucket, places: Places, name: str) -> dict[str, Any]:
    """The arguments of ``exit_json``."""
    return {
        "changed": plan.changes,
        "release": plan.manifest.release,
        "previous_release": bucket.record.current,
        "releases": [_release(release) for release in plan.record.releases],
        "counts": {
            "added": len(plan.added),
            "changed": len(plan.changed),
            "removed": len(plan.removed),
            "kept": len(plan.kept),
            "pruned": sum(not key.startswith(places.prefix) for key in plan.pruned),
            "retained": plan.retained,
            "unmanaged": plan.unmanaged,
        },
        "changed_paths": sorted([*plan.changed, *plan.removed]),
        "invalidation_paths": plan.invalidation_paths,
        "last_switch": dict(plan.record.switch),
        "diff": difference(plan, bucket, places, name),
    }


def warnings_of(plan: Plan, source: Callable[[str], str]) -> list[str]:
    """What will work, but not as well as it could."""
    renewed = [
        f"{path} has a new content under a name that promises never to change: browsers may keep the old one for a "
        "year. If its name holds no hash, say with 'hashed' which do."
        for path in plan.renewed[:3]
    ]
    pages = [path for path in plan.contents if path.endswith(".html") and plan.manifest.files[path].size < 1_000_000]
    loose = {
        asset: page
        for page in pages[:20]
        for asset in unhashed_assets(page, Path(source(page)).read_text("utf-8", "replace"), plan.manifest.files)
    }
    return renewed + [
        f"{page} loads {asset}, whose name holds no hash of its content: during a publish a visitor may get the new "
        "one with the old page. Let the bundler hash it."
        for asset, page in sorted(loose.items())[:3]
    ]


def difference(plan: Plan, bucket: Bucket, places: Places, name: str) -> dict[str, str]:
    """Before and after as lines, one for each file that is added, changed, kept for retention, removed or pruned."""
    files, old = plan.manifest.files, bucket.listing
    pruned = [path for path in plan.pruned if not path.startswith(places.prefix)]

    def was(path: str) -> str:
        return f"{old[path].size} bytes, {old[path].etag}"

    def becomes(path: str) -> str:
        return f"{files[path].size} bytes, {files[path].digest or 'hashed'}, {files[path].headers[1]}"

    # What visitors may miss comes first, where not all can be told.
    rows = chain(
        ((path, was(path), becomes(path)) for path in plan.changed),
        ((path, "a page of the last release", "") for path in plan.removed),
        ((path, "kept for retention, which is over", "") for path in pruned),
        ((path, "current", "kept for retention") for path in plan.kept),
        ((path, "", f"{files[path].size} bytes, {files[path].headers[1]}") for path in plan.added),
    )
    told = sorted(islice(rows, LINES))
    untold = sum(map(len, (plan.changed, plan.removed, pruned, plan.kept, plan.added))) - len(told)
    more = f"and {untold} more\n" if untold else ""
    return {
        "before_header": f"s3://{name} ({bucket.record.current or 'no release'})",
        "after_header": f"s3://{name} ({plan.manifest.release})",
        "before": "".join(f"{path}: {before}\n" for path, before, _ in told if before) + more,
        "after": "".join(f"{path}: {after}\n" for path, _, after in told if after) + more,
    }


def releases(record: Record, days: int, now: int) -> dict[str, Any]:
    """What ``s3_site_info`` returns of a record: the releases that are kept, and the one before the current."""
    kept = [release for release in record.releases if release.kept(now, days)]
    earlier = [release for release in kept if release.superseded is not None]
    previous = max(earlier, key=lambda release: release.superseded or 0, default=None)
    return {
        "current": record.current,
        "previous": previous.id if previous else "",
        "releases": [_release(release) for release in kept],
        "last_switch": dict(record.switch),
    }


def _release(release: Release) -> dict[str, Any]:
    return {
        "id": release.id,
        "published": _time(release.published),
        "superseded": "" if release.superseded is None else _time(release.superseded),
        "files": release.files,
        "bytes": release.bytes,
    }


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
