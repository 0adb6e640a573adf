"""The package files on disk."""

from __future__ import annotations

import os

from lab.internet.store import Store

A, B, C = (f"http://mirror.example/debian/pool/{letter}.deb" for letter in "abc")


def put(store, url, content, modified=None):
    descriptor, part = store.part()
    os.write(descriptor, content)
    os.close(descriptor)
    store.keep(part, url, modified)


def read(store, url):
    descriptor = store.open(url)
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def age(store, url, seconds):
    status = store.path(url).stat()
    os.utime(store.path(url), (status.st_atime - seconds, status.st_mtime))


def test_what_was_kept_is_read_again_by_another_lab(tmp_path):
    put(Store(tmp_path), A, b"one")
    assert read(Store(tmp_path), A) == b"one"
    assert read(Store(tmp_path), B) is None


def test_a_part_that_was_never_kept_is_not_seen(tmp_path):
    store = Store(tmp_path)
    descriptor, part = store.part()
    os.write(descriptor, b"half")
    os.close(descriptor)
    assert read(store, A) is None
    assert part.exists()


def test_abandoned_parts_go_at_the_next_start_and_young_ones_stay(tmp_path):
    store = Store(tmp_path)
    (old_descriptor, old), (young_descriptor, young) = store.part(), store.part()
    os.close(old_descriptor)
    os.close(young_descriptor)
    os.utime(old, (0, 0))
    Store(tmp_path)
    assert not old.exists()
    assert young.exists()


def test_the_mirrors_date_is_the_files(tmp_path):
    store = Store(tmp_path)
    put(store, A, b"one", modified=1_000_000_000.0)
    read(store, A)
    assert store.path(A).stat().st_mtime == 1_000_000_000


def test_beyond_the_bound_the_longest_unused_goes_first(tmp_path):
    store = Store(tmp_path, bound=8)
    put(store, A, b"aaaa")
    put(store, B, b"bbbb")
    age(store, A, 200)
    age(store, B, 100)
    assert read(store, A) == b"aaaa"  # used now, so B is the oldest
    put(store, C, b"cccc")
    assert [read(store, url) for url in (A, B, C)] == [b"aaaa", None, b"cccc"]


def test_replacing_a_file_counts_it_once(tmp_path):
    store = Store(tmp_path, bound=8)
    put(store, A, b"aaaa")
    for _ in range(5):
        put(store, B, b"bbbb")
    assert read(store, A) == b"aaaa"


def test_a_new_file_larger_than_the_bound_is_still_served_to_who_asked(tmp_path):
    store = Store(tmp_path, bound=4)
    put(store, A, b"aaaaaaaa")
    assert read(store, A) == b"aaaaaaaa"
