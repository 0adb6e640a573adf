"""Filters for the role destroy; plugins/destroy decides."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]


def destroy_list(resources: Mapping[str, Sequence[Mapping[str, Any]]], recovery_days: int) -> str:
    """What would be deleted, a line a thing; empty where there is nothing."""
    return "\n".join(load("destroy").rows(resources, recovery_days))


def destroy_plan(resources: Mapping[str, Sequence[Mapping[str, Any]]], recovery_days: int) -> list[str]:
    """The same as a plan's sentences."""
    found: list[str] = load("destroy").plan(resources, recovery_days)
    return found


def destroy_strangers(strangers: Sequence[Mapping[str, Any]], tags: Mapping[str, str]) -> str:
    """Why the VPC cannot be deleted, or nothing."""
    return str(load("destroy").strangers(strangers, tags))


def destroy_losses(
    resources: Mapping[str, Sequence[Mapping[str, Any]]], lock_bucket: str, recovery_days: int, word: str
) -> str:
    """What data would be lost, or nothing."""
    return str(load("destroy").losses(resources, lock_bucket=lock_bucket, recovery_days=recovery_days, word=word))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "destroy_list": destroy_list,
            "destroy_plan": destroy_plan,
            "destroy_strangers": destroy_strangers,
            "destroy_losses": destroy_losses,
        }
