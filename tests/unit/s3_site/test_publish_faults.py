"""Something goes wrong at every single request of a publish, and a visitor looks at the site all the while."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible.module_utils.s3_site_build import SiteError
from fake_s3 import FakeS3, Faults, inside, over_http, visit
from publishing import Victims, make_build, publish, roll_back

PAGES = ("index.html", "about/index.html")


@dataclass
class Site:
    """A bucket that shows build A, with build B at hand."""

    s3: FakeS3
    a: Path
    b: Path
    release: str = ""
    seen: set[str] = field(default_factory=set)
    broken: list[AssertionError] = field(default_factory=list)

    def reset(self) -> None:
        """Publish A afresh, a day ago, and have a visitor look after every change from now on."""
        self.s3.faults, self.s3.watch = Faults(), lambda: None
        self.s3.objects.clear()
        self.release = publish(self.s3.url, self.a)["release"]
        self.s3.age(86_400)
        self.s3.requests()
        self.seen.clear()
        self.s3.watch = self.look

    def look(self) -> None:
        """Visit, in the server's thread, where an error would only end the connection."""
        try:
            self.seen |= {visit(inside(self.s3), page) for page in PAGES}
        except AssertionError as error:
            self.broken.append(error)

    def shows(self) -> set[str]:
        """Which builds a visitor gets, after whatever has happened; all the while it was a whole one."""
        assert self.broken == []
        assert self.seen <= {"A", "B"}
        self.s3.faults = Faults()
        return {visit(over_http(self.s3.url), page) for page in PAGES}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with FakeS3() as s3:
        # A has a page more than B, so that B's publish also deletes something.
        a = make_build(tmp_path / "a", "A", pages=(*PAGES, "old/index.html"))
        made = Site(s3, a, make_build(tmp_path / "b", "B"))
        made.reset()
        yield made


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    made = Victims()
    yield made
    made.close()


def requests_of_a_publish(site: Site) -> int:
    publish(site.s3.url, site.b)
    count = len(site.s3.requests())
    assert site.seen == {"A", "B"}
    site.reset()
    return count


def expected(site: Site) -> dict[str, bytes]:
    """What stands in the bucket after B has been published undisturbed."""
    publish(site.s3.url, site.b)
    there = site.s3.site()
    site.reset()
    return there


def is_complete(site: Site, wanted: dict[str, bytes]) -> None:
    """A rerun ends where an undisturbed publish ends, and a third run finds nothing to do."""
    publish(site.s3.url, site.b)
    assert site.shows() == {"B"}
    assert site.s3.site() == wanted
    assert publish(site.s3.url, site.b)["changed"] is False
    assert roll_back(site.s3.url, site.release)["changed"] is True
    assert site.shows() == {"A"}


@pytest.mark.parametrize("kind", ["error", "slow", "lost"])
def test_one_failed_request_anywhere_does_not_fail_the_publish(site: Site, kind: str) -> None:
    for at in range(1, requests_of_a_publish(site) + 1):
        site.reset()
        site.s3.faults = Faults(kind, at)
        publish(site.s3.url, site.b)
        assert site.shows() == {"B"}, f"{kind} at request {at}"
        assert publish(site.s3.url, site.b)["changed"] is False


@pytest.mark.parametrize("kind", ["error", "slow", "lost"])
def test_one_failed_request_anywhere_does_not_fail_a_rollback(site: Site, kind: str) -> None:
    def begin() -> None:
        site.reset()
        publish(site.s3.url, site.b)
        site.s3.age(86_400)
        site.s3.requests()

    begin()
    roll_back(site.s3.url, site.release)
    for at in range(1, len(site.s3.requests()) + 1):
        begin()
        site.s3.faults = Faults(kind, at)
        roll_back(site.s3.url, site.release)
        assert site.shows() == {"A"}, f"{kind} at request {at}"
        assert roll_back(site.s3.url, site.release)["changed"] is False


@pytest.mark.parametrize("kind", ["error", "slow", "lost"])
def test_one_failed_request_anywhere_does_not_fail_the_upload_of_a_large_file(
    site: Site, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansible.module_utils.s3_site_transfer.PART", 16)
    film = "film-x9Kq2_Zw.mp4"
    (site.b / film).write_text("build B, in more than one part")
    publish(site.s3.url, site.b)
    of_film = [at for at, (_, key) in enumerate(site.s3.requests(), start=1) if key == film]
    assert len(of_film) == 4  # the beginning, two parts, the end
    for at in of_film:
        site.reset()
        site.s3.faults = Faults(kind, at)
        publish(site.s3.url, site.b)
        assert site.shows() == {"B"}, f"{kind} at request {at}"
        assert site.s3.site()[film] == b"build B, in more than one part"


@pytest.mark.parametrize("kind", ["error", "slow", "lost"])
def test_one_failed_request_anywhere_does_not_fail_the_pruning(
    site: Site, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()

    def begin() -> None:
        monkeypatch.setattr("s3_site.time.time", lambda: now)
        site.reset()
        publish(site.s3.url, site.b)
        site.s3.age(86_400)
        site.s3.requests()
        monkeypatch.setattr("s3_site.time.time", lambda: now + 40 * 86_400)

    begin()
    assert publish(site.s3.url, site.b)["counts"]["pruned"] == 2
    for at in range(1, len(site.s3.requests()) + 1):
        begin()
        site.s3.faults = Faults(kind, at)
        publish(site.s3.url, site.b)
        assert site.shows() == {"B"}, f"{kind} at request {at}"
        assert not [key for key in site.s3.site() if "-A" in key], f"{kind} at request {at}"


@pytest.mark.parametrize("kind", ["error", "lost"])
def test_s3_that_fails_from_any_request_on_leaves_visitors_a_whole_site(site: Site, kind: str) -> None:
    wanted = expected(site)
    for at in range(1, requests_of_a_publish(site) + 1):
        site.reset()
        site.s3.faults = Faults(kind, at, on=True)
        with pytest.raises(SiteError, match="Could not"):
            publish(site.s3.url, site.b, patience=0)
        assert site.shows() <= {"A", "B"}, f"{kind} from request {at} on"
        is_complete(site, wanted)


@pytest.mark.parametrize("kind", ["kill before", "kill after"])
def test_a_publish_that_is_killed_at_any_request_leaves_visitors_a_whole_site(
    site: Site, victims: Victims, kind: str
) -> None:
    wanted = expected(site)
    for at in range(1, requests_of_a_publish(site) + 1):
        site.reset()
        site.s3.faults = Faults(kind, at)
        site.s3.faults.victims.put(victims.start(site.s3.url, site.b))
        assert victims.status() == -signal.SIGKILL, f"it was not killed at request {at}"
        assert site.shows() <= {"A", "B"}, f"{kind} request {at}"
        is_complete(site, wanted)
