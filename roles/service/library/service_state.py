#!/usr/bin/python
"""Tell what a host has of a service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_state
short_description: Tell what a host has of a service, in one question
description:
  - Everything that the service role needs to know to leave an unchanged host alone. Changes nothing.
author: The Madang authors
options:
  name:
    description: The service's name.
    type: str
    required: true
  credentials:
    description: SHA-256 of each secret that the service should have, hexadecimal, by its name.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: It only reads.
"""

EXAMPLES = r"""
- name: See what runs
  service_state:
    name: backend
  register: service__found
"""

RETURN = r"""
python:
  description: Version of the host's Python, such as C(3.13).
  type: str
  returned: always
machine:
  description: The host's architecture, such as C(x86_64).
  type: str
  returned: always
current:
  description: The release that C(current) points at, or null.
  type: str
  returned: always
previous:
  description: The release before it, or null.
  type: str
  returned: always
releases:
  description: The releases that are there as a whole, the one used last first.
  type: list
  elements: str
  returned: always
running:
  description: Whether the current release is what systemd runs, and starts at boot.
  type: bool
  returned: always
credentials_match:
  description: Whether the host has exactly the secrets asked for, for root alone.
  type: bool
  returned: always
"""

import hashlib
import platform
import stat
import sys
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.service_host import Layout, Systemd, complete_releases, content, linked


def is_running(layout: Layout, systemd: Systemd, current: str | None) -> bool:
    """Whether the unit that is installed is the current release's, active, enabled and known to systemd."""
    if current is None:
        return False
    installed = content(layout.unit)
    if installed is None or installed != content(layout.release(current) / layout.unit.name):
        return False
    state = systemd.show(layout.unit.name)
    return (state.get("ActiveState"), state.get("UnitFileState"), state.get("NeedDaemonReload")) == (
        "active",
        "enabled",
        "no",
    )


def credentials_match(directory: Path, wanted: dict[str, str]) -> bool:
    """Whether the directory holds exactly the wanted secrets, each readable by root alone."""
    names = {path.name for path in directory.iterdir()} if directory.is_dir() else set()
    if names != set(wanted):
        return False
    return all(
        hashlib.sha256((directory / name).read_bytes()).hexdigest() == digest
        and stat.S_IMODE((directory / name).stat().st_mode) == 0o600
        for name, digest in wanted.items()
    )


def main() -> None:
    """Ansible's way in."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            # Digests of secrets tell nothing as long as the secrets are long, and that is the user's choice.
            "credentials": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    layout = Layout(module.params["name"])
    current = linked(layout.base / "current")
    module.exit_json(
        changed=False,
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        machine=platform.machine(),
        current=current,
        previous=linked(layout.base / "previous"),
        releases=complete_releases(layout),
        running=is_running(layout, Systemd(), current),
        credentials_match=credentials_match(layout.credentials, module.params["credentials"]),
    )


if __name__ == "__main__":
    main()
