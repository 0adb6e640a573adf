"""Which paths an invalidation needs, and in how many requests they go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some


@pytest.fixture(scope="module")
def invalidation(loaded):
    return loaded("cloudfront_cache_invalidation")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], []),
        (["/index.html", "/", "/index.html"], ["/", "/index.html"]),
        (["/*", "/index.html", "/docs/*"], ["/*"]),
        (["/docs/*", "/docs/a", "/docs", "/docs2"], ["/docs", "/docs/*", "/docs2"]),
        (["/do*", "/docs/*", "/other"], ["/do*", "/other"]),
        (["/한옥.html", "/a b"], ["/%ED%95%9C%EC%98%A5.html", "/a%20b"]),
        (["/a%20b", "/~user/(x)"], ["/a%20b", "/~user/(x)"]),
    ],
)
def test_the_paths_that_are_needed(invalidation, paths, expected):
    assert invalidation.needed(paths) == expected


@pytest.mark.parametrize(
    ("path", "advice"),
    [("index.html", "write '/index.html'"), ("/*.html", "end it there, or write paths out")],
)
def test_a_path_that_would_not_do_what_it_says_is_refused(invalidation, path, advice):
    with pytest.raises(Exception, match=advice):
        invalidation.needed([path])


@given(
    wild=some.integers(min_value=0, max_value=40),
    exact=some.integers(min_value=0, max_value=70),
    most=some.integers(min_value=5, max_value=30),
)
def test_batches_hold_every_path_once_and_keep_to_the_quotas(invalidation, wild, exact, most):
    paths = [f"/{n}/*" for n in range(wild)] + [f"/{n}" for n in range(exact)]
    batches = invalidation.batches(paths, most, 4)
    assert sorted(path for batch in batches for path in batch) == sorted(paths)
    for batch in batches:
        assert 0 < len(batch) <= most
        assert sum(path.endswith("*") for path in batch) <= 4
