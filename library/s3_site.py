#!/usr/bin/python
"""Publish a built website to an S3 bucket."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site
short_description: Publish a built website to an S3 bucket
description:
  - Publishes the directory that a bundler wrote (Vite, webpack, Next.js export, Astro and others) to an S3 bucket, for
    CloudFront or another server to serve.
  - The order is a promise. Files with a hash of their content in their names are uploaded first, then the other files
    change, then the pages, and the index at the very last. Whoever loads a page at any moment, also during a publish
    and after one that was killed at any point, gets a page whose hashed files are all there. Run again, an
    interrupted publish goes on where it stopped.
  - What a release does not need any more stays for O(retention_days), since visitors may still have the pages of the
    last one open. Pages that a release does not have are deleted with the switch.
  - The releases are recorded in the bucket, under O(record_prefix), so any machine can publish, and
    O(state=rolled_back) restores any kept release without its build, by rewriting only the files whose names have no
    hash. The record holds nothing that was not public once, but it need not be served. Deny C(s3:GetObject) on it to
    CloudFront in the bucket's policy.
  - One listing of the bucket decides what to do. A file is read only when its size and the record do not say enough.
  - Files that no release ever had are left alone.
author: The Madang authors
requirements:
  - obstore >= 0.8
  - brotli, for O(precompress=br)
options:
  state:
    description:
      - V(present) publishes O(src).
      - V(rolled_back) makes the recorded O(release) the current one again.
    type: str
    choices: [present, rolled_back]
    default: present
  src:
    description: The directory of the build. Required when O(state=present).
    type: path
  release:
    description:
      - A name for the release, for example the commit that was built. By default the time and a hash of its content.
        A build that is current already keeps the name that it has.
      - With O(state=rolled_back), which release to restore. Required then.
    type: str
  index:
    description: The page that is switched last. Pages of the same name in other directories are their indexes.
    type: str
    default: index.html
  hashed:
    description:
      - Patterns of files whose names hold a hash of their content. By default the names tell, for example
        C(assets/index-DiwrgTda.js) and C(main.8e0d62a3.css).
      - In a pattern C(*) stands for any characters. One without a C(/) is held against a file's name, others against
        its path in O(src), and one that begins with C(/) matches from there.
    type: list
    elements: str
  cache_control:
    description:
      - C(Cache-Control) by pattern. The first rule that matches counts.
      - Files that no rule matches get C(public, max-age=31536000, immutable) when they are hashed, and C(no-cache) when
        they are not, pages, web manifests and service workers among them.
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description: As in O(hashed).
        type: str
        required: true
      value:
        description: The header's value.
        type: str
        required: true
  exclude:
    description: Patterns of files not to publish, beside C(.DS_Store), C(Thumbs.db), C(.vite) and the like.
    type: list
    elements: str
    default: []
  precompress:
    description:
      - Publish compressed siblings too, C(app.js.br) and C(app.js.gz) beside C(app.js), with the original's type and
        their C(Content-Encoding), for a server that chooses by C(Accept-Encoding), such as a viewer function. Without
        one they are of no use. CloudFront itself compresses what has 1,000 to 10,000,000 bytes.
      - Siblings that the bundler wrote are published with the same headers in any case.
    type: list
    elements: str
    choices: [br, gzip]
    default: []
  concurrency:
    description:
      - How many requests to make at once, at most. Fewer are made when S3 throttles, or answers so quickly that fewer
        keep this machine busy.
    type: int
    default: 192
  progress_file:
    description: A file to which a line is added every few seconds of a long publish, for C(tail -f).
    type: path
extends_documentation_fragment:
  - s3_site
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Publish the frontend
  s3_site:
    bucket: shop-frontend
    src: frontend/dist
    required_tags:
      Project: shop
  register: site

- name: Let CloudFront fetch what has changed, also when an earlier run was interrupted before it came to that
  cloudfront_cache_invalidation:
    distribution_id: E2QWRUHAPOMQZL
    paths: "{{ site.last_switch.paths }}"
    caller_reference: "{{ site.last_switch.reference }}"

- name: Publish with other headers for pictures, under the name of the commit
  s3_site:
    bucket: shop-frontend
    src: frontend/dist
    release: 4f2a91c
    cache_control:
      - pattern: /images/*
        value: public, max-age=86400
      - pattern: "*.pdf"
        value: public, max-age=3600

- name: Go back to an earlier release
  s3_site:
    bucket: shop-frontend
    state: rolled_back
    release: 20261122T203808Z-5f0c33d1
"""

