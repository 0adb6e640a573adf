"""The action ``verify_report``: asks the front, holds everything against the promises, and shows the result.

Arguments: ``configuration`` (the role's verify_configuration), ``deployment`` (of ec2_deployment_info), ``urls`` (what
to ask, each with name, url, wanted status and, for the bucket, ``direct``), ``directory`` (where verify.html and
verify.json go), ``patience`` (seconds that an address may take until it answers as promised). Each host's
``verify_probe`` is read from its variables. Fails when a promise is broken, with a sentence for each.
"""

from __future__ import annotations

import json
import runpy
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible.plugins.action import ActionBase

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]
SECONDS_A_TRY = 10


class ActionModule(ActionBase):  # type: ignore[misc]  # the base has no types
    _requires_connection = False
    _VALID_ARGS = frozenset(("configuration", "deployment", "urls", "directory", "patience"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        verify = load("verify")
        asked = self._task.args
        wanted = verify.read(asked["configuration"])
        found = verify.Found(asked["deployment"], wanted.prefix)
        front = ask_all(asked["urls"], float(asked["patience"]))
        places = ["localhost", *(host.name for host in wanted.hosts)]
        answers = {("outside" if place == "localhost" else place): answer(task_vars, place) for place in places}
        promises = verify.held(wanted, found, {key: value for key, value in answers.items() if value}, front)
        self._display.display(verify.terminal.render(promises, colour=sys.stdout.isatty()))
        broken = verify.terminal.sentences(promises)
        if not self._task.check_mode:
            when = datetime.now(UTC)
            page = verify.page.render(wanted, found, promises, when=f"{when:%-d %B %Y, %H:%M} UTC")
            result["page"] = write(Path(asked["directory"]), page, verify.as_json(promises), when)
            self._display.display(f"The same as a page: {result['page']}")
        if broken:
            what = "A promise is broken" if len(broken) == 1 else f"{len(broken)} promises are broken"
            result |= {"failed": True, "msg": f"{what}, each named in a sentence above."}
        return result


def answer(task_vars: Mapping[str, Any], place: str) -> dict[str, Any] | None:
    """What the probe on a host said; None where none ran."""
    known = task_vars["hostvars"]
    # Ansible raises for a host that the inventory does not have, as of one that is terminated.
    probe = known[place].get("verify_probe") if place in known else None
    if not probe or probe.get("skipped"):
        return None
    if probe.get("unreachable"):
        return {"problem": "it cannot be reached by SSH"}
    try:
        said: dict[str, Any] = json.loads(probe.get("stdout", ""))
    except ValueError:
        last = str(probe.get("stderr") or probe.get("msg") or "it says nothing").strip().splitlines()[-1]
        return {"problem": last}
    return said


def ask_all(urls: Sequence[Mapping[str, Any]], patience: float) -> list[dict[str, Any]]:
    """Each with the ``status`` that it answered, or None."""
    with ThreadPoolExecutor(max(len(urls), 1)) as pool:
        return list(pool.map(lambda each: {**each, "status": ask(each["url"], int(each["wanted"]), patience)}, urls))


def ask(url: str, wanted: int, patience: float) -> int | None:
    """The status of a GET, asked again until it is the wanted one or patience ends."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(url, timeout=SECONDS_A_TRY) as got:  # noqa: S310 — the inventory's own URL
                status: int | None = got.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = None
        if status == wanted or time.monotonic() > deadline:
            return status
        time.sleep(0.5)


def write(directory: Path, page: str, promises: Sequence[Mapping[str, Any]], when: datetime) -> str:
    """Write verify.html and verify.json, and return the page's path."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / "verify.html"
    path.write_text(page)
    data = {"asked_at": when.isoformat(timespec="seconds"), "promises": promises}
    path.with_suffix(".json").write_text(json.dumps(data, indent=2) + "\n")
    return str(path)
