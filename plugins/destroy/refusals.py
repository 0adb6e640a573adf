"""What speaks against destroying a deployment, each as one sentence or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .wording import NOUNS, Resources, going

Item = Mapping[str, Any]


def strangers(found: Sequence[Item], tags: Mapping[str, str]) -> str:
    """What others put into the VPC, around which it cannot be deleted."""
    if not found:
        return ""
    named = [f"{NOUNS.get(each['kind'], each['kind'].replace('_', ' '))} {_called(each)}" for each in found]
    wanted = " and ".join(f"{key}={value}" for key, value in tags.items())
    return (
        f"In the deployment's VPC stands what does not have its tags: {_and(named)}. "
        f"Delete or move it, or tag it {wanted} if it is to go too. Nothing was touched."
    )


def losses(resources: Resources, *, lock_bucket: str, recovery_days: int, word: str) -> str:
    """The data that would be gone, and the word that is needed for it."""
    databases = sorted(str(each["name"]) for each in resources.get("instance", ()) if each["role"] == "database")
    buckets = [
        str(each["name"])
        for each in resources.get("bucket", ())
        if not each["empty"] and not each["name"].startswith(lock_bucket)
    ]
    secrets = [str(each["name"]) for each in resources.get("secret", ()) if going(each, recovery_days)]
    lost = [
        *([f"the databases on {_and(databases)} with their volumes"] if databases else []),
        *([f"everything in the {_plural('bucket', buckets)} {_and(buckets)}"] if buckets else []),
        *([f"the {_plural('secret', secrets)} {_and(secrets)}"] if secrets else []),
    ]
    if not lost:
        return ""
    save = "ansible-playbook playbooks/backup_database.yml -e host="
    before = f" Save a database before: {save}{databases[0]}." if databases else ""
    return (
        f"This would lose data: {'; '.join(lost)}.{before} If all of it may go, write -e destroy_data={word}. "
        "Nothing was touched."
    )


def _called(item: Item) -> str:
    return str(item["id"]) if item["name"] in (item["id"], "") else f"{item['name']} ({item['id']})"


def _plural(noun: str, names: Sequence[str]) -> str:
    return noun if len(names) == 1 else f"{noun}s"


def _and(names: Sequence[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} and {last}" if others else last
