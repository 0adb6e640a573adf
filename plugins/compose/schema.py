"""MySQL's schemas and users, and the secrets of both."""

from __future__ import annotations

from collections.abc import Mapping

from . import hosts, settings
from .words import listed
from .work import Work

# Where a service's user is says them: mysql_users has its database and its host.
OF_THE_USER = ("database_host", "database_name", "database_user")


def users(work: Work) -> None:
    """The schema, its users, and the secrets of both."""
    servers = work.servers
    schemas = list(dict.fromkeys(schema for server in servers.values() for schema in server.schemas))
    schemas += [
        one.name for part in work.settings.values() for one in part.connections if one.name and one.name not in schemas
    ]
    answer = work.answers.get("database_name")
    used = [one.name for part in work.settings.values() for one in part.connections if one.name]
    name = answer or next(iter([*used, *schemas]), "")
    if not name:
        work.ask("Nothing says what the schema is called; write -e compose_database_name=NAME.")
    users = {user: privileges for server in servers.values() for user, privileges in server.users.items()}
    places = {
        user: (schema, server.name)
        for server in servers.values()
        for user in server.users
        for schema in server.schemas[:1]
    }
    for part, found in work.settings.items():
        for key in OF_THE_USER:
            work.plan.variables.pop(f"{part}_{key}", None)
        for connection in found.connections or [settings.Connection(work.source)]:
            known = part if connection.user in ("", "root") else connection.user
            places[known] = (connection.name or places.get(known, (name,))[0], connection.host)
            if known not in users:
                users[known] = "ALL"
                work.decide(
                    f"MySQL's user {known} may do everything in {places[known][0]}: nothing in the file says less."
                )
        first = next(iter(found.connections), None)
        work.set(**{f"{part}_database_user": part if first is None or first.user in ("", "root") else first.user})
    work.set(
        mysql_source=hosts.host_name(work.source),
        mysql_database=name,
        mysql_databases=_schemas(work, name, places),
        mysql_users=[
            _user(work, user, privileges, name, *places.get(user, (name, work.source)))
            for user, privileges in users.items()
        ],
        mysql_secrets=_mysql_secrets(list(users)),
    )
    work.decide(
        f"The schema is {name}, and MySQL's users are {listed(users, 'and')}, with passwords that "
        "Secrets Manager generates."
    )


def _host(work: Work, server: str) -> dict[str, str]:
    """Where independent servers are concerned, the one that is meant; elsewhere all follow the source."""
    independent = work.plan.variables["mysql_topology"] == "independent"
    return {"host": hosts.host_name(server)} if independent and server != work.source else {}


def _schemas(work: Work, name: str, places: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    found = {schema: server.name for server in work.servers.values() for schema in server.schemas}
    found |= dict(places.values())
    others = [{"name": schema} | _host(work, server) for schema, server in found.items() if schema != name]
    return [{"name": "{{ mysql_database }}"} | _host(work, found.get(name, work.source)), *others]


def _user(work: Work, user: str, privileges: str, name: str, schema: str, server: str) -> dict[str, str]:
    database = {"database": schema} if schema != name else {}
    return {"name": user, "privileges": privileges} | database | _host(work, server)


def _mysql_secrets(users: list[str]) -> list[dict[str, str]]:
    prefix = "{{ project_prefix }}"
    authority = {
        "name": "mysql-ca",
        "generate": "certificate_authority",
        "description": f"Certificate authority of {prefix}'s MySQL servers",
    }
    return [authority] + [
        {"name": f"mysql-user-{user}", "description": f"MySQL user {user} of {prefix}"}
        for user in ["replication", *users]
    ]
