"""The main job, from nothing: a story in the order that a user lives it."""

from __future__ import annotations

import json

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from lab.settings import Internet
from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces


# Which address the outside sees, asked as an application would.
SEEN_ADDRESS = """python3 -c '
import urllib.request
print(urllib.request.urlopen("http://readings.example.com/v1/address", timeout=10).read().decode())'"""


def test_up_says_where_the_product_is_what_was_built_and_what_to_try(deployment: Deployment) -> None:
    output = deployment.first.output
    assert f"Your product: {deployment.url}" in output
    for host in ("backend", "collector", "db1", "db2"):
        assert any(line.startswith(host) and "private" in line for line in output.splitlines()), output[-2000:]
    assert output[output.index("Try next:") :].count("\n  ") == 3


def test_a_second_run_changes_nothing(deployment: Deployment) -> None:
    again = story.run("make", "--no-print-directory", "up")
    assert again.status == 0, again.output[-6000:]
    assert set(story.changes(again.output).values()) == {0}, again.output[-6000:]


def test_the_guard_holds(deployment: Deployment) -> None:
    assert story.status()["guard"] == []


def answers(place: str, host: str, port: int) -> bool:
    """Whether a port takes connections from a host, or from the internet."""
    return story.inside(place, f"timeout 3 bash -c 'exec 3<>/dev/tcp/{host}/{port}'").status == 0


def test_no_private_address_answers_the_internet(deployment: Deployment) -> None:
    assert answers("internet", Internet(**story.status()["internet"]).readings, 80), "what answers everybody"
    for name, port in (("backend", 8000), ("backend", 22), ("db1", 3306), ("db2", 3306), ("collector", 22)):
        address = story.address(name)
        assert answers(name, address, port), f"nothing listens on {name}:{port}"
        assert not answers("internet", address, port), f"{name}:{port} answered"


def test_a_private_host_is_seen_outside_as_the_nat_gateway(deployment: Deployment) -> None:
    seen = json.loads(story.inside("collector", SEEN_ADDRESS).output)["address"]
    available = [{"Name": "state", "Values": ["available"]}]
    gateways = story.client("ec2").describe_nat_gateways(Filters=available)["NatGateways"]
    assert [each["PublicIp"] for gateway in gateways for each in gateway["NatGatewayAddresses"]] == [seen]


def test_the_collector_reaches_mysql_and_not_what_its_groups_forbid(deployment: Deployment) -> None:
    assert answers("collector", "db1", 3306)
    assert not answers("collector", "backend", 8000)
    assert not answers("collector", "db1", 22)


def test_mysql_replicates_over_tls_and_refuses_plain_connections(deployment: Deployment) -> None:
    def query(host: str, sql: str) -> str:
        return story.inside(host, f'mysql -N -e "{sql}"').output.strip()

    assert query("db2", "SELECT SERVICE_STATE FROM performance_schema.replication_connection_status") == "ON"
    source_ssl = "SELECT SSL_ALLOWED FROM performance_schema.replication_connection_configuration"
    assert query("db2", source_ssl) == "YES"
    assert query("db2", "SELECT @@super_read_only") == "1"
    written = query("db1", "SELECT @@global.gtid_executed").replace("\\n", "")
    story.eventually(lambda: query("db2", f"SELECT GTID_SUBSET('{written}', @@global.gtid_executed)"), "1".__eq__)
    assert login("REQUIRED").output.strip() == "1"
    # The right password is no use without TLS.
    assert "Access denied" in login("DISABLED").output
    assert query("db1", "SELECT @@require_secure_transport") == "1"


def login(ssl_mode: str) -> story.Done:
    """Log in to the source with the backend's own name and password, and ask for 1."""
    options = f"[client]\nuser=backend\nhost=db1\npassword={story.secret('mysql-user-backend')}\n"
    command = f"mysql --defaults-file=/dev/stdin --ssl-mode={ssl_mode} --get-server-public-key -N -e 'SELECT 1'"
    return story.inside("db2", command, stdin=options)


def test_the_bucket_refuses_a_direct_read(deployment: Deployment) -> None:
    found = story.status()
    bucket = "madang-lab-site-123456789012"
    code, _, _ = story.get(f"{found['endpoint_url']}/{bucket}/index.html")
    assert code == 403
    assert story.get(f"{deployment.url}/index.html")[0] == 200


def test_the_page_shows_rows_that_were_not_there_a_moment_ago(
    deployment: Deployment, browser: webdriver.Chrome
) -> None:
    browser.get(deployment.url)

    def newest() -> str:
        found = browser.find_elements(By.CSS_SELECTOR, "[data-testid=newest] time, time[data-testid=newest]")
        return found[0].get_attribute("datetime") or "" if found else ""

    first = story.eventually(newest, bool, 60)
    later = story.eventually(newest, lambda value: value > first, 60)
    assert later > first


def test_a_deep_link_works(deployment: Deployment, browser: webdriver.Chrome) -> None:
    browser.get(f"{deployment.url}/stations/Hallasan")
    story.eventually(lambda: browser.find_element(By.TAG_NAME, "body").text, lambda text: "Hallasan" in text, 30)


def test_an_error_of_the_api_stays_an_error(deployment: Deployment) -> None:
    code, body, headers = story.get(f"{deployment.url}/api/nonsense")
    assert code == 404
    assert "json" in headers["content-type"]
    assert "<html" not in body


# Not in the order in which they are built.
@pytest.mark.parametrize(
    "part",
    ["verify", "frontend", "collector", "database", "cdn", "backend", "instances", "network", "security_groups"],
)
def test_each_part_runs_alone_by_its_tag(deployment: Deployment, part: str) -> None:
    done = story.run("ansible-playbook", "site.yml", "--tags", part)
    assert done.status == 0, done.output[-6000:]
    assert set(story.changes(done.output).values()) == {0}, done.output[-6000:]
    plays = [play.split("] *")[0] for play in done.output.split("PLAY [")[1:]]
    ran = [play for play, text in zip(plays, done.output.split("PLAY [")[1:], strict=True) if "\nTASK [" in text]
    own = {
        "network": {"Network"},
        "security_groups": {"Security groups"},
        "instances": {"Instances", "Way in", "Way out"},
        "database": {"Database secrets", "Databases"},
        "backend": {"Backend's secrets", "Backend"},
        "collector": {"Collector's secrets", "Collector", "Collector in Lambda"},
        "frontend": {"Begin the frontend's build", "Frontend"},
        "cdn": {"Begin the way from CloudFront to the backend", "CloudFront"},
        "verify": {
            "Verify what AWS says",
            "Verify with packets",
            "Verify every promise",
            "Verify the collector's function",
        },
    }[part]
    assert set(ran) - {"Preflight", "Lock"} == own


@pytest.mark.parametrize("host", ["backend", "collector", "db2"])
def test_limit_to_one_host_runs_what_is_done_on_it_and_nothing_else(deployment: Deployment, host: str) -> None:
    done = story.run("ansible-playbook", "site.yml", "--limit", host)
    assert done.status == 0, done.output[-6000:]
    assert story.changes(done.output) == {host: 0}, done.output[-6000:]
    assert f"ok: [{host} -> localhost]" in done.output  # its secrets were read


def test_limit_with_localhost_proves_what_can_be_asked(deployment: Deployment) -> None:
    done = story.run("ansible-playbook", "site.yml", "--tags", "database,verify", "--limit", "localhost,db2")
    assert done.status == 0, done.output[-6000:]
    assert story.changes(done.output) == {"localhost": 0, "db2": 0}, done.output[-6000:]
    assert " 0 broken, " in done.output
