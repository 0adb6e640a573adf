"""Where no host can be booted: the same site.yml against the API alone, and the page by the same edge."""

from __future__ import annotations

from tests.e2e import story

ONLY = {"LAB_API_ONLY": "1"}


def test_up_says_in_one_sentence_that_there_are_no_hosts_and_why(deployed: story.Done) -> None:
    assert "No hosts here, since LAB_API_ONLY is set: this is the API-only lab" in deployed.output


def test_the_table_names_what_was_skipped(deployed: story.Done) -> None:
    rows = {line.split()[0] for line in deployed.output.splitlines() if line.endswith("skipped: no host")}
    assert rows == {"backend", "collector", "db1", "db2"}
    assert "Skipped, as they need hosts" in deployed.output


def test_the_react_build_is_served_by_the_edge_from_the_private_bucket(deployed: story.Done) -> None:
    url = story.status()["edge_url"]
    code, page, headers = story.get(url)
    assert code == 200
    assert '<script type="module"' in page
    assert "cloudfront" in headers["x-cache"]
    assert story.get(f"{url}/stations/Hallasan")[1] == page
    bucket = f"{story.status()['endpoint_url']}/madang-lab-site-123456789012"
    assert story.get(f"{bucket}/index.html")[0] == 403


def test_the_api_answers_that_hosts_are_missing(deployed: story.Done) -> None:
    assert story.get(f"{story.status()['edge_url']}/api/health")[0] == 502


def test_a_second_run_changes_nothing(deployed: story.Done) -> None:
    again = story.run("make", "--no-print-directory", "up", **ONLY)
    assert again.status == 0, again.output[-6000:]
    assert story.changes(again.output) == {"localhost": 0}
