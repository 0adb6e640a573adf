"""The databases: who is the source, who may do what, and what is kept secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import instances
from .shapes import Key, among, matching, of_kind, records, unique, within
from .wording import Refusals

DATABASE = {"name": Key("str"), "host": Key("str", required=False)}
USER = {
    "name": Key("str"),
    "privileges": Key("str"),
    "database": Key("str", required=False),
    "host": Key("str", required=False),
}
SECRET = {"name": Key("str"), "generate": Key("str", required=False), "description": Key("str", required=False)}
GENERATED = ("password", "ssh_key", "certificate_authority")
SCHEMA = re.compile(r"[A-Za-z0-9_]{1,64}")
USER_NAME = re.compile(r"[A-Za-z0-9_]{1,32}")
SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,400}")
MEMORY = re.compile(r"[0-9]{1,15}[KMG]?", re.IGNORECASE)
OWN_SCHEMAS = ("mysql", "sys", "information_schema", "performance_schema")
OWN_USERS = ("root", "mysql")
# What a schema's user can be given; what belongs to the whole server cannot be granted on one schema.
PRIVILEGES = (
    "ALL", "ALL PRIVILEGES", "ALTER", "ALTER ROUTINE", "CREATE", "CREATE ROUTINE", "CREATE TEMPORARY TABLES",
    "CREATE VIEW", "DELETE", "DROP", "EVENT", "EXECUTE", "GRANT", "GRANT OPTION", "INDEX", "INSERT", "LOCK TABLES",
    "REFERENCES", "SELECT", "SHOW VIEW", "TRIGGER", "UPDATE", "USAGE",
)  # fmt: skip
X_PROTOCOL = 33060
SMALLEST_POOL = 5 * 1024**2
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def check(variables: Mapping[str, Any], refusals: Refusals) -> None:
    """Everything that begins with ``mysql_``."""
    _hosts(refusals, variables)
    port = variables.get("mysql_port")
    if port is not None and within(refusals, "mysql_port", port, 1024, 65535) and int(port) == X_PROTOCOL:
        refusals.add("mysql_port", port, "MySQL's X Protocol listens on", "another, such as 3306")
    good = "mysql_database" not in variables or _schema(refusals, "mysql_database", variables["mysql_database"])
    if good:  # the list is made of it, and its own sentence is enough
        _databases(refusals, variables)
    _pool(refusals, variables.get("mysql_innodb_buffer_pool_size"))
    users = _users(refusals, variables)
    _secrets(refusals, variables, users)


def _hosts(refusals: Refusals, variables: Mapping[str, Any]) -> None:
    databases = [str(host["name"]) for host in instances.of(variables) if host.get("role") == "database"]
    if "mysql_source" in variables and databases:
        why = "is not a host with role database in instances_list"
        among(refusals, "mysql_source", variables["mysql_source"], databases, why)
    if variables.get("mysql_topology") == "replication" and len(databases) == 1:
        why = f"needs a second database beside {databases[0]}"
        refusals.add("mysql_topology", "replication", why, "independent, or another host into instances_list")


def _schema(refusals: Refusals, label: str, name: Any) -> bool:
    if str(name).lower() in OWN_SCHEMAS:
        refusals.add(label, name, "MySQL keeps for itself", "another name, such as product")
        return False
    return matching(refusals, label, name, SCHEMA, "1 to 64 letters, digits and underscores")


def _databases(refusals: Refusals, variables: Mapping[str, Any]) -> None:
    databases = records(refusals, "mysql_databases", variables.get("mysql_databases"), DATABASE)
    unique(refusals, "mysql_databases: name", [item["name"] for _, item in databases])
    for label, item in databases:
        _schema(refusals, f"{label}.name", item["name"])
        _on_a_server(refusals, variables, label, item)
    names = [str(item["name"]) for _, item in databases]
    if databases and "mysql_database" in variables:
        among(refusals, "mysql_database", variables["mysql_database"], names, "is not in mysql_databases")


def _on_a_server(refusals: Refusals, variables: Mapping[str, Any], label: str, item: Mapping[str, Any]) -> None:
    servers = [str(host["name"]) for host in instances.of(variables) if host.get("role") == "database"]
    if "host" in item and servers:
        why = "is not a host with role database in instances_list"
        among(refusals, f"{label}.host", item["host"], servers, why)


def _database_of(refusals: Refusals, variables: Mapping[str, Any], label: str, user: Mapping[str, Any]) -> None:
    """The database that a user may use must be there, and on the user's own server where each has its own."""
    source = str(variables.get("mysql_source"))
    places = {
        str(item.get("name")): str(item.get("host", source))
        for item in variables.get("mysql_databases") or []
        if isinstance(item, dict)
    }
    database = str(user.get("database", variables.get("mysql_database")))
    if (
        "database" in user
        and places
        and not among(refusals, f"{label}.database", database, places, "is not in mysql_databases")
    ):
        return
    host = str(user.get("host", source))
    if variables.get("mysql_topology") == "independent" and places.get(database, host) != host:
        why = f"does not have the database {database}"
        refusals.add(f"{label}.host", host, why, places[database])


