"""A run of site.yml against an API alone: what it says, what it would do, and what it asks of AWS."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from lab.api.calls import Call
from tests.conftest import ROOT


@dataclass(frozen=True)
class Done:
    """A run: its status, what it printed, its plan, the API's calls, and those that change something."""

    status: int
    output: str
    plan: list[dict[str, Any]] = field(default_factory=list)
    mutating: list[str] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)

    def entries(self, kind: str) -> dict[str, dict[str, Any]]:
        return {entry["name"]: entry for entry in self.plan if entry["kind"] == kind}


@dataclass(frozen=True)
class Play:
    """Runs site.yml against an API of its own, without what needs hosts."""

    url: str
    directory: Path

    def __call__(self, *arguments: str, skip: str = "hosts") -> Done:
        urllib3.request("DELETE", f"{self.url}/_lab/requests", timeout=60)
        told = self.directory / "plan.json"
        told.unlink(missing_ok=True)
        done = subprocess.run(
            [
                *(str(ROOT / ".venv/bin/ansible-playbook"), "site.yml", "--skip-tags", skip),
                *("-e", f"project_state_directory={self.directory / 'state'}", *arguments),
            ],
            cwd=ROOT,
            env={**os.environ, "AWS_ENDPOINT_URL": self.url, "MADANG_PLAN_FILE": str(told)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        counts = urllib3.request("GET", f"{self.url}/_lab/requests", timeout=60).json()
        calls = [Call(service, action, "", "", "", "") for service, found in counts.items() for action in found]
        # S3's object data does not count as a change of the world for the lab; here it does.
        writes = [call for call in calls if call.mutating or call.action.startswith(("Put", "Delete"))]
        plan = json.loads(told.read_text())["entries"] if told.exists() else []
        return Done(
            done.returncode,
            done.stdout,
            plan,
            [f"{call.service} {call.action}" for call in writes],
            {f"{call.service}:{call.action}" for call in calls},
        )