RETURN = r"""
release:
  description: The release that is current now. In check mode, the one that would be.
  returned: success
  type: str
  sample: 20261122T203808Z-5f0c33d1
previous_release:
  description: The release that was current before this task, or an empty string.
  returned: success
  type: str
releases:
  description: The releases that can be rolled back to, the oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The release's name.
      type: str
    published:
      description: When it was first published.
      type: str
      sample: "2026-11-22T20:38:08Z"
    superseded:
      description: Since when it is not current any more. Empty for the current one.
      type: str
    files:
      description: The number of its files.
      type: int
    bytes:
      description: The size of its files.
      type: int
counts:
  description:
    - "How many files are C(added), C(changed), C(removed) (pages that the release does not have), C(kept) (not in this
      release, kept for the visitors of the last one), C(pruned) (kept for long enough) and C(unmanaged) (not from any
      release, left alone)."
  returned: success
  type: dict
  sample: {added: 3, changed: 1, removed: 0, kept: 3, pruned: 0, unmanaged: 0}
changed_paths:
  description: The paths in the site that this task changed or removed, or would. New paths are not among them.
  returned: success
  type: list
  elements: str
  sample: [index.html]
invalidation_paths:
  description:
    - The same as paths for a CloudFront invalidation, directories' own URLs included, folded with wildcards where one
      covers nothing that stays the same.
    - Also what an interrupted publish changed before this task is among them.
  returned: success
  type: list
  elements: str
  sample: ["/", "/index.html"]
last_switch:
  description:
    - The invalidation of the last publish that changed something, be it this task's or an earlier one's. A
      C(reference) as its caller reference makes an invalidation that can be asked for again, without a second one.
  returned: success
  type: dict
  sample: {reference: 20261122T203808Z-5f0c33d1-1795379888, paths: ["/", "/index.html"]}
"""

import gc

if __name__ == "__main__":
    # Nearly all that is made here, from the imports on, stays to the end: looking for garbage among it costs a tenth of
    # a publish's time.
    gc.disable()

import contextlib
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.s3_site_access import SITE, places_of, reach
from ansible.module_utils.s3_site_build import Local, SiteError, digest_of, read_build
from ansible.module_utils.s3_site_cache_control import sorter
from ansible.module_utils.s3_site_compress import add_siblings
from ansible.module_utils.s3_site_plan import Bucket, Plan, decide, name_release, recorded_digest, wanted
from ansible.module_utils.s3_site_publish import carry_out, read_bucket, read_release
from ansible.module_utils.s3_site_record import Manifest, fingerprint
from ansible.module_utils.s3_site_report import result, warnings_of
from ansible.module_utils.s3_site_transfer import Store
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ARGUMENTS: dict[str, Any] = {
    **SITE,
    "state": {"type": "str", "choices": ["present", "rolled_back"], "default": "present"},
    "src": {"type": "path"},
    "release": {"type": "str"},
    "index": {"type": "str", "default": "index.html"},
    "hashed": {"type": "list", "elements": "str"},
    "cache_control": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"pattern": {"type": "str", "required": True}, "value": {"type": "str", "required": True}},
    },
    "exclude": {"type": "list", "elements": "str", "default": []},
    "precompress": {"type": "list", "elements": "str", "choices": ["br", "gzip"], "default": []},
    "concurrency": {"type": "int", "default": 192},
    "progress_file": {"type": "path"},
}