def _pool(refusals: Refusals, size: Any) -> None:
    if size is None or not matching(
        refusals, "mysql_innodb_buffer_pool_size", size, MEMORY, "a number with K, M or G, such as 512M"
    ):
        return
    text = str(size).upper()
    if int(text.rstrip("KMG")) * UNITS[text.lstrip("0123456789")] < SMALLEST_POOL:
        refusals.add("mysql_innodb_buffer_pool_size", size, "is less than InnoDB takes", "5M or more, such as 512M")


def _users(refusals: Refusals, variables: Mapping[str, Any]) -> list[str]:
    users = records(refusals, "mysql_users", variables.get("mysql_users"), USER)
    replication = str(variables.get("mysql_replication_user", "replication"))
    grants = [f"{user['name']} on {user.get('database', variables.get('mysql_database'))}" for _, user in users]
    unique(refusals, "mysql_users", grants)
    for label, user in users:
        _on_a_server(refusals, variables, label, user)
        _database_of(refusals, variables, label, user)
        name = str(user["name"])
        if matching(refusals, f"{label}.name", name, USER_NAME, "1 to 32 letters, digits and underscores"):
            if name in OWN_USERS:
                refusals.add(f"{label}.name", name, "MySQL keeps for itself", "another name")
            elif name == replication:
                refusals.add(f"{label}.name", name, "is mysql_replication_user's", "another name")
        for privilege in str(user["privileges"]).split(","):
            plain = privilege.split("(")[0].strip().upper()
            among(refusals, f"{label}.privileges", plain, PRIVILEGES, "is no privilege on a schema")
    names = [str(user["name"]) for _, user in users]
    for variable in ("backend_database_user", "collector_database_user"):
        if variable in variables and names:
            among(refusals, variable, str(variables[variable]), names, "is not in mysql_users")
    return [*names, replication]


def _secrets(refusals: Refusals, variables: Mapping[str, Any], users: list[str]) -> None:
    if "mysql_secrets" not in variables or not of_kind(refusals, "mysql_secrets", variables["mysql_secrets"], "list"):
        return
    secrets = records(refusals, "mysql_secrets", variables["mysql_secrets"], SECRET)
    names = [secret["name"] for _, secret in secrets]
    unique(refusals, "mysql_secrets: name", names)
    for label, secret in secrets:
        matching(refusals, f"{label}.name", secret["name"], SECRET_NAME, "letters, digits and /_+=.@-")
        if "generate" in secret:
            among(refusals, f"{label}.generate", secret["generate"], GENERATED, "cannot be generated")
    given = [record.get("name") for record in variables["mysql_secrets"] if isinstance(record, dict)]
    wanted = {"mysql-ca": "with generate: certificate_authority"}
    wanted |= {f"mysql-user-{user}": "and a description" for user in users}
    for name, write in wanted.items():
        if name not in given:
            refusals.missing(f"mysql_secrets[{name}]", f"a secret of that name {write}")
