"""The filter that says what a place tries; plugins/verify decides."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]


def verify_questions(configuration: Mapping[str, Any], place: str) -> list[list[Any]]:
    """What a host tries: ``[name, port, must get through]`` each."""
    verify = load("verify")
    questions: list[list[Any]] = verify.packets.questions(verify.read(configuration), place)
    return questions


def verify_outside_questions(
    configuration: Mapping[str, Any], deployment: Mapping[str, Any], private: bool
) -> list[list[Any]]:
    """What the outside tries: public addresses, and with ``private`` the hosts' own too."""
    verify = load("verify")
    wanted = verify.read(configuration)
    questions: list[list[Any]] = verify.outside_questions(
        wanted, verify.Found(deployment, wanted.prefix), private=private
    )
    return questions


def verify_front(paths: Sequence[Mapping[str, Any]], site: str) -> list[dict[str, Any]]:
    """What to ask CloudFront for: each path with its address and the status that it must answer."""
    return [{"name": each["path"], "url": f"{site}{each['path']}", "wanted": each["status"]} for each in paths]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "verify_questions": verify_questions,
            "verify_outside_questions": verify_outside_questions,
            "verify_front": verify_front,
        }
