"""Fetching once for all, revalidating, and going on without the mirror."""

from __future__ import annotations

import contextlib
import hashlib
import threading

import pytest

from lab.internet.download import FRESH, Body, Library, expected_sha256, immutable
from lab.internet.fetcher import FetchError, Reply
from lab.internet.store import Store

DEB = "http://mirror.example/debian/pool/main/h/hello/hello_2.10_amd64.deb"
INDEX = "http://mirror.example/debian/dists/sid/InRelease"
DATE = "Sun, 22 Nov 2026 20:00:00 GMT"


class Mirror:
    """Stands in for the fetcher: answers from ``files``, and counts."""

    def __init__(self):
        self.files = {}
        self.asked = []
        self.down = False
        self.gate = threading.Event()
        self.gate.set()

    @contextlib.contextmanager
    def fetch(self, url, since=None):
        self.asked.append((url, since))
        if self.down:
            raise ConnectionRefusedError("no fetcher")
        content = self.files.get(url)
        if content is None:
            yield Reply(404, "Not Found"), iter(())
        elif since == DATE:
            yield Reply(304), iter(())
        else:
            yield Reply(200, "", len(content), DATE), self.pieces(content)

    def pieces(self, content):
        yield content[:4]
        self.gate.wait(10)
        if content.endswith(b"BROKEN"):
            raise FetchError("broke off")
        yield content[4:]


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def mirror():
    return Mirror()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def library(tmp_path, mirror, clock):
    return Library(Store(tmp_path), mirror, clock)


def content(found):
    assert isinstance(found, Body), found
    try:
        result = b""
        while piece := found.read(len(result), 3):
            result += piece
        return result
    finally:
        found.close()


def finished(library):
    """Wait until nothing is on its way any more."""
    for thread in threading.enumerate():
        if thread.name == "download":
            thread.join(10)
    assert not library._running


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (DEB, True),
        ("http://m.example/debian/dists/sid/main/binary-amd64/by-hash/SHA256/" + "a" * 64, True),
        (INDEX, False),
        ("http://m.example/debian/dists/sid/main/binary-amd64/Packages.xz", False),
        ("http://m.example/debian/pool/main/h/", False),
    ],
)
def test_package_files_and_by_hash_never_change_and_indices_do(url, expected):
    assert immutable(url) is expected


def test_a_package_is_fetched_once_and_then_read_from_disk(library, mirror):
    mirror.files[DEB] = b"a package"
    assert content(library.get(DEB)) == b"a package"
    finished(library)
    mirror.down = True
    assert content(library.get(DEB)) == b"a package"
    assert len(mirror.asked) == 1


def test_a_second_guest_reads_along_while_the_first_download_runs(library, mirror):
    mirror.files[DEB] = b"a package"
    mirror.gate.clear()
    first, second = library.get(DEB), library.get(DEB)
    assert first.read(0, 100) == second.read(0, 100) == b"a pa"
    mirror.gate.set()
    assert content(first) == content(second) == b"a package"
    assert len(mirror.asked) == 1


def test_a_fresh_index_is_not_asked_for_again_and_an_older_one_is_revalidated(library, mirror, clock):
    mirror.files[INDEX] = b"an index"
    content(library.get(INDEX))
    finished(library)
    clock.now += FRESH - 1
    assert content(library.get(INDEX)) == b"an index"
    assert len(mirror.asked) == 1
    clock.now += 2
    assert content(library.get(INDEX)) == b"an index"
    assert mirror.asked[1:] == [(INDEX, DATE)]
    finished(library)
    clock.now += FRESH - 1
    assert content(library.get(INDEX)) == b"an index"
    assert len(mirror.asked) == 2


def test_an_index_is_served_from_disk_while_the_mirror_is_out_of_reach(library, mirror, clock):
    mirror.files[INDEX] = b"an index"
    content(library.get(INDEX))
    finished(library)
    mirror.down = True
    clock.now += FRESH + 1
    assert content(library.get(INDEX)) == b"an index"


def test_without_a_mirror_the_reply_says_why(library, mirror):
    mirror.down = True
    assert library.get(DEB) == Reply(502, "no package can be fetched: no fetcher")


def test_what_the_mirror_does_not_have_is_not_found_and_not_remembered(library, mirror):
    assert library.get(DEB) == Reply(404, "Not Found")
    finished(library)
    mirror.files[DEB] = b"there now"
    assert content(library.get(DEB)) == b"there now"


def test_a_download_that_breaks_off_is_an_error_and_leaves_nothing_behind(library, mirror, tmp_path):
    mirror.files[DEB] = b"half a BROKEN"
    with pytest.raises(FetchError):
        content(library.get(DEB))
    finished(library)
    mirror.files[DEB] = b"whole"
    assert content(library.get(DEB)) == b"whole"
    finished(library)
    assert list((tmp_path / "parts").iterdir()) == []


def test_a_file_that_is_not_what_its_hash_promises_is_never_kept(library, mirror):
    url = "http://mirror.example/debian/dists/sid/main/binary-amd64/by-hash/SHA256/"
    url += hashlib.sha256(b"right").hexdigest()
    mirror.files[url] = b"wrong"
    content(library.get(url))
    finished(library)
    mirror.files[url] = b"right"
    assert content(library.get(url)) == b"right"
    finished(library)
    mirror.down = True
    assert content(library.get(url)) == b"right"


def test_only_a_sha256_is_compared():
    assert expected_sha256("http://m.example/x/by-hash/MD5Sum/abc") is None
