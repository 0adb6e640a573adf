"""Something goes wrong at every single request of a publish, and a visitor looks at the site all the while."""

from __future__ import annotations

import signal
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
        self.seen |= {visit(inside(self.s3), page) for page in PAGES}

    def shows(self) -> set[str]:
        """Which builds a visitor gets, after whatever has happened."""
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
