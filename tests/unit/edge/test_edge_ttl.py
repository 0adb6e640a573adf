"""How long the edge keeps an answer: each policy against what the origin says."""

from __future__ import annotations

import pytest
from edge_scripts import call

OPTIMIZED = {"minTtl": 1, "defaultTtl": 86400, "maxTtl": 31536000}
DISABLED = {"minTtl": 0, "defaultTtl": 0, "maxTtl": 0}
USE_ORIGIN = {"minTtl": 0, "defaultTtl": 0, "maxTtl": 31536000}
BOUNDED = {"minTtl": 60, "defaultTtl": 300, "maxTtl": 600}
NOW = 1_795_374_000  # Sun, 22 Nov 2026 19:00:00 GMT
IN_A_MINUTE = "Sun, 22 Nov 2026 19:01:00 GMT"
YESTERDAY = "Sat, 21 Nov 2026 19:00:00 GMT"

# policy, Cache-Control, Expires, seconds (None: not kept; 0: kept, but asked for each time)
SUCCESSES = [
    (OPTIMIZED, None, None, 86400),
    (OPTIMIZED, "public, max-age=31536000, immutable", None, 31536000),
    (OPTIMIZED, "max-age=99999999", None, 31536000),
    (OPTIMIZED, "max-age=60, s-maxage=5", None, 5),
    (OPTIMIZED, 'Max-Age="60"', None, 60),
    (OPTIMIZED, "no-cache", None, 1),
    (OPTIMIZED, "no-store", None, 1),
    (OPTIMIZED, "private, max-age=60", None, 1),
    (OPTIMIZED, "max-age=0", None, 1),
    (OPTIMIZED, "max-age=nonsense", None, 1),
    (OPTIMIZED, None, IN_A_MINUTE, 60),
    (OPTIMIZED, "max-age=5", IN_A_MINUTE, 5),
    (OPTIMIZED, None, YESTERDAY, 1),
    (OPTIMIZED, None, "0", 1),
    (OPTIMIZED, "public", None, 86400),
    (DISABLED, None, None, None),
    (DISABLED, "max-age=60", None, None),
    (USE_ORIGIN, None, None, 0),
    (USE_ORIGIN, "max-age=60", None, 60),
    (USE_ORIGIN, "max-age=0", None, 0),
    (USE_ORIGIN, "no-cache", None, None),
    (USE_ORIGIN, "no-store", None, None),
    (USE_ORIGIN, "private, max-age=60", None, None),
    (BOUNDED, "max-age=5", None, 60),
    (BOUNDED, "max-age=5000", None, 600),
    (BOUNDED, None, None, 300),
    (BOUNDED, "no-store", None, 60),
]

# status, policy, Cache-Control, configured error TTLs, seconds
ERRORS = [
    (404, OPTIMIZED, None, {}, 10),
    (403, OPTIMIZED, None, {}, 10),
    (502, DISABLED, None, {}, 10),
    (504, DISABLED, "no-store", {}, 10),
    (500, OPTIMIZED, "max-age=5", {}, 10),
    (500, OPTIMIZED, "max-age=50", {}, 50),
    (404, BOUNDED, "max-age=5000", {}, 600),
    (404, OPTIMIZED, None, {"404": 300}, 300),
    (404, OPTIMIZED, None, {"404": 0}, None),
    (404, OPTIMIZED, "max-age=5", {"404": 0}, 5),
    (400, OPTIMIZED, None, {}, None),
    (400, OPTIMIZED, "max-age=60", {}, 60),
    (401, DISABLED, None, {}, None),
    (429, OPTIMIZED, None, {}, None),
    (400, OPTIMIZED, None, {"400": 30}, 30),
]


def test_an_answer_is_kept_as_its_policy_and_its_origin_say() -> None:
    asked = [[200, {"cacheControl": c, "expires": e}, policy, {}, NOW] for policy, c, e, _ in SUCCESSES]
    results = call("ttl.js", "keepFor", asked)
    assert list(zip(SUCCESSES, results, strict=True)) == [(case, case[3]) for case in SUCCESSES]


def test_an_error_is_kept_ten_seconds_or_as_configured() -> None:
    asked = [[status, {"cacheControl": c}, policy, ttls, NOW] for status, policy, c, ttls, _ in ERRORS]
    results = call("ttl.js", "keepFor", asked)
    assert list(zip(ERRORS, results, strict=True)) == [(case, case[4]) for case in ERRORS]


@pytest.mark.parametrize(("seconds", "header"), [(None, "0"), (0, "@1"), (7, "7")])
def test_what_is_asked_for_each_time_is_stale_from_the_start(seconds: int | None, header: str) -> None:
    assert call("ttl.js", "accelExpires", [[seconds]]) == [header]
