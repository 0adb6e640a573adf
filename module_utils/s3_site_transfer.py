"""Moves objects: many at once, each until it succeeds.

obstore (Rust's object_store) makes the requests; it costs a twentieth of boto3's processor time for each, and, called
from threads, half of what it costs from coroutines. A request that fails is tried again, here and in obstore: all that
are made here may be repeated without harm.
"""

from __future__ import annotations

import functools
import hashlib
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from ansible.module_utils.s3_site_build import SiteError
from ansible.module_utils.s3_site_pace import MIB, Gate, each
from ansible.module_utils.s3_site_record import Entry, Listed

try:
    import obstore
    from obstore.exceptions import BaseError, InvalidPathError
    from obstore.store import S3Store

    HAS_OBSTORE = True
except ImportError:
    HAS_OBSTORE = False

PART = 8 * MIB  # of a multipart upload; S3 allows ten thousand
GIVE_UP = 300.0  # seconds without one success
ATTEMPTS = 8  # of a request that fails for another reason than throttling: half a minute
# What S3, and what stands before it, says when it is asked too much; not what a key or a duration may hold.
_THROTTLED = re.compile(
    r"status code: (?:503|429)\b|<Code>(?:SlowDown|RequestLimitExceeded|TooManyRequests|Throttling)"
)
_TAKEN = ("PreconditionError", "AlreadyExistsError")
_HOPELESS = (*_TAKEN, "PermissionDeniedError", "UnauthenticatedError", "NotFoundError", "NotSupportedError")


