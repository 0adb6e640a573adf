"""MySQL's schemas and users, and the secrets of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import hosts, settings
from .databases import ALL_SCHEMAS, merged
from .words import listed
from .work import Work

# A user, and the server and the schema on which it has privileges.
Grant = tuple[str, str, str]

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
    named = [one.name for part in work.settings.values() for one in part.connections if one.name]
    name = answer or next(iter([*named, *schemas]), "")
    if not name:
        work.ask("Nothing says what the schema is called; write -e compose_database_name=NAME.")
    grants = _granted(work, name)
    used: dict[str, list[Grant]] = {}
    for part, found in work.settings.items():
        for key in OF_THE_USER:
            work.plan.variables.pop(f"{part}_{key}", None)
        own = found.connections or [settings.Connection(work.source)]
        for connection in own:
            grant = _used(work, part, connection, own[0], grants, name)
            used.setdefault(part, []).append(grant)
            if grant not in grants:
                grants[grant] = "ALL"
                work.decide(f"MySQL's user {grant[0]} may do everything in {grant[2]}: nothing in the file says less.")
        work.set(**{f"{part}_database_user": used[part][0][0]})
    users = list(dict.fromkeys(user for user, _, _ in grants))
    # Whoever connects is told where the first record of its user is.
    first = {own[0] for own in used.values()}
    ordered = sorted(grants, key=lambda grant: (users.index(grant[0]), grant not in first))
    for part, own_grants in used.items():
        user, server, schema = own_grants[0]
        if next(grant for grant in ordered if grant[0] == user) != own_grants[0]:
            work.set(**{f"{part}_database_host": hosts.host_name(server), f"{part}_database_name": schema})
    work.set(
        mysql_source=hosts.host_name(work.source),
        mysql_database=name,
        mysql_databases=_schemas(work, name, ordered),
        mysql_users=[_user(work, grant, grants[grant], name) for grant in ordered],
        mysql_secrets=_mysql_secrets(users),
    )
    work.decide(
        f"The schema is {name}, and MySQL's users are {listed(users, 'and')}, with passwords that "
        "Secrets Manager generates."
    )


def _server(work: Work, server: str) -> str:
    """Where what is done on a server has to be done: a replica has what its source has."""
    return work.source if work.plan.variables["mysql_topology"] == "replication" else server


def _granted(work: Work, name: str) -> dict[Grant, str]:
    """The privileges that the servers' settings and scripts grant."""
    grants: dict[Grant, str] = {}
    for server in work.servers.values():
        for (user, schema), privileges in server.grants.items():
            own = server.schemas or [name]
            for one in own if schema == ALL_SCHEMAS else [schema or own[0]]:
                grant = (user, _server(work, server.name), one)
                grants[grant] = merged(grants.get(grant, ""), privileges)
    return grants


def _used(
    work: Work,
    part: str,
    connection: settings.Connection,
    first: settings.Connection,
    grants: Mapping[Grant, str],
    name: str,
) -> Grant:
    """What a connection needs; where it does not say its user, or its schema, the nearest that the file says."""
    said = connection.user or ("" if connection.password else first.user)
    user = part if said in ("", "root") else said
    server = _server(work, connection.host)
    granted = [schema for whose, where, schema in grants if (whose, where) == (user, server)]
    nearest = [connection.name, *granted, *work.servers[server].schemas]
    return user, server, next((schema for schema in nearest if schema), name)


def _host(work: Work, server: str) -> dict[str, str]:
    """Where independent servers are concerned, the one that is meant; elsewhere all follow the source."""
    independent = work.plan.variables["mysql_topology"] == "independent"
    return {"host": hosts.host_name(server)} if independent and server != work.source else {}


def _schemas(work: Work, name: str, grants: Iterable[Grant]) -> list[dict[str, str]]:
    places = [(schema, _server(work, server.name)) for server in work.servers.values() for schema in server.schemas]
    places += [(schema, server) for _, server, schema in grants]
    found: dict[str, str] = {}
    for schema, server in dict.fromkeys(places):
        if found.setdefault(schema, server) != server:
            work.ask(
                f"{found[schema]} and {server} are independent and have a schema {schema} each, and mysql_databases "
                f"has each name once; write another MYSQL_DATABASE for {server}."
            )
    others = [{"name": schema} | _host(work, server) for schema, server in found.items() if schema != name]
    return [{"name": "{{ mysql_database }}"} | _host(work, found.get(name, work.source)), *others]


def _user(work: Work, grant: Grant, privileges: str, name: str) -> dict[str, str]:
    user, server, schema = grant
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
