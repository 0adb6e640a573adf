"""Small words that the parts share: the user's answers, lists in sentences, what a value names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

# Every -e compose_… there is.
VARIABLES = {
    "compose": "the compose file",
    "compose_overwrite": "true, to replace what somebody has changed",
    "compose_profiles": "profiles whose services are taken along, with commas",
    "compose_project_name": "the project's name",
    "compose_frontend": "the frontend's service",
    "compose_backend": "the backend's service",
    "compose_collector": "the collector's service, or none",
    "compose_databases": "the databases' services, with a comma",
    "compose_database_name": "the schema",
    "compose_backend_port": "the port that the backend listens on",
    "compose_backend_runtime": "python, nodejs, java or binary",
    "compose_backend_command": "the command that runs the backend",
    "compose_collector_runtime": "python, nodejs, java or binary",
    "compose_collector_command": "the command that runs the collector",
    "compose_frontend_output": "the directory that the frontend is built into",
}

# How variables end that say where something is.
HOST_SUFFIX = re.compile(r"_?(HOST|HOSTNAME|SERVER|ADDRESS|ADDR|JDBC_URL|URL|URI|DSN|ENDPOINT)$", re.I)


@dataclass(frozen=True)
class Answers:
    """What the user has said with -e compose_…, by what stands after ``compose_``."""

    values: Mapping[str, str]

    def get(self, name: str) -> str:
        return str(self.values.get(name) or "")

    def words(self, name: str) -> list[str]:
        return [word for word in re.split(r"[,\s]+", self.get(name)) if word]

    def mistakes(self) -> list[str]:
        """Answers to questions that nobody asks."""
        return [
            f"compose_{name} is no variable of this playbook; write "
            f"{next(iter(get_close_matches(f'compose_{name}', VARIABLES, n=1)), 'one of ' + listed(VARIABLES))}."
            for name in self.values
            if f"compose_{name}" not in VARIABLES
        ]


def listed(names: Iterable[str], last: str = "or") -> str:
    """``a, b or c``."""
    words = list(names)
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else words[0] if words else "nothing"


def names_host(value: str, host: str) -> bool:
    """Whether a setting's value is that host, or an address on it: ``db``, ``db:3306``, ``mysql://u:p@db/x``."""
    name = re.escape(host)
    return bool(re.fullmatch(rf"{name}(:\d+)?", value) or re.search(rf"(//|@|\(){name}(?=[:/?)]|$)", value))
