"""Two ways for two databases, and the ways between them, on the running product: no row is lost, whatever is said."""

from __future__ import annotations

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces

INDEPENDENT = ("-e", "mysql_topology=independent")


def play(playbook: str, *arguments: str) -> story.Done:
    return story.run("ansible-playbook", f"playbooks/{playbook}.yml", *arguments)


def sql(host: str, query: str) -> str:
    return story.inside(host, f'mysql -N -e "{query}"').output.strip()


def rows(host: str) -> list[str]:
    return sql(host, "SELECT word FROM product.topology ORDER BY word").splitlines()


def replicates() -> str:
    return sql("db2", "SELECT SERVICE_STATE FROM performance_schema.replication_connection_status")


@pytest.fixture(scope="module")
def written(deployment: Deployment) -> list[str]:
    """Rows on both servers, written before anything changes."""
    sql("db1", "CREATE TABLE IF NOT EXISTS product.topology (word VARCHAR(20) PRIMARY KEY)")
    sql("db1", "REPLACE INTO product.topology VALUES ('before'), ('earlier')")
    return story.eventually(lambda: rows("db2"), ["before", "earlier"].__eq__)


def test_a_replica_made_independent_keeps_its_rows_and_takes_writes(written: list[str]) -> None:
    started = sql("db1", "SHOW STATUS LIKE 'Uptime'").split()[1]
    done = play("database", *INDEPENDENT)
    assert done.status == 0, done.output[-4000:]
    assert rows("db1") == rows("db2") == written
    assert int(sql("db1", "SHOW STATUS LIKE 'Uptime'").split()[1]) > int(started), "the source was restarted"
    assert replicates() == ""
    sql("db2", "INSERT INTO product.topology VALUES ('only on db2')")
    assert rows("db2") == [*written, "only on db2"]
    users = sql("db2", "SELECT user FROM mysql.user WHERE user IN ('backend', 'collector', 'replication')")
    assert users == "", "users of db1's databases stayed on db2"
    verified = story.run("ansible-playbook", "site.yml", "--tags", "verify", *INDEPENDENT)
    assert verified.status == 0, verified.output[-4000:]


def test_replication_is_refused_while_the_replica_has_data_of_its_own(written: list[str]) -> None:
    done = play("database")
    said = " ".join(done.output.split())
    assert done.status != 0
    assert "db2 has data of its own (schemas product)" in said
    assert "playbooks/backup_database.yml -e host=db2`" in said
    assert "playbooks/reseed_replica.yml -e host=db2 -e confirm=db2`" in said
    assert set(story.changes(done.output).values()) == {0}
    assert "only on db2" in rows("db2")


def test_without_a_confirmation_nothing_is_replaced(written: list[str]) -> None:
    done = play("reseed_replica", "-e", "host=db2")
    assert done.status != 0
    assert "write -e confirm=db2" in " ".join(done.output.split())
    assert "only on db2" in rows("db2")


def test_the_two_commands_save_the_rows_and_bring_replication_back(written: list[str]) -> None:
    saved = story.ROOT / ".lab/deployment/backups/topology.sql.gz"
    try:
        done = play("backup_database", "-e", "host=db2", "-e", f"backup={saved}")
        assert done.status == 0, done.output[-4000:]
        assert saved.stat().st_mode & 0o077 == 0
        assert "only on db2" in story.run("gzip", "--decompress", "--stdout", str(saved)).output
    finally:
        saved.unlink(missing_ok=True)
    done = play("reseed_replica", "-e", "host=db2", "-e", "confirm=db2")
    assert done.status == 0, done.output[-4000:]
    assert replicates() == "ON"
    assert rows("db1") == rows("db2") == written
    assert sql("db2", "SELECT @@super_read_only") == "1"
    assert sql("db1", "SHOW STATUS LIKE 'Rpl_semi_sync_source_status'").endswith("ON")
    again = play("database")
    assert set(story.changes(again.output).values()) == {0}, again.output[-4000:]
    sql("db1", "DROP TABLE product.topology")
