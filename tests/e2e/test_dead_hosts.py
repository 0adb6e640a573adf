"""Hosts that die behind the deployment's back: the next run brings them back, with their data, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces


def play(playbook: str, *arguments: str) -> story.Done:
    return story.run("ansible-playbook", playbook, *arguments)


def running() -> dict[str, str]:
    """The deployment's instances that run: each one's id by its name."""
    wanted = {"instance-state-name": "running", "tag:Project": "madang", "tag:Environment": "lab"}
    filters = [{"Name": name, "Values": [value]} for name, value in wanted.items()]
    found = story.client("ec2").describe_instances(Filters=filters)["Reservations"]
    return {
        tag["Value"]: instance["InstanceId"]
        for group in found
        for instance in group["Instances"]
        for tag in instance["Tags"]
        if tag["Key"] == "Name"
    }


def terminate(*names: str) -> None:
    story.client("ec2").terminate_instances(InstanceIds=[running()[name] for name in names])


def rows(host: str) -> set[str]:
    """Every reading that a database host has, as text; none while it does not answer."""
    listed = story.inside(host, "mysql -N -e 'SELECT * FROM product.readings'")
    return set(listed.output.splitlines()) if listed.status == 0 else set()


def replicates(host: str) -> bool:
    query = "SELECT SERVICE_STATE FROM performance_schema.replication_connection_status"
    return story.inside(host, f"mysql -N -e '{query}'").output.strip() == "ON"


def health(deployment: Deployment) -> int:
    return story.get(f"{deployment.url}/api/health")[0]


def test_one_run_brings_back_a_backend_a_replica_and_a_collector_and_the_page_stays_up(
    deployment: Deployment,
) -> None:
    before, kept = running(), rows("db1")
    terminate("backend", "db2", "collector")

    pages = set()
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(play, "site.yml")
        while not wait([run], timeout=0.5).done:
            pages.add(story.get(deployment.url)[0])
    assert run.result().status == 0, run.result().output[-6000:]  # verify, its last part, found every promise kept
    assert pages == {200}

    now = running()
    assert set(now) == {"backend", "collector", "db1", "db2"}
    assert {name for name in now if now[name] == before[name]} == {"db1"}
    for name in now:
        assert story.inside("db1", f"getent hosts {name}.madang.internal").output.split()[0] == story.address(name)

    # CloudFront's way leads to the new backend, and the old way is gone.
    origins = story.client("cloudfront").list_vpc_origins()["VpcOriginList"]["Items"]
    assert [origin["OriginEndpointArn"].rpartition("/")[2] for origin in origins] == [now["backend"]]
    assert health(deployment) == 200

    # The replica has all that was there, and what is collected anew comes to both.
    assert replicates("db2")
    assert kept <= rows("db2")
    story.eventually(lambda: rows("db1") - kept, bool)
    story.eventually(lambda: rows("db2") - kept, bool)


def test_hosts_that_reboot_come_back_with_what_they_run_by_themselves(deployment: Deployment) -> None:
    hosts = ("backend", "db1")

    def rebooted() -> bool:
        asked = "test ! -e /run/before && systemctl is-system-running"
        return all(story.inside(host, asked).status == 0 for host in hosts)

    for host in hosts:
        story.inside(host, "touch /run/before")
    story.client("ec2").reboot_instances(InstanceIds=[running()[host] for host in hosts])
    story.eventually(rebooted, bool, 60)
    kept = rows("db1")
    story.eventually(lambda: health(deployment), (200).__eq__)
    # The collector waits up to a minute before it tries a server again that was gone.
    story.eventually(lambda: rows("db1") - kept, bool, 120)
    story.eventually(lambda: replicates("db2"), bool)


def test_a_stopped_host_is_started_again(deployment: Deployment) -> None:
    before = running()
    ec2 = story.client("ec2")
    ec2.stop_instances(InstanceIds=[before["collector"]])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[before["collector"]], WaiterConfig={"Delay": 1})
    kept = rows("db1")
    done = play("site.yml", "--tags", "instances")
    assert done.status == 0, done.output[-6000:]
    assert running() == before
    story.eventually(lambda: rows("db1") - kept, bool)


def test_a_dead_source_is_refused_until_a_person_promotes_the_replica(deployment: Deployment) -> None:
    kept = rows("db1")
    terminate("db1")
    refused = play("site.yml", "--tags", "instances,database")
    said = " ".join(refused.output.split())
    assert refused.status != 0
    assert "db1 is mysql_source and is empty, and db2 has data (schemas product)" in said
    assert "Promote db2: `ansible-playbook playbooks/promote_database.yml -e host=db2 -e confirm=db2`" in said
    assert kept <= rows("db2")

    exchange(deployment, source="db2", replica="db1", kept=kept)
    # And back, so that the deployment is as it was found.
    exchange(deployment, source="db1", replica="db2", kept=kept)


def exchange(deployment: Deployment, *, source: str, replica: str, kept: set[str]) -> None:
    """Promote ``source`` and run what follows, as docs/mysql.md says; every row is then on both."""
    promoted = play("playbooks/promote_database.yml", "-e", f"host={source}", "-e", f"confirm={source}")
    assert promoted.status == 0, promoted.output[-6000:]
    done = play("site.yml", "--tags", "database,backend,collector", "-e", f"mysql_source={source}")
    assert done.status == 0, done.output[-6000:]
    assert replicates(replica)
    assert kept <= rows(source)
    assert kept <= rows(replica)
    assert health(deployment) == 200
    later = rows(source)
    story.eventually(lambda: rows(replica) - later, bool, 60)


def test_a_run_after_all_that_changes_nothing(deployment: Deployment) -> None:
    again = play("site.yml")
    assert again.status == 0, again.output[-6000:]
    assert set(story.changes(again.output).values()) == {0}, again.output[-6000:]
