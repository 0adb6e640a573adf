"""A lease on an S3 object: who holds it, since when, and how it is taken, renewed and given back.

S3 compares and writes in one step (``If-None-Match: *``, ``If-Match: ETag``), so of two who want it one gets it. How
old a lease is, S3 alone tells (``Date`` less ``Last-Modified``): no machine's clock decides.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from ansible.module_utils.aws_outcome import error_code, refusal

with suppress(ImportError):  # AnsibleAWSModule says that boto3 is missing, and how to install it
    from botocore.exceptions import ClientError

# S3 tells its times in whole seconds; so much later than its end a lease is another's to take (s).
GRACE = 2
# How often somebody who waits looks (s).
POLL = 2.0
# Of an object that says nothing of itself.
DEFAULT_SECONDS = 300
# Somebody else wrote or deleted the object since it was looked at.
FASTER = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404")

Standing = Literal["free", "mine", "held", "expired"]


@dataclass(frozen=True)
class Lease:
    """What the object says; ``age`` is how long ago it was written, by S3's clock (s)."""

    run: str
    owner: str
    command: str
    process: int
    since: datetime
    seconds: int
    renewals: int = 0
    etag: str = ""
    age: float = 0

    def as_record(self, now: datetime) -> dict[str, Any]:
        """What stands in the object when it is written now. ``expires`` is for who reads it."""
        return {
            "owner": self.owner,
            "command": self.command,
            "process": self.process,
            "run": self.run,
            "since": self.since.isoformat(timespec="seconds"),
            "expires": (now + timedelta(seconds=self.seconds)).isoformat(timespec="seconds"),
            "seconds": self.seconds,
            # Makes each renewal's ETag a new one.
            "renewals": self.renewals,
        }


def read(body: bytes, etag: str, written: datetime, now: datetime) -> Lease:
    """The lease in an object; of one that nobody can read, it is known how old it is."""
    try:
        record = json.loads(body)
        known = Lease(
            run=str(record["run"]),
            owner=str(record["owner"]),
            command=str(record["command"]),
            process=int(record["process"]),
            since=datetime.fromisoformat(record["since"]),
            seconds=int(record["seconds"]),
            renewals=int(record["renewals"]),
        )
    except (ValueError, KeyError, TypeError):
        known = Lease("", "somebody", "what the object does not say", 0, written, DEFAULT_SECONDS)
    return replace(known, etag=etag, age=(now - written).total_seconds())


def standing(lease: Lease | None, run: str) -> Standing:
    """How a lease stands to a run."""
    if lease is None:
        return "free"
    if lease.run == run:
        return "mine"
    return "expired" if lease.age > lease.seconds + GRACE else "held"


def told(lease: Lease, now: datetime) -> str:
    """Who holds it, since when, and with what."""
    since = f"{lease.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({lasted((now - lease.since).total_seconds())} ago)"
    return f"{lease.owner} holds the lock since {since}, with {lease.command} (process {lease.process})"


def ends(lease: Lease) -> str:
    """When it ends."""
    left = lease.seconds + GRACE - lease.age
    if left <= 0:
        return "Its lease has ended"
    return f"Its lease ends in {lasted(left)} unless it is renewed, as a run that lives does"


def lasted(seconds: float) -> str:
    """A time in words: ``40 s``, ``4 min``, ``3 h``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


class Store:
    """The object in S3."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._object = {"Bucket": bucket, "Key": key}
        self._told_at = time.monotonic()
        self._told = datetime.now(UTC)

    def now(self) -> datetime:
        """S3's time, as its last answer told it."""
        return self._told + timedelta(seconds=round(time.monotonic() - self._told_at))

    def look(self) -> Lease | None:
        """The lease that is there."""
        try:
            answer = self._client.get_object(**self._object)
        except ClientError as error:
            self._hear(error.response)
            if error_code(error) in ("NoSuchKey", "404"):
                return None
            raise
        self._hear(answer)
        return read(answer["Body"].read(), answer["ETag"], answer["LastModified"], self.now())

    def write(self, lease: Lease) -> Lease | None:
        """The lease as written, in place of the one with its ETag, or of none; None if somebody was faster."""
        condition = {"IfMatch": lease.etag} if lease.etag else {"IfNoneMatch": "*"}
        body = json.dumps(lease.as_record(self.now()), indent=2).encode()
        try:
            answer = self._client.put_object(
                **self._object, Body=body, ContentType="application/json", CacheControl="no-store", **condition
            )
        except ClientError as error:
            if error_code(error) in FASTER:
                return None
            raise
        self._hear(answer)
        return replace(lease, etag=answer["ETag"], age=0)

    def remove(self, lease: Lease) -> bool:
        """Give it back; False if it is another's by now, or nobody's."""
        try:
            self._client.delete_object(**self._object, IfMatch=lease.etag)
        except ClientError as error:
            if error_code(error) in FASTER:
                return False
            raise
        return True

    def _hear(self, answer: Mapping[str, Any]) -> None:
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            self._told, self._told_at = parsedate_to_datetime(date).astimezone(UTC), time.monotonic()


class Held(Exception):
    """Another run has it."""

    def __init__(self, lease: Lease, now: datetime) -> None:
        super().__init__(f"{told(lease, now)}. {ends(lease)}.")
        self.lease = lease


def take(store: Store, wanted: Lease, wait: float, sleep: Callable[[float], Any] = time.sleep) -> Lease:
    """Take it where it is free or its holder is dead, or wait for that; raises Held at the end of the wait."""
    deadline = time.monotonic() + wait
    lost_races = 0
    while True:
        found = store.look()
        match standing(found, wanted.run):
            case "mine":
                assert found  # noqa: S101 — for the type
                return found
            case "held":
                assert found  # noqa: S101 — for the type
                if time.monotonic() >= deadline:
                    raise Held(found, store.now())
                sleep(max(min(POLL, deadline - time.monotonic()), 0.01))
            case _:
                written = store.write(replace(wanted, since=store.now(), etag=found.etag if found else ""))
                if written:
                    return written
                # Somebody was faster, or this was written and the answer lost: the next look tells.
                lost_races += 1
                if lost_races > 20:
                    raise refusal("S3 refused to write the lock 20 times, and nobody holds it. Run it again.")


def renew(store: Store, lease: Lease) -> Lease:
    """The same lease, renewed; raises Held when another run has it, and LookupError when nobody has."""
    written = store.write(replace(lease, renewals=lease.renewals + 1))
    if written:
        return written
    found = store.look()
    if found is None:
        raise LookupError
    if found.run != lease.run:
        raise Held(found, store.now())
    return found  # the answer to an earlier renewal was lost
