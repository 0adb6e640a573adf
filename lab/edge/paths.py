"""CloudFront's two kinds of path patterns, both case-sensitive: a behaviour's, and an invalidation's."""

from __future__ import annotations

import re
from urllib.parse import unquote


def pattern_regex(path_pattern: str) -> str:
    """The regular expression (PCRE and Python) of a behaviour's path pattern.

    ``*`` stands for any number of characters, slashes too, and ``?`` for exactly one. A leading slash may be left out.
    """
    pattern = path_pattern if path_pattern.startswith("/") else "/" + path_pattern
    wild = {"*": ".*", "?": "."}
    return "(?s)^" + "".join(wild.get(character, re.escape(character)) for character in pattern) + r"\z"


def pattern_matches(path_pattern: str, path: str) -> bool:
    """Whether a behaviour with this path pattern would take the path (without its query string)."""
    # Python's own spelling of the end of the text, which PCRE has as \z.
    return re.search(pattern_regex(path_pattern).removesuffix(r"\z") + r"\Z", path) is not None


def matches(invalidation_path: str, path: str) -> bool:
    """Whether an invalidation path takes what is kept under ``path`` (with the query string that is in its key).

    A ``*`` is a wildcard at the end only, and takes query strings too. Without it the path is exact: the one without
    a query string is another object than those with one.
    """
    wanted = invalidation_path if invalidation_path.startswith("/") else "/" + invalidation_path
    spellings = ((wanted, path), (unquote(wanted), unquote(path)))
    if wanted.endswith("*"):
        return any(kept.startswith(asked[:-1]) for asked, kept in spellings)
    return any(kept == asked for asked, kept in spellings)