def check_options(asked: Mapping[str, Any]) -> None:
    """Refuse values that would harm. Raises SiteError."""
    if asked["retention_days"] < 1:
        raise SiteError(
            f"retention_days: {asked['retention_days']} would delete files that visitors' open pages still load. "
            "Write 1 or more."
        )
    if not asked["record_prefix"].strip("/"):
        raise SiteError("record_prefix is empty, so the record would stand among the site's files. Write .releases/.")
    if asked["concurrency"] < 1:
        raise SiteError(f"concurrency: {asked['concurrency']} would upload nothing. Write 1 or more.")
    progress = asked["progress_file"]
    if progress and not Path(progress).parent.is_dir():
        raise SiteError(
            f"progress_file: {progress} cannot be written, since its directory is not there. Make it first."
        )


def release_of_build(
    asked: Mapping[str, Any], bucket: Bucket, build: list[Local], work: Path, now: int
) -> tuple[Manifest, Callable[[str], str]]:
    """The release that a build is, with its name, and where its files stand; new compressed ones below ``work``."""
    src = Path(asked["src"])
    above = f"{src}/"

    def digest(file: Local) -> str:
        known: str = recorded_digest(file, bucket.current) or digest_of(src / file.path)
        return known

    files = wanted(build, digest)
    made: dict[str, str] = {}
    if asked["precompress"]:
        files, made = add_siblings(build, files, asked["precompress"], bucket, src, work, digest_of)
    mark = fingerprint(files)
    release = Manifest(name_release(asked["release"], mark, bucket, now), mark, files)
    # Strings, since a Path costs as much as the rest of what Python does for a file.
    return release, lambda path: made.get(path) or above + path


def check_restorable(plan: Plan) -> None:
    """Refuse to roll back to a release of which something is gone. Raises SiteError."""
    gone = [*plan.assets, *plan.contents]
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise SiteError(
            f"Release {plan.manifest.release} cannot be restored: {gone[0]}{more} of its files are not in the bucket "
            "as they were. Publish its build again. Nothing was touched."
        )


def writer(path: str | None) -> Callable[[str], None]:
    """The function that reports progress."""

    def say(line: str) -> None:
        if path:
            # A full disk is no reason to stop halfway.
            with contextlib.suppress(OSError), Path(path).open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%H:%M:%S')} {line}\n")

    return say


def run(
    asked: Mapping[str, Any], open_bucket: Callable[[], Store], check_mode: bool, warn: Callable[[str], None]
) -> dict[str, Any]:
    """Decide, act unless in check mode, and report. Raises SiteError.

    ``open_bucket`` checks that the bucket is the right one and returns it; what can be refused without it comes first.
    """
    check_options(asked)
    places = places_of(asked)
    part_of = sorter(asked["index"], asked["hashed"])
    rules = [(rule["pattern"], rule["value"]) for rule in asked["cache_control"]]
    publishing = asked["state"] == "present"
    build: list[Local] = []
    if publishing:
        build = read_build(asked["src"], asked["index"], part_of, rules, asked["exclude"], places.prefix)
    store = open_bucket()
    now = int(time.time())
    bucket = read_bucket(store, places)
    with tempfile.TemporaryDirectory(prefix="s3_site-") as work:
        if publishing:
            manifest, source = release_of_build(asked, bucket, build, Path(work), now)
            build.clear()
        else:
            manifest, source = read_release(store, places, asked["release"], bucket, asked["retention_days"], now), str
        plan = decide(manifest, part_of, bucket, places, asked["index"], asked["retention_days"], now)
        if not publishing:
            check_restorable(plan)
        for warning in warnings_of(plan, source):
            warn(warning)
        if plan.changes and not check_mode:
            carry_out(plan, store, places, source, writer(asked["progress_file"]))
    answer: dict[str, Any] = result(plan, bucket, places, asked["bucket"])
    return answer


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_if=[("state", "present", ["src"]), ("state", "rolled_back", ["release"])],
    )
    try:
        answer = run(module.params, lambda: reach(module), module.check_mode, module.warn)
    except SiteError as error:
        module.fail_json(msg=str(error))
    except OSError as error:  # of the build, before the first request that changes anything
        module.fail_json(msg=f"{error.filename}: {error.strerror}. Nothing was touched.")
    gc.freeze()  # or Python looks for it at the end
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
