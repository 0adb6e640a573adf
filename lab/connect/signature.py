"""Checking a presigned URL (AWS Signature Version 4, in the query), as the service on the other side does."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

SERVICE = "ec2-instance-connect"
LONGEST = 60  # seconds for which a tunnel's URL may be valid
_SKEW = timedelta(minutes=5)
_EMPTY = hashlib.sha256(b"").hexdigest()
_REQUIRED = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")


class Refused(Exception):
    """``status`` and the text are the HTTP answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def verify(target: str, host: str, *, region: str, secret: Callable[[str], str | None], now: datetime) -> None:
    """Raise Refused unless ``target`` (path and query of a GET to ``host``) is signed, in time and for ``region``.

    ``secret`` gives an access key's secret, or None for an unknown key.
    """
    parts = urlsplit(target)
    query = parse_qsl(parts.query, keep_blank_values=True)
    given = dict(query)
    missing = [f"X-Amz-{name}" for name in _REQUIRED if not given.get(f"X-Amz-{name}")]
    if missing:
        raise Refused(403, f"The request is not signed: {', '.join(missing)} is missing.")
    if given["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256" or given["X-Amz-SignedHeaders"] != "host":
        raise Refused(403, "The signature must be AWS4-HMAC-SHA256 over the header host alone.")
    key_id, _, scope = given["X-Amz-Credential"].partition("/")
    date = given["X-Amz-Date"]
    _check_time(date, given["X-Amz-Expires"], now)
    expected_scope = f"{date[:8]}/{region}/{SERVICE}/aws4_request"
    if scope != expected_scope:
        raise Refused(403, f"The credential's scope is {scope}; this endpoint's is {expected_scope}.")
    key = secret(key_id)
    if key is None:
        raise Refused(403, f"The access key {key_id} is not known.")
    signed = [(name, value) for name, value in query if name != "X-Amz-Signature"]
    canonical = "\n".join(["GET", parts.path, _canonical_query(signed), f"host:{host}", "", "host", _EMPTY])
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    if not hmac.compare_digest(_sign(key, scope, text), given["X-Amz-Signature"]):
        raise Refused(403, "The signature does not match: another secret access key made it, or the URL was changed.")


def _check_time(date: str, expires: str, now: datetime) -> None:
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        seconds = int(expires)
    except ValueError:
        raise Refused(403, f"X-Amz-Date {date} or X-Amz-Expires {expires} cannot be read.") from None
    if not 1 <= seconds <= LONGEST:
        raise Refused(403, f"X-Amz-Expires is {seconds}; a tunnel's URL is valid for 1 to {LONGEST} seconds.")
    if now > signed + timedelta(seconds=seconds):
        raise Refused(403, f"The request has expired: it was signed at {date} for {seconds} seconds.")
    if signed > now + _SKEW:
        raise Refused(403, f"The request was signed at {date}, in the future: is the clock right?")


def _canonical_query(pairs: list[tuple[str, str]]) -> str:
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _sign(secret: str, scope: str, text: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