class Store:
    """One bucket. ``each`` and what it is given are the only way to it, so that all requests obey one gate."""

    def __init__(
        self, bucket: str, config: dict[str, Any], concurrency: int, give_up: float = GIVE_UP, retries: int = 9
    ) -> None:
        """``config`` are S3Store's own arguments: endpoint, region, credential_provider, client_options.

        What is only made once here (a read, the parts of a large file) obstore repeats ``retries`` times by itself.
        After ``give_up`` seconds without a success it ends for good.
        """
        self.bucket = bucket

        def patient(times: int) -> S3Store:
            backoff = timedelta(milliseconds=100)
            return S3Store(bucket, retry_config={"max_retries": times, "backoff": {"init_backoff": backoff}}, **config)

        # Each refusal is to be seen here, so that the gate slows down at the first.
        self._s3 = patient(0)
        self._patient = patient(retries)
        self._give_up = give_up
        self._gate = Gate(concurrency)

    def list(self) -> dict[str, Listed]:
        """All objects, by key: one request for each thousand."""
        try:
            pages = obstore.list(self._patient, chunk_size=1000)
            return {
                # Interned, since the build and the records hold equal strings: a hundred thousand are 10 MB.
                sys.intern(item["path"]): Listed(
                    item["size"], (item["e_tag"] or "").strip('"'), item["last_modified"].timestamp()
                )
                for page in pages
                for item in page
            }
        except InvalidPathError as error:
            key = str(error).partition('"')[2].partition('"')[0]
            raise SiteError(
                f"Bucket {self.bucket} holds an object whose key no URL path can have: {key}. Delete that object, "
                "or publish to a bucket of the site's own."
            ) from error
        except (BaseError, FileNotFoundError) as error:
            raise self._told(error, "list", "") from error

    def get(self, key: str) -> bytes:
        """The content of an object."""
        try:
            return bytes(obstore.get(self._patient, key).bytes())
        except (BaseError, FileNotFoundError) as error:
            raise self._told(error, "read", key) from error

    def put(self, key: str, content: bytes, headers: tuple[str, str, str]) -> str:
        """Write an object and return its ETag without quotes."""
        written = self._patiently(
            key,
            len(content),
            lambda: obstore.put(self._s3, key, content, attributes=_attributes(headers), use_multipart=False),
        )
        return _etag(written)

    def replace(self, key: str, content: bytes, headers: tuple[str, str, str], seen: str) -> None:
        """Write an object only if it is still the one with the ETag ``seen``, or, for '', if there is still none.

        Raises SiteError when somebody else has written it meanwhile.
        """
        mode: Any = {"e_tag": f'"{seen}"'} if seen else "create"
        try:
            self._patiently(
                key,
                len(content),
                lambda: obstore.put(
                    self._s3, key, content, attributes=_attributes(headers), use_multipart=False, mode=mode
                ),
            )
        except SiteError as error:
            # The answer to an attempt that had succeeded may have been lost.
            met_another = type(error.__cause__).__name__ in _TAKEN
            if not met_another or self.get(key) != content:
                raise

    def upload(self, key: str, source: str, entry: Entry) -> str:
        """Write a file to an object and return its ETag. Raises SiteError when the file is not what ``entry`` says."""
        large = entry.size > PART
        # obstore reads it, a large one part by part: reading in Python would have its threads wait for each other.
        file: Any = source
        options: Any = {"use_multipart": large, "chunk_size": PART, "max_concurrency": 4}

        def request() -> Any:
            content = file if large or not entry.digest else _content(source, entry)
            store = self._patient if large else self._s3
            return obstore.put(store, key, content, attributes=_attributes(entry.headers), **options)

        def in_parts() -> Any:
            try:
                return request()
            except FileNotFoundError:
                # S3 may have put the parts together, and its answer was lost: then it knows of no such upload any more.
                return request()

        try:
            written = self._patiently(key, 5 * PART if large else entry.size, in_parts if large else request)
        except SiteError:
            if not _is_unchanged(source, entry):
                raise _changing(source) from None
            raise
        except OSError as error:
            raise SiteError(
                f"{source} could not be read: {error.strerror}. Let it be read, and run it again."
            ) from error
        if not _is_unchanged(source, entry):
            self.delete([key])
            raise _changing(source)
        return _etag(written)

    def copy(self, source: str, key: str) -> None:
        """Copy an object inside the bucket, headers and all."""
        self._patiently(key, 0, lambda: obstore.copy(self._s3, source, key))

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects, a thousand a request."""
        for start in range(0, len(keys), 1000):
            some = list(keys[start : start + 1000])
            self._patiently(some[0], 0, functools.partial(obstore.delete, self._s3, some))

    def each[Item](self, items: Iterable[Item], work: Callable[[Item], object]) -> None:
        """Do ``work`` for all items, many at once. The first failure stops the rest and is raised."""
        each(self._gate, items, work)

    def _patiently(self, key: str, size: int, request: Callable[[], Any]) -> Any:
        """Make a request until it succeeds, waiting longer each time; when throttled, for as long as others succeed."""
        wait, failures, begun = 0.2, 0, time.monotonic()
        while True:
            weight = self._gate.enter(size)
            took, sent = None, time.monotonic()
            try:
                answer = request()
                took = time.monotonic() - sent
            except (BaseError, FileNotFoundError) as error:
                throttled = _THROTTLED.search(str(error)) is not None
                failures += not throttled
                if failures >= ATTEMPTS or self._hopeless(error, begun):
                    raise self._told(error, "write", key) from error
                if throttled:
                    self._gate.throttled()
            else:
                return answer
            finally:
                self._gate.leave(weight, took)
            self._gate.pause(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            wait = min(wait * 2, 20.0)

    def _hopeless(self, error: Exception, begun: float) -> bool:
        return (
            type(error).__name__ in _HOPELESS
            or isinstance(error, FileNotFoundError)
            or time.monotonic() - max(begun, self._gate.last_success) > self._give_up
        )

    def _told(self, error: Exception, verb: str, key: str) -> SiteError:
        """An error of obstore as a sentence that says what to do."""
        where = f"s3://{self.bucket}/{key}"
        text = " ".join(str(error).partition("Debug source")[0].split())
        name = type(error).__name__
        if "NoSuchBucket" in text:
            advice = "Create the bucket first."
        elif name in ("PermissionDeniedError", "UnauthenticatedError"):
            advice = (
                f"The credentials need s3:ListBucket on arn:aws:s3:::{self.bucket}, and s3:GetObject, s3:PutObject and "
                f"s3:DeleteObject on arn:aws:s3:::{self.bucket}/*."
            )
        elif name in _TAKEN:
            advice = (
                "Another publish of the same site has ended meanwhile. Run this one again, and one after the other."
            )
        elif "PermanentRedirect" in text or " 301" in text:
            advice = "The bucket lives in another region: set region."
        else:
            advice = "Run it again: it goes on where it stopped."
        return SiteError(f"Could not {verb} {where}. {advice} S3 said: {text}")


@functools.cache  # a build has a handful of them
def _attributes(headers: tuple[str, str, str]) -> dict[str, str]:
    named = zip(("Content-Type", "Cache-Control", "Content-Encoding"), headers, strict=True)
    return {name: value for name, value in named if value}


def _etag(written: Any) -> str:
    return str(written["e_tag"] or "").strip('"')


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _is_unchanged(source: str, entry: Entry) -> bool:
    """Whether nobody has written to a file since ``entry`` was made of it."""
    try:
        found = os.stat(source)  # noqa: PTH116 - a Path costs more than the call
    except OSError:
        return False
    return (found.st_size, found.st_ctime_ns) == (entry.size, entry.changed_ns)


def _content(source: str, entry: Entry) -> bytes:
    """The content of a file of which the digest is known. Raises SiteError when it has another one."""
    content = Path(source).read_bytes()
    if _md5(content) != entry.digest:
        raise _changing(source)
    return content


def _changing(source: str) -> SiteError:
    return SiteError(f"{source} changed while it was published. Wait until the build has finished, and run it again.")
