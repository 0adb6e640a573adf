#!/usr/bin/python
"""Switch a service to a release, and return to the one before if it does not become healthy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_switch
short_description: Switch a service to a release, and return to the one before if it does not become healthy
description:
  - Runs the release's migration, once; installs its unit; restarts; waits until it is healthy; points C(current) at it.
  - If it does not become healthy, the release before it is put back, started and awaited, and the task fails with one
    message and the service's last log lines. All of that happens on the host, so it also happens when the control
    machine goes away in the middle.
  - A migration that fails interrupts nothing; the old release keeps running.
  - Restarts also when O(release) is what runs already. Whether that is needed is for the caller to decide.
author: The Madang authors
options:
  name:
    description: The service's name.
    type: str
    required: true
  release:
    description: The release to run; it must be on the host as a whole.
    type: str
    required: true
  health_url:
    description: An address, asked from the host itself, that answers 200 when the service is healthy.
    type: str
    default: ""
  health_command:
    description:
      - A command that exits 0 when the service is healthy. It runs in the service's directory and environment, as its
        user, but has no secrets.
    type: str
    default: ""
  health_timeout:
    description: Seconds to wait until the service is healthy.
    type: float
    default: 60
  health_stable:
    description: Seconds that the service must have run without a restart, besides what the other checks say.
    type: float
    default: 2
attributes:
  check_mode:
    support: full
    description: It says what it would switch from and to.
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Switch to the release
  service_switch:
    name: backend
    release: 3f2a9c41d07e
    health_url: http://127.0.0.1:8000/api/health
"""

RETURN = r"""
release:
  description: The release that is to run; after a failure, the one that ran before, or null.
  type: str
  returned: always
previous:
  description: The release that ran before, or null.
  type: str
  returned: always
"""

import pwd
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.service_host import MARKER, Layout, Systemd, content, linked, point, put

LOG_LINES = 15
POLL = 0.2
"""Seconds between two looks at a service that is starting."""
HOPELESS_RESTARTS = 3
"""A service that systemd had to start again this often will not become healthy by waiting."""


class SwitchError(Exception):
    """The release did not become what it should; ``log`` holds its last lines."""

    def __init__(self, reason: str, log: list[str]) -> None:
        super().__init__(reason)
        self.log = log


@dataclass(frozen=True)
class Health:
    """What a healthy service shows. Times in seconds."""

    url: str = ""
    command: str = ""
    timeout: float = 60
    stable: float = 2


@dataclass(frozen=True)
class Switcher:
    """One service on this host."""

    layout: Layout
    systemd: Systemd
    health: Health
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def switch(self, release: str) -> None:
        """Run ``release``; on failure return to the release before and raise SwitchError."""
        before = linked(self.layout.base / "current")
        self._migrate(release)
        try:
            self._start(release)
        except SwitchError as error:
            raise SwitchError(f"{error} {self._return_to(before, release)}", error.log) from error
        # Only now: a switch that is cut short leaves the old link beside the new unit, and is done again.
        if before not in (None, release):
            point(self.layout.base / "previous", str(before))
        point(self.layout.base / "current", release)
        (self.layout.release(release) / MARKER).touch()  # its age decides which releases are kept

    def _migrate(self, release: str) -> None:
        """Run the release's migration, if it has one and it has not yet run."""
        unit = content(self.layout.release(release) / self.layout.migrate_unit.name)
        done = self.layout.release(release) / ".migrated"
        if unit is None or done.exists():
            return
        put(self.layout.migrate_unit, unit)
        began = time.time()
        self.systemd.run(["systemctl", "daemon-reload"])
        ended = self.systemd.run(["systemctl", "start", self.layout.migrate_unit.name])
        if ended.returncode:
            raise SwitchError(
                f"The migration of release {release} failed; the service was left as it was.",
                self.systemd.log(self.layout.migrate_unit.name, LOG_LINES, began),
            )
        done.touch()

    def _start(self, release: str) -> None:
        """Install and start the release's unit, and wait until it is healthy."""
        unit = self.layout.unit.name
        new = content(self.layout.release(release) / unit)
        if new is None:
            raise SwitchError(f"Release {release} has no {unit}.", [])
        put(self.layout.unit, new)
        began = time.time()
        self.systemd.run(["systemctl", "daemon-reload"])
        self.systemd.run(["systemctl", "reset-failed", unit])
        for command in (["systemctl", "enable", "--quiet", unit], ["systemctl", "restart", unit]):
            done = self.systemd.run(command)
            if done.returncode:
                raise SwitchError(
                    f"Release {release} did not start: {done.stderr.strip()}.",
                    self.systemd.log(unit, LOG_LINES, began),
                )
        ill = self._await(release)
        if ill is not None:
            raise SwitchError(
                f"Release {release} did not become healthy: {ill}.", self.systemd.log(unit, LOG_LINES, began)
            )

    def _await(self, release: str) -> str | None:
        """Wait until the service is healthy; return what is wrong with it if it does not become so."""
        began = self.clock()
        while True:
            state = self.systemd.show(self.layout.unit.name)
            ill = unit_illness(state) or self._illness(release)
            if ill is None and self.clock() - began >= self.health.stable:
                return None
            if hopeless(state):
                return ill
            if self.clock() - began > max(self.health.timeout, self.health.stable):
                return f"{ill} after {self.health.timeout:g} s"
            self.sleep(POLL)

    def _illness(self, release: str) -> str | None:
        if self.health.url:
            return url_illness(self.health.url)
        if self.health.command:
            return command_illness(self.layout, release, self.health.command)
        return None

    def _return_to(self, before: str | None, release: str) -> str:
        """Put the release before back; return a sentence that says how it went."""
        if before is None:
            return "There is no release to return to."
        if before == release:
            return "It is the release that ran before, so there is none to return to; see its secrets and its needs."
        try:
            self._start(before)
        except SwitchError as error:
            return f"Returned to release {before}, but: {error}"
        return f"Returned to release {before}, which is healthy."


