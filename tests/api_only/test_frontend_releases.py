"""Releases of the frontend: published, published after a broken run, and rolled back."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import story

ONLY = {"LAB_API_ONLY": "1"}
PUBLISH = ("ansible-playbook", "site.yml", "--tags", "frontend")
NEW_TITLE = "<title>A later release</title>"


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's frontend with another title."""
    copy = tmp_path_factory.mktemp("later") / "frontend"
    example = story.ROOT / "examples/frontend"
    shutil.copytree(example, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    # The installed packages are the same, and take a while to install.
    shutil.copytree(example / "node_modules", copy / "node_modules", symlinks=True)
    page = (copy / "index.html").read_text()
    title = page[page.index("<title>") : page.index("</title>") + len("</title>")]
    (copy / "index.html").write_text(page.replace(title, NEW_TITLE))
    return copy


@pytest.fixture(autouse=True)
def no_faults(deployed: story.Done) -> Iterator[None]:
    yield
    _faults("DELETE")


def _faults(method: str, *faults: dict[str, object]) -> None:
    request = urllib.request.Request(  # noqa: S310 — loopback
        f"{story.status()['endpoint_url']}/_lab/faults", data=json.dumps(faults).encode(), method=method
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 — loopback


def _page() -> str:
    return story.get(story.status()["edge_url"])[1]


def _invalidations() -> int:
    """How many the distribution has had. Pages are revalidated anyway; other files depend on it."""
    client = story.client("cloudfront")
    distribution = client.list_distributions()["DistributionList"]["Items"][0]["Id"]
    return int(client.list_invalidations(DistributionId=distribution)["InvalidationList"]["Quantity"])


def test_a_run_after_one_that_broke_before_the_invalidation_makes_it_good(later: Path) -> None:
    before = _invalidations()
    _faults(
        "POST", {"kind": "error", "action": "CreateInvalidation", "status": 403, "code": "AccessDenied", "times": 9}
    )
    broken = story.run(*PUBLISH, "-e", f"project_frontend={later}", **ONLY)
    assert broken.status != 0
    assert "cloudfront:CreateInvalidation" in broken.output
    assert _invalidations() == before
    _faults("DELETE")
    again = story.run(*PUBLISH, "-e", f"project_frontend={later}", **ONLY)
    assert again.status == 0, again.output[-4000:]
    assert NEW_TITLE in _page()
    assert _invalidations() == before + 1
    third = story.run(*PUBLISH, "-e", f"project_frontend={later}", **ONLY)
    assert story.changes(third.output) == {"localhost": 0}
    assert _invalidations() == before + 1


def test_a_rollback_shows_visitors_the_release_before_at_once(later: Path) -> None:
    published = story.run(*PUBLISH, "-e", f"project_frontend={later}", **ONLY)
    assert published.status == 0, published.output[-4000:]
    assert NEW_TITLE in _page()
    back = story.run("ansible-playbook", "playbooks/rollback_frontend.yml", **ONLY)
    assert back.status == 0, back.output[-4000:]
    assert "Visitors see release" in back.output
    assert NEW_TITLE not in _page()


def test_a_rollback_to_a_release_that_is_not_kept_touches_nothing(deployed: story.Done) -> None:
    before = _page()
    refused = story.run("ansible-playbook", "playbooks/rollback_frontend.yml", "-e", "release=nonesuch", **ONLY)
    assert refused.status != 0
    assert "keeps no release nonesuch" in refused.output
    assert _page() == before
