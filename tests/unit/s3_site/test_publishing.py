"""What s3_site does to a bucket, request by request."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
from ansible.module_utils.s3_site_build import SiteError
from ansible.module_utils.s3_site_pace import Gate
from ansible.module_utils.s3_site_report import LINES
from ansible.module_utils.s3_site_transfer import ATTEMPTS
from fake_s3 import FakeS3, Faults, over_http, visit
from publishing import make_build, publish, roll_back, store

DAY = 86_400
IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    with FakeS3() as made:
        yield made


@pytest.fixture
def a(tmp_path: Path) -> Path:
    return make_build(tmp_path / "a", "A")


@pytest.fixture
def b(tmp_path: Path) -> Path:
    return make_build(tmp_path / "b", "B")


def published(s3: FakeS3, build: Path, **options: Any) -> Any:
    """Publish, then let a day pass and forget the requests."""
    answer = publish(s3.url, build, **options)
    s3.age(DAY)
    s3.requests()
    return answer


def interrupt(s3: FakeS3, build: Path, at: int, says: str = "Could not write") -> None:
    """A publish that S3 fails from the ``at``-th request on, which must say ``says``; then S3 is well again.

    One request follows another, so that the same ones come before.
    """
    s3.faults = Faults("error", at=at, on=True)
    with pytest.raises(SiteError, match=says):
        publish(s3.url, build, patience=0, concurrency=1)
    s3.faults = Faults()


def verbs(s3: FakeS3) -> dict[str, int]:
    return dict(Counter(verb for verb, _ in s3.requests()))


def changes(s3: FakeS3) -> list[str]:
    """The keys of the site that were written or deleted, in order."""
    return [key for verb, key in s3.requests() if verb not in ("GET", "LIST") and not key.startswith(".releases")]


def test_a_first_publish_uploads_hashed_files_first_and_the_index_last(s3: FakeS3, a: Path) -> None:
    answer = publish(s3.url, a)
    order = changes(s3)
    assert set(order[:3]) == {"assets/logo-Zk3_9xQ1.svg", "assets/main-A1x_9Kq2.js", "assets/style-A7bQ_z0w.css"}
    assert set(order[3:6]) == {"manifest.webmanifest", "robots.txt", "sw.js"}
    assert order[6:] == ["about/index.html", "index.html"]
    assert answer["changed"]
    assert answer["counts"]["added"] == 8
    assert answer["invalidation_paths"] == []
    assert visit(over_http(s3.url)) == "A"


def test_objects_get_the_headers_of_their_kind(s3: FakeS3, a: Path) -> None:
    publish(s3.url, a, cache_control=[{"pattern": "robots.txt", "value": "max-age=60"}])
    assert s3.objects["assets/main-A1x_9Kq2.js"].headers == {
        "Content-Type": "text/javascript; charset=utf-8",
        "Cache-Control": IMMUTABLE,
    }
    assert s3.objects["index.html"].headers == {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"}
    assert s3.objects["robots.txt"].headers["Cache-Control"] == "max-age=60"


def test_nothing_changed_costs_one_listing_and_no_request_an_object(s3: FakeS3, a: Path) -> None:
    s3.page = 5
    published(s3, a)
    answer = publish(s3.url, a)
    assert answer["changed"] is False
    assert answer["invalidation_paths"] == []
    assert verbs(s3) == {"LIST": -(-len(s3.objects) // 5), "GET": 2}


def test_files_are_not_read_again_when_nobody_wrote_to_them(s3: FakeS3, a: Path, monkeypatch: Any) -> None:
    published(s3, a)
    monkeypatch.setattr("s3_site.digest_of", lambda path: pytest.fail(f"{path} was read"))
    assert publish(s3.url, a)["changed"] is False


def test_a_rebuild_with_equal_contents_changes_nothing(s3: FakeS3, a: Path) -> None:
    published(s3, a)
    for path in a.rglob("*.*"):
        path.write_bytes(path.read_bytes())
    assert publish(s3.url, a)["changed"] is False


def test_an_index_that_changed_without_changing_its_size_or_time_is_published(s3: FakeS3, a: Path) -> None:
    index = a / "index.html"
    published(s3, a)
    before = index.stat()
    index.write_text(index.read_text().replace("of index", "OF index"))
    os.utime(index, ns=(before.st_atime_ns, before.st_mtime_ns))
    answer = publish(s3.url, a)
    assert changes(s3) == ["index.html"]
    assert answer["invalidation_paths"] == ["/", "/index.html"]


def test_a_change_writes_what_changed_and_two_records(s3: FakeS3, a: Path, b: Path) -> None:
    published(s3, a)
    answer = publish(s3.url, b)
    requests = s3.requests()
    written = Counter((verb, key.split("/")[1] if key.startswith(".releases") else "site") for verb, key in requests)
    assert written["PUT", "site"] == 2  # script and style; the logo is the same
    assert written["COPY", "site"] == written["PUT", "content"] == 4  # manifest, sw.js, two pages
    assert written["PUT", "manifest"] == written["PUT", "record"] == 1
    assert answer["counts"] | {"retained": 0} == {
        "added": 2, "changed": 4, "removed": 0, "kept": 2, "pruned": 0, "retained": 0, "unmanaged": 0,
    }  # fmt: skip
    assert answer["invalidation_paths"] == ["/", "/about*", "/index.html", "/manifest.webmanifest", "/sw.js"]


def test_old_assets_stay_for_the_retention_after_they_were_last_current(
    s3: FakeS3, a: Path, b: Path, monkeypatch: Any
) -> None:
    now = 2_000_000_000
    monkeypatch.setattr("s3_site.time.time", lambda: now)
    published(s3, a)
    now += 100 * DAY  # A is current all that time
    published(s3, b, retention_days=7)
    now += 7 * DAY - 1
    assert publish(s3.url, b, retention_days=7)["changed"] is False
    assert "assets/main-A1x_9Kq2.js" in s3.site()
    now += 1
    s3.requests()
    answer = publish(s3.url, b, retention_days=7)
    assert answer["changed"] is True
    assert answer["counts"]["pruned"] == 2
    assert "assets/main-A1x_9Kq2.js" not in s3.site()
    assert "assets/logo-Zk3_9xQ1.svg" in s3.site()
    assert [release["id"] for release in answer["releases"]] == [answer["release"]]
    assert sum(key.startswith(".releases/manifest/") for key in s3.objects) == 1
    assert publish(s3.url, b, retention_days=7)["changed"] is False


def test_what_is_current_again_is_not_pruned_for_having_been_old_before(
    s3: FakeS3, a: Path, b: Path, monkeypatch: Any
) -> None:
    now = 2_000_000_000
    monkeypatch.setattr("s3_site.time.time", lambda: now)
    (a / "only-in-a.txt").write_text("build A")
    first = published(s3, a, retention_days=7)["release"]
    published(s3, b, retention_days=7)
    roll_back(s3.url, first, retention_days=7)
    whole = s3.site()
    s3.age(DAY)
    now += 8 * DAY
    assert publish(s3.url, a, retention_days=7)["counts"]["pruned"] == 2  # B's script and style
    assert visit(over_http(s3.url)) == "A"
    assert {key: content for key, content in whole.items() if "-B" not in key} == s3.site()


def test_what_comes_back_when_its_retention_is_over_is_kept(s3: FakeS3, a: Path, b: Path, monkeypatch: Any) -> None:
    now = 2_000_000_000
    monkeypatch.setattr("s3_site.time.time", lambda: now)
    published(s3, a, retention_days=7)
    published(s3, b, retention_days=7)
    now += 40 * DAY
    published(s3, a, retention_days=7)
    assert visit(over_http(s3.url)) == "A"
    now += 40 * DAY
    published(s3, b, retention_days=7)
    now += 6 * DAY  # A was current until six days ago
    publish(s3.url, b, retention_days=7)
    assert "assets/main-A1x_9Kq2.js" in s3.site()


def test_a_page_that_the_release_does_not_have_goes_with_the_switch(s3: FakeS3, a: Path, b: Path) -> None:
    (b / "about/index.html").unlink()
    published(s3, a)
    answer = publish(s3.url, b)
    assert "about/index.html" not in s3.site()
    assert changes(s3)[-2:] == ["index.html", ""]  # the last is a DELETE of many
    assert answer["counts"]["removed"] == 1
    assert "/about*" in answer["invalidation_paths"]


def test_what_no_release_ever_had_is_left_alone(s3: FakeS3, a: Path, b: Path) -> None:
    s3.put("uploads/cat.jpg", b"meow")
    published(s3, a)
    answer = publish(s3.url, b, retention_days=1)
    assert s3.site()["uploads/cat.jpg"] == b"meow"
    assert answer["counts"]["unmanaged"] == 1


def test_objects_from_another_tool_are_written_once_for_their_headers(s3: FakeS3, a: Path) -> None:
    for path in a.rglob("*.*"):
        s3.put(str(path.relative_to(a)), path.read_bytes(), {"Content-Type": "binary/octet-stream"})
    s3.age(DAY)
    answer = published(s3, a)
    assert answer["counts"]["changed"] == 8
    assert s3.objects["index.html"].headers["Content-Type"] == "text/html; charset=utf-8"
    assert publish(s3.url, a)["changed"] is False


def test_a_rollback_rewrites_only_the_mutable_files(s3: FakeS3, a: Path, b: Path) -> None:
    first = published(s3, a)["release"]
    second = published(s3, b)["release"]
    answer = roll_back(s3.url, first)
    assert answer["release"] == first
    assert answer["previous_release"] == second
    written = changes(s3)
    assert set(written[:2]) == {"manifest.webmanifest", "sw.js"}
    assert written[2:] == ["about/index.html", "index.html"]
    assert visit(over_http(s3.url)) == "A"
    assert roll_back(s3.url, first)["changed"] is False
    s3.age(DAY)
    s3.requests()
    # Forward again, by the release or by its build: nothing has to be uploaded.
    assert roll_back(s3.url, second)["changed"] is True
    assert visit(over_http(s3.url)) == "B"
    assert "PUT" not in {verb for verb, key in s3.requests() if not key.startswith((".releases/r", ".releases/m"))}
    assert publish(s3.url, b)["changed"] is False


def test_a_rollback_to_a_release_that_is_not_kept_is_refused(s3: FakeS3, a: Path, b: Path) -> None:
    first = published(s3, a)["release"]
    with pytest.raises(SiteError, match=rf"bucket keeps no release nine. It keeps {first}\."):
        roll_back(s3.url, "nine")
    published(s3, b)
    del s3.objects["assets/main-A1x_9Kq2.js"]
    s3.requests()
    with pytest.raises(SiteError, match=r"cannot be restored: assets/main-A1x_9Kq2\.js .* Nothing was touched"):
        roll_back(s3.url, first)
    assert changes(s3) == []


def test_check_mode_asks_without_changing_and_tells_the_plan(s3: FakeS3, a: Path, b: Path) -> None:
    published(s3, a)
    before = dict(s3.objects)
    answer = publish(s3.url, b, check=True)
    assert s3.objects == before
    assert verbs(s3) == {"LIST": 1, "GET": 2}
    assert answer["changed"] is True
    assert "index.html: " in answer["diff"]["before"]
    assert "assets/main-B1x_9Kq2.js: 14 bytes, public, max-age=31536000, immutable\n" in answer["diff"]["after"]
    assert "assets/main-A1x_9Kq2.js: kept for retention\n" in answer["diff"]["after"]
    done = publish(s3.url, b)
    assert done["counts"] == answer["counts"]
    assert done["invalidation_paths"] == answer["invalidation_paths"]


def test_an_object_that_somebody_else_wrote_over_is_mended(s3: FakeS3, a: Path) -> None:
    release = published(s3, a)["release"]
    s3.put("index.html", s3.objects["index.html"].content.replace(b"build A", b"build X"))
    s3.put("assets/main-A1x_9Kq2.js", b"build X script")
    answer = published(s3, a)
    assert answer["changed"] is True
    assert answer["release"] == release
    assert visit(over_http(s3.url)) == "A"
    assert publish(s3.url, a)["changed"] is False


def test_etags_that_are_no_md5_do_not_matter(s3: FakeS3, a: Path, b: Path) -> None:
    s3.kms = True
    published(s3, a)
    assert publish(s3.url, a)["changed"] is False
    published(s3, b)
    assert publish(s3.url, b)["changed"] is False
    assert visit(over_http(s3.url)) == "B"


def test_new_header_rules_rewrite_the_objects_that_they_are_for(s3: FakeS3, a: Path) -> None:
    published(s3, a)
    answer = published(s3, a, cache_control=[{"pattern": "*.svg", "value": "max-age=5"}])
    assert answer["changed_paths"] == ["assets/logo-Zk3_9xQ1.svg"]
    assert answer["invalidation_paths"] == ["/assets/logo-Zk3_9xQ1.svg"]
    assert s3.objects["assets/logo-Zk3_9xQ1.svg"].headers["Cache-Control"] == "max-age=5"


def test_an_interrupted_publish_goes_on_where_it_stopped(s3: FakeS3, a: Path, b: Path) -> None:
    published(s3, a)
    interrupt(s3, b, at=12, says="Visitors still see the whole old site")
    already = {key for verb, key in s3.requests() if verb in ("PUT", "COPY")} & s3.site().keys()
    answer = publish(s3.url, b)
    again = set(changes(s3))
    assert "assets/main-B1x_9Kq2.js" in already
    assert "assets/main-B1x_9Kq2.js" not in again
    # What was put in place before was never invalidated.
    assert answer["invalidation_paths"] == ["/", "/about*", "/index.html", "/manifest.webmanifest", "/sw.js"]


def test_a_first_publish_that_was_interrupted_over_another_tools_site_is_invalidated_by_the_next(
    s3: FakeS3, a: Path
) -> None:
    s3.put("index.html", b"build O")
    s3.age(DAY)
    # The record fails, after the listing, a manifest and 13 objects.
    interrupt(s3, a, at=16, says="Visitors see the new site, but the record does not say so yet")
    assert {"/", "/index.html"} <= set(publish(s3.url, a)["invalidation_paths"])


def test_what_somebody_else_writes_during_an_interruption_is_not_taken_for_ones_own(
    s3: FakeS3, a: Path, b: Path
) -> None:
    published(s3, a)
    interrupt(s3, b, at=6)
    s3.put("index.html", (b / "index.html").read_bytes().replace(b"build B", b"build X"))
    publish(s3.url, b)
    assert visit(over_http(s3.url)) == "B"


def test_what_a_publish_left_that_never_became_current_is_pruned_in_time(
    s3: FakeS3, a: Path, b: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    now = 2_000_000_000
    monkeypatch.setattr("s3_site.time.time", lambda: now)
    published(s3, a)
    interrupt(s3, b, at=10)
    assert "assets/main-B1x_9Kq2.js" in s3.site()
    published(s3, make_build(tmp_path / "c", "C"), retention_days=7)
    now += 8 * DAY
    publish(s3.url, tmp_path / "c", retention_days=7)
    assert not [key for key in s3.site() if "-B" in key or "-A" in key]
    assert sum(key.startswith(".releases/manifest/") for key in s3.objects) == 1


def test_slow_down_makes_it_slower_instead_of_failing(s3: FakeS3, tmp_path: Path) -> None:
    build = make_build(tmp_path / "many", "A")
    for number in range(60):
        (build / "assets" / f"part{number}-x{number:02}Kq2_Z.js").write_text("build A")
    s3.faults = Faults("slow", at=5, on=True, times=30)
    publish(s3.url, build, concurrency=8)
    assert s3.faults.at < -30
    assert visit(over_http(s3.url)) == "A"
    assert len([key for key in s3.site() if "part" in key]) == 60


@pytest.mark.parametrize("key", ["503.html", "SlowDown.html", "a429/index.html"])
def test_an_object_that_is_named_like_throttling_is_given_up_like_any_other(
    s3: FakeS3, key: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(Gate, "pause", lambda *_: None)
    s3.faults = Faults("error", at=1, on=True)
    with pytest.raises(SiteError, match="Could not write"):
        store(s3.url).put(key, b"", ("text/html", "", ""))
    assert s3.requests() == [("PUT", key)] * ATTEMPTS


def test_each_time_that_s3_is_asked_too_much_counts(s3: FakeS3, monkeypatch: Any) -> None:
    monkeypatch.setattr(Gate, "pause", lambda *_: None)
    refused = []
    monkeypatch.setattr(Gate, "throttled", lambda _: refused.append(len(s3.log)))
    s3.faults = Faults("slow", at=1, on=True, times=20)
    store(s3.url).put("page.html", b"", ("text/html", "", ""))
    assert refused == list(range(1, 21))


@pytest.mark.parametrize(
    "spoil",
    [Path.unlink, lambda path: path.write_text("more"), lambda path: path.write_text("build B SCRIPT")],
    ids=["gone", "longer", "of the same size"],
)
@pytest.mark.parametrize("name", ["assets/main-B1x_9Kq2.js", "sw.js"])
def test_a_file_that_changes_while_it_is_published_is_told_with_what_visitors_see(
    s3: FakeS3, a: Path, b: Path, name: str, spoil: Any
) -> None:
    published(s3, a)
    (b / name).write_text("build B script")
    spoiled: list[Path] = []

    def once() -> None:  # after the manifest is written, before the first file
        if not spoiled:
            spoiled.append(b / name)
            spoil(b / name)

    s3.watch = once
    with pytest.raises(SiteError, match=rf"{b / name} changed while it was published") as told:
        publish(s3.url, b)
    assert "Nothing that visitors see has changed." in str(told.value)
    assert "assets/main-B1x_9Kq2.js" not in s3.site() or name == "sw.js"
    assert visit(over_http(s3.url)) == "A"


def test_what_an_interrupted_publish_uploaded_is_not_trusted_when_its_file_was_written_to(
    s3: FakeS3, a: Path, b: Path
) -> None:
    published(s3, a)
    interrupt(s3, b, at=12)
    script = "assets/main-B1x_9Kq2.js"
    assert s3.site()[script] == b"build B script"
    (b / script).write_text("build B SCRIPT")  # as it would be, had that publish met it half written
    publish(s3.url, b)
    assert s3.site()[script] == b"build B SCRIPT"


def test_a_file_that_may_not_be_read_is_told(s3: FakeS3, a: Path, monkeypatch: Any) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SiteError, match=r"/\S+ could not be read: Permission denied. Let it be read"):
        publish(s3.url, a)


def test_a_key_that_no_path_can_have_is_told(s3: FakeS3, a: Path) -> None:
    s3.put("a//b", b"x")
    with pytest.raises(SiteError, match=r"whose key no URL path can have: a//b\."):
        publish(s3.url, a)


def test_large_files_go_in_parts_and_come_out_whole(s3: FakeS3, a: Path) -> None:
    film = bytes(range(256)) * 4096 * 17  # 17 MiB
    (a / "film.mp4").write_bytes(film)
    (a / "assets/film-Ab12_xYz.mp4").write_bytes(film)
    published(s3, a)
    assert s3.site()["film.mp4"] == s3.site()["assets/film-Ab12_xYz.mp4"] == film
    assert s3.objects["assets/film-Ab12_xYz.mp4"].etag.endswith("-3")
    assert publish(s3.url, a)["changed"] is False


def test_a_file_that_changes_during_the_publish_stops_it_before_the_switch(
    s3: FakeS3, a: Path, b: Path, monkeypatch: Any
) -> None:
    published(s3, a)
    wrong: list[str] = []

    def write() -> None:
        (b / "index.html").write_text("build X, half written")
        kept = {key: there for key, there in s3.objects.items() if key.startswith(".releases/content/")}
        wrong.extend(key for key, there in kept.items() if there.etag not in key)

    s3.watch = write
    with pytest.raises(SiteError, match=r"changed while it was published.*Nothing that visitors see has changed"):
        publish(s3.url, b)
    s3.watch = lambda: None
    assert visit(over_http(s3.url)) == "A"
    assert wrong == []


def test_siblings_are_compressed_ahead_and_only_once(s3: FakeS3, a: Path) -> None:
    script = "build A script " * 500
    (a / "assets/main-A1x_9Kq2.js").write_text(script)
    options = {"precompress": ["br", "gzip"]}
    published(s3, a, **options)
    sibling = s3.objects["assets/main-A1x_9Kq2.js.br"]
    assert brotli.decompress(sibling.content).decode() == script
    assert gzip.decompress(s3.site()["assets/main-A1x_9Kq2.js.gz"]).decode() == script
    assert sibling.headers == {
        "Content-Type": "text/javascript; charset=utf-8", "Cache-Control": IMMUTABLE, "Content-Encoding": "br",
    }  # fmt: skip
    assert "assets/style-A7bQ_z0w.css.br" not in s3.site()  # too small to be worth it
    answer = publish(s3.url, a, **options)
    assert answer["changed"] is False


def test_a_script_without_a_hash_is_warned_of(s3: FakeS3, a: Path) -> None:
    (a / "plain.js").write_text("1")
    (a / "index.html").write_text('build A <script src="/plain.js"></script>')
    assert "index.html loads plain.js" in publish(s3.url, a)["warnings"][0]


def test_a_hashed_name_with_another_content_is_warned_of_and_invalidated(s3: FakeS3, a: Path) -> None:
    published(s3, a)
    (a / "assets/main-A1x_9Kq2.js").write_text("build A script, otherwise")
    answer = publish(s3.url, a)
    assert "promises never to change" in answer["warnings"][0]
    assert answer["invalidation_paths"] == ["/assets/main-A1x_9Kq2.js"]


def test_a_release_can_be_named_and_a_name_is_given_once(s3: FakeS3, a: Path, b: Path) -> None:
    assert published(s3, a, release="4f2a91c")["release"] == "4f2a91c"
    assert publish(s3.url, a, release="another")["release"] == "4f2a91c"
    with pytest.raises(SiteError, match="4f2a91c exists already, with another content"):
        publish(s3.url, b, release="4f2a91c")
    with pytest.raises(SiteError, match="is no name of a release"):
        publish(s3.url, b, release="v1/../x")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"retention_days": 0}, "retention_days: 0 would delete"),
        ({"record_prefix": "/"}, "record_prefix is empty"),
        ({"concurrency": 0}, "concurrency: 0"),
        ({"src": "nowhere"}, "is not a directory"),
    ],
)
def test_refusals_come_before_any_request(s3: FakeS3, a: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(SiteError, match=says):
        publish(s3.url, Path(options.pop("src", a)), **options)
    assert s3.requests() == []


def test_a_record_that_is_none_is_not_written_over(s3: FakeS3, a: Path) -> None:
    s3.put(".releases/record", b"<html>hello</html>")
    with pytest.raises(SiteError, match=r"not a record of releases.*Set another record_prefix"):
        publish(s3.url, a)
    assert s3.objects[".releases/record"].content == b"<html>hello</html>"


def test_a_publish_that_another_one_overtook_says_so(s3: FakeS3, a: Path, b: Path) -> None:
    published(s3, a)

    def overtake() -> None:
        if s3.objects["index.html"].content.startswith(b"build B"):
            s3.watch = lambda: None
            s3.put(".releases/record", b"another's")

    s3.watch = overtake
    with pytest.raises(SiteError, match="Another publish of the same site has ended meanwhile"):
        publish(s3.url, b)
    assert s3.objects[".releases/record"].content == b"another's"
    assert visit(over_http(s3.url)) == "B"


def test_progress_that_cannot_be_written_stops_nothing(s3: FakeS3, a: Path, tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"progress_file: \S+ cannot be written, since its directory is not there"):
        publish(s3.url, a, progress_file=str(tmp_path / "nowhere" / "progress"))
    assert s3.requests() == []
    publish(s3.url, a, progress_file="/dev/full")
    assert visit(over_http(s3.url)) == "A"


def test_a_difference_of_many_files_tells_first_what_visitors_may_miss(s3: FakeS3, a: Path, b: Path) -> None:
    for number in range(LINES):
        (b / "assets" / f"part{number}-x{number:03}Kq2_Z.js").write_text("build B")
    published(s3, a)
    difference = publish(s3.url, b, check=True)["diff"]
    assert "index.html: " in difference["before"]
    assert "index.html: " in difference["after"]
    assert "assets/main-A1x_9Kq2.js: kept for retention\n" in difference["after"]
    assert difference["after"].endswith("\nand 8 more\n")
    assert difference["before"].endswith("\nand 8 more\n")


def test_progress_is_written_to_a_file(s3: FakeS3, a: Path, tmp_path: Path) -> None:
    publish(s3.url, a, progress_file=str(tmp_path / "progress"))
    assert "8 of 8 files uploaded" in (tmp_path / "progress").read_text()


def test_odd_names_arrive_as_they_are(s3: FakeS3, a: Path) -> None:
    names = ["a b.js", "[slug]-1.js", "ü.js", "50%25.txt", "x~y.js", "a#b?c.txt", "a+b&c=d.txt", "(group)/@p.js"]
    for name in names:
        (a / name).parent.mkdir(exist_ok=True)
        (a / name).write_text("build A")
    published(s3, a)
    assert set(names) <= s3.site().keys()
    assert publish(s3.url, a)["changed"] is False
