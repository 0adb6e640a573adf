"""Reads the directory that a bundler wrote, and refuses what is not a finished build.

Only names, sizes and times are read here; the contents of a file are read when something must be known of them.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ansible.module_utils.s3_site_cache_control import Part, cache_control, frozen, matcher
from ansible.module_utils.s3_site_content_types import content_type, variant_of

# What editors and file managers leave behind.
EXCLUDED = (".DS_Store", "Thumbs.db", "desktop.ini", "*.swp", "/.vite/*")

# Their presence means: somebody pointed at the sources, and would publish the repository or its secrets.
_NOT_IN_A_BUILD = {
    ".git": "a repository",
    ".hg": "a repository",
    ".svn": "a repository",
    "node_modules": "the sources of a project",
    ".ssh": "a home directory",
    ".aws": "a home directory",
}


class SiteError(Exception):
    """Why a site cannot be published: one message that says what was found and what to do."""


class Local(NamedTuple):
    """A file of the build. ``headers`` are Content-Type, Cache-Control and Content-Encoding ('' for none).

    ``changed_ns`` is the inode's change time: unlike the modification time no build tool can set it, so one that is
    the same as before means that nobody has written to the file.
    """

    path: str
    size: int
    changed_ns: int
    part: Part
    headers: tuple[str, str, str]


def read_build(
    src: str,
    index: str,
    part_of: Callable[[str], Part],
    rules: Sequence[tuple[str, str]],
    exclude: Sequence[str],
    private: str,
) -> list[Local]:
    """The files of a build, sorted by path. ``private`` is the prefix that the site may not use.

    Raises SiteError when the directory is not a build that can be published.
    """
    root = Path(src)
    if not root.is_dir():
        raise SiteError(f"src: {src} is not a directory. Build the site first, and give the directory that it wrote.")
    found = dict(_walk(os.path.realpath(src), "", matcher((*EXCLUDED, *exclude))))
    if not found:
        raise SiteError(f"src: {src} is empty, and an empty build would empty the site. Build the site first.")
    if index not in found:
        pages = sorted(path for path in found if path.endswith(".html"))[:3]
        hint = (
            f" It has {', '.join(pages)}: is src or index another?" if pages else " Is src the directory of the build?"
        )
        raise SiteError(f"src: {src} has no {index}, so visitors would find no site. {hint}")
    if found[index][0] == 0:
        raise SiteError(f"src: {index} in {src} is an empty file: the build did not finish. Build the site again.")
    if "package.json" in found:
        raise SiteError(
            f"src: {src} has a package.json at its top, so these are the sources of a site and not its build. "
            "Give the directory that the build writes, usually dist or build, or exclude that file."
        )
    clash = next((path for path in found if path.startswith(private)), None)
    if clash is not None:
        raise SiteError(f"src: {clash} stands under {private}, where the releases are recorded. Set record_prefix.")
    return [_local(path, found, part_of(path), rules) for path in sorted(found)]


def _local(path: str, found: dict[str, tuple[int, int]], part: Part, rules: Sequence[tuple[str, str]]) -> Local:
    size, changed_ns = found[path]
    original, encoding = variant_of(path)
    if original not in found:  # a download such as data.csv.gz, not a sibling
        original, encoding = path, ""
    headers = frozen(content_type(original), cache_control(path, part, rules), encoding)
    return Local(path, size, changed_ns, part, headers)


def _walk(root: str, below: str, excluded: Callable[[str], bool]) -> Iterator[tuple[str, tuple[int, int]]]:
    with os.scandir(os.path.join(root, below)) as entries:  # noqa: PTH118 - a Path an entry costs a second
        listed = list(entries)
    while listed:
        entry = listed.pop()  # and let it go, since each keeps what it was asked: a thousand bytes
        path = sys.intern(f"{below}{entry.name}")
        if excluded(path):
            continue
        _refuse(root, path, entry)
        if entry.is_dir():
            yield from _walk(root, path + "/", excluded)
        elif entry.is_file():
            stat = entry.stat()
            yield path, (stat.st_size, stat.st_ctime_ns)
        else:
            raise SiteError(f"src: {path} in {root} is neither a file nor a directory. Exclude it, or remove it.")


def _refuse(root: str, path: str, entry: os.DirEntry[str]) -> None:
    what = _NOT_IN_A_BUILD.get(entry.name)
    if what is not None:
        raise SiteError(
            f"src: {root} contains {path}, so it is {what} and not a build. "
            "Give the directory that the build writes, usually dist or build."
        )
    if entry.name == ".env" or entry.name.startswith(".env."):
        raise SiteError(
            f"src: {root} contains {path}, which usually holds secrets and would be published. "
            "Remove it from the build, or give the directory that the build writes."
        )
    if entry.is_symlink():
        target = os.path.realpath(entry.path)
        if not target.startswith(root + os.sep):
            raise SiteError(f"src: {path} in {root} is a link to {target}, outside the build. Exclude it, or copy it.")
        if entry.is_dir():
            raise SiteError(f"src: {path} in {root} is a link to a directory. Exclude it, or copy the directory.")


def digest_of(file: Path) -> str:
    """The MD5 of a file in hexadecimal, which is what S3's ETag is for most objects; 1 MiB of memory at most."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
