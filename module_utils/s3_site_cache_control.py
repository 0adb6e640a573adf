"""Which part a file has in a site, and how long browsers and CloudFront may keep it.

A bundler writes the hash of a file's content into its name (``assets/index-DiwrgTda.js``): what has such a name never
changes, so it may be kept for ever, and it can be uploaded long before a page refers to it. Everything else keeps its
name from build to build and is called mutable here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from fnmatch import translate
from functools import lru_cache

from ansible.module_utils.s3_site_content_types import variant_of

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


class Part(IntEnum):
    """A file's part in a site; a publish goes through them in this order."""

    HASHED = 0
    OTHER = 1
    PAGE = 2
    INDEX = 3


# webpack, Parcel: main.8e0d62a3.js, 2.abcdef1234.chunk.css. Vite, Rollup, esbuild: index-DiwrgTda.js, main-5QZ7L3XK.js.
_HEX = re.compile(r"[.-]([0-9a-f]{8,64})(?:\.[A-Za-z][A-Za-z0-9]*)+$")
_BASE64 = re.compile(r"[.-]([A-Za-z0-9_-]{8})(?:\.[A-Za-z][A-Za-z0-9]*)+$")
# What people write themselves: words that can be spoken, alone or in camelCase, then perhaps a number; a size in pixels
# or a date, a camera's DSC01234, png2jpeg.
_ONSET = (
    "(?:b[lr]?|ch?|c[lr]|d[rw]?|f[lr]?|g[hlr]?|h|j|k[lnr]?|l|m|n|p[hlrs]?|qu?|r|s[chklmnpqtw]?|s[cpt]r|t[hrw]?|v|w[hr]?"
    "|x|z)"
)
_SPOKEN = re.compile(f"{_ONSET}?(?:[aeiouy]+[b-df-hj-np-tv-xz]{{0,4}})+", re.IGNORECASE)
_WORDS = re.compile(r"([A-Za-z]{2,})\d{0,4}")
_OTHER = re.compile(r"\d+(?:x\d+)?|[A-Z]{2,4}\d{4,6}|[a-z]{2,}[24][a-z]{2,}")
_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def _a_persons(token: str) -> bool:
    """Whether a person, not a hash function, may have written this part of a name."""

    def is_said(part: str) -> bool:
        words = _WORDS.fullmatch(part)
        if words is None:
            return _OTHER.fullmatch(part) is not None
        return all(len(hump) > 1 and _SPOKEN.fullmatch(hump) for hump in _HUMP.findall(words[1]))

    return all(is_said(part) for part in re.split("[-_]", token) if part)


def hashed_by_its_name(path: str) -> bool:
    """Whether a bundler wrote a hash of the content into the file's name.

    Errs on the side of no: a hashed file that is taken for a mutable one costs a request or two, while a mutable one
    that is taken for hashed would stay in browsers for a year.
    """
    name = path.rpartition("/")[2]
    return any((found := form.search(name)) is not None and not _a_persons(found[1]) for form in (_HEX, _BASE64))


@lru_cache
def matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """The function that says whether a path relative to the site matches one of the patterns.

    ``*`` stands for any characters, ``/`` among them. A pattern without a ``/`` is held against the file's name alone;
    one that begins with ``/`` against the whole path.
    """
    whole = [pattern for pattern in patterns if "/" in pattern]
    of_name = _any(set(patterns).difference(whole))
    of_path = _any(pattern.removeprefix("/") for pattern in whole)
    return lambda path: bool(of_name(path.rpartition("/")[2]) or of_path(path))


def _any(patterns: Iterable[str]) -> Callable[[str], object]:
    """One expression for them all, since each of a hundred thousand paths is held against it."""
    return re.compile("|".join(map(translate, patterns)) or "(?!)").match


def sorter(index: str, hashed: Sequence[str] | None) -> Callable[[str], Part]:
    """The function that says which part a path has. ``hashed`` are patterns, None means: recognise the names."""

    is_hashed = hashed_by_its_name if hashed is None else matcher(tuple(hashed))

    def part(path: str) -> Part:
        original = variant_of(path)[0]
        if original == index:
            return Part.INDEX
        if original.endswith((".html", ".htm")):
            return Part.PAGE
        return Part.HASHED if is_hashed(original) else Part.OTHER

    return part


def cache_control(path: str, part: Part, rules: Sequence[tuple[str, str]]) -> str:
    """The Cache-Control of a file: the first matching rule's, else a year for hashed files and revalidation for all
    others. Pages, the web manifest and the service worker must be asked for again, and so must whatever else keeps its
    name, or a visitor's new page could meet yesterday's script.
    """
    original = variant_of(path)[0]
    for pattern, value in rules:
        if matcher((pattern,))(original):
            return value
    return IMMUTABLE if part is Part.HASHED else REVALIDATE


@lru_cache(maxsize=512)
def frozen(content_type: str, control: str, encoding: str) -> tuple[str, str, str]:
    """One shared tuple for equal headers, so that a hundred thousand files hold a few of them."""
    return (content_type, control, encoding)
