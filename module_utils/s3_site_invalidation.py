"""Which paths to invalidate in CloudFront after files of a site have changed: as few as possible, none too wide."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from urllib.parse import quote

# CloudFront processes at most fifteen wildcard paths of a distribution at once.
WILDCARDS = 15


def urls_of(path: str, index: str) -> tuple[str, ...]:
    """The URL paths under which a file is cached: its own, and for a directory's index the directory's two.

    >>> urls_of("docs/index.html", "index.html")
    ('/docs/index.html', '/docs/', '/docs')
    """
    own = "/" + quote(path, safe="/~!$&'()+,;=:@-._")
    directory, _, name = own.rpartition("/")
    if name != index.rpartition("/")[2]:
        return (own,)
    return (own, directory + "/", directory) if directory else (own, "/")


def fold(changed: Iterable[str], unchanged: Iterable[str], wildcards: int = WILDCARDS) -> list[str]:
    """The fewest invalidation paths that cover all ``changed`` URL paths and not one of the ``unchanged``.

    A wildcard counts as one path however much it covers, and stands only at a path's end, so the answer is a set of
    prefixes: in sorted order, each run of changed paths between two unchanged neighbours is cut wherever a prefix
    would reach a neighbour. A wildcard is then drawn as narrow as what it covers allows. Those that save least are
    written out when there are more than CloudFront takes at once.
    """
    wanted = sorted(set(changed))
    groups: list[list[str]] = []
    start, left = 0, ""
    gaps = _gaps(wanted, unchanged)
    for place in sorted({*gaps, len(wanted)}):
        first, last = gaps.get(place, ("", ""))
        groups += _groups(wanted[start:place], left, first)
        start, left = place, last
    folded = sorted((group for group in groups if len(group) > 1), key=len, reverse=True)[:wildcards]
    covered = {url for group in folded for url in group}
    return sorted([*(set(wanted) - covered), *(_common(group[0], group[-1]) + "*" for group in folded)])


def _gaps(wanted: list[str], unchanged: Iterable[str]) -> dict[int, tuple[str, str]]:
    """By its place in ``wanted``, the first and the last unchanged path of each gap: no others can be neighbours."""
    gaps: dict[int, tuple[str, str]] = {}
    for url in unchanged if wanted else ():
        place = bisect(wanted, url)
        if not place or wanted[place - 1] != url:
            first, last = gaps.get(place, (url, url))
            gaps[place] = (min(first, url), max(last, url))
    return gaps


def _groups(run: list[str], left: str, right: str) -> list[list[str]]:
    """Cut a sorted run into groups that a prefix can cover without reaching the neighbours."""
    groups: list[list[str]] = []
    reach = ""
    for url in run:
        if groups and url.startswith(reach):
            groups[-1].append(url)
            continue
        length = max(len(_common(url, left)), len(_common(url, right))) + 1
        # A path that a neighbour begins with cannot be a prefix at all, but it can stand for itself.
        reach = url[:length] if length <= len(url) else url + "\0"
        groups.append([url])
    return groups


def _common(one: str, other: str) -> str:
    """The longest common beginning of two strings."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return one[:length]