def unit_illness(state: dict[str, str]) -> str | None:
    """Return what is wrong with a unit, from systemd's account of it."""
    restarts = int(state.get("NRestarts") or 0)
    if state.get("ActiveState") == "active" and restarts == 0:
        return None
    if restarts:
        return "it ended and was started again" + (f" {restarts} times" if restarts > 1 else "")
    return f"systemd says that it is {state.get('ActiveState')} ({state.get('SubState')})"


def hopeless(state: dict[str, str]) -> bool:
    """Whether waiting longer is in vain."""
    return state.get("ActiveState") == "failed" or int(state.get("NRestarts") or 0) >= HOPELESS_RESTARTS


def url_illness(url: str) -> str | None:
    """Ask the address; return what is wrong with the answer, or None when it is 200."""
    try:
        # Without a proxy: this is the host asking itself.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            return None if answer.status == 200 else f"{url} answers {answer.status}"
    except urllib.error.HTTPError as error:
        error.close()
        return f"{url} answers {error.code}"
    except (OSError, HTTPException) as error:
        return f"{url} does not answer ({getattr(error, 'reason', error)})"


def command_illness(layout: Layout, release: str, command: str) -> str | None:
    """Run the command as the service's user; return what is wrong, or None when it exits 0."""
    directory = layout.release(release)
    account = pwd.getpwnam(layout.name)
    environment = {
        "PATH": f"{directory}/lib/bin:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": f"{directory}/app:{directory}/lib",
        "PYTHONDONTWRITEBYTECODE": "1",
        "RUNTIME_DIRECTORY": f"/run/{layout.name}",
    }
    try:
        done = subprocess.run(
            shlex.split(command),
            cwd=directory / "app",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"`{command}` failed: {error}"
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"`{command}` exits {done.returncode}" + (f", saying: {said[-1]}" if said else "")


def main() -> None:
    """Ansible's way in."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "release": {"type": "str", "required": True},
            "health_url": {"type": "str", "default": ""},
            "health_command": {"type": "str", "default": ""},
            "health_timeout": {"type": "float", "default": 60},
            "health_stable": {"type": "float", "default": 2},
        },
        supports_check_mode=True,
    )
    given = module.params
    layout = Layout(given["name"])
    before = linked(layout.base / "current")
    diff = {"before": f"release: {before}\n", "after": f"release: {given['release']}\n"}
    result = {"changed": True, "previous": before, "release": given["release"], "diff": diff}
    if module.check_mode:
        module.exit_json(**result)
    if not (layout.release(given["release"]) / MARKER).is_file():
        module.fail_json(f"Release {given['release']} of {given['name']} is not on this host as a whole.", **result)
    health = Health(given["health_url"], given["health_command"], given["health_timeout"], given["health_stable"])
    try:
        Switcher(layout, Systemd(), health).switch(given["release"])
    except SwitchError as error:
        result["release"] = before
        log = "\n".join(error.log) or "(none)"
        module.fail_json(f"{given['name']}: {error} The failed release's last log lines:\n{log}", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
