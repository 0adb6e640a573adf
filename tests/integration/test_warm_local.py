"""The connection warm_local does what the stock connection local does, in a process that ends with its playbook."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

PROBE = """\
import json, os, sys
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({"fail": {"type": "str"}, "say": {"type": "str"}}, supports_check_mode=True)
if module.params["say"]:
    print(module.params["say"], file=sys.stderr)
umask = os.umask(0)
facts = {
    "umask": umask,
    "cwd": os.getcwd(),
    "environment": {k: v for k, v in os.environ.items() if k.startswith("PROBE_")},
    "path": os.environ["PATH"],
    "stdin": sys.stdin.isatty(),
    "python": sys.version,
    "arguments": sys.argv[1:],
}
if module.params["fail"] == "json":
    module.fail_json(msg="refused", **facts)
if module.params["fail"] == "raise":
    raise ValueError("broken")
if module.params["fail"] == "exit":
    sys.exit(7)
module.exit_json(changed=False, **facts)
"""

WHERE = """\
import os, pathlib
from ansible.module_utils import aws_outcome
from ansible.module_utils.basic import AnsibleModule

parent = pathlib.Path(f"/proc/{os.getppid()}/stat").read_text()
AnsibleModule({}).exit_json(process=os.getpid(), server=int(parent.rsplit(")")[1].split()[1]), utils=aws_outcome.MARK)
"""

# Each task's result must be the same over both connections.
TASKS: list[dict[str, Any]] = [
    {"probe": {}},
    {"probe": {}, "environment": {"PROBE_A": "two words", "PROBE_B": "it's=so; $HOME"}},
    {"probe": {"say": "a word of warning"}},
    {"probe": {"fail": "json"}},
    {"probe": {"fail": "raise"}},
    {"probe": {"fail": "exit"}},
    {"probe": {"unknown": 1}},
    {"ansible.builtin.raw": "echo raw $PROBE_A; echo aside >&2; exit 3", "environment": {"PROBE_A": "here"}},
    {"ansible.builtin.command": "sh -c 'echo out; echo aside >&2; exit 4'"},
    {"ansible.builtin.shell": "head -c 300000 /dev/zero | tr '\\\\0' x"},
    {"ansible.builtin.copy": {"content": "kept\n", "dest": "{{ place }}/copied", "mode": "0640"}},
    {"ansible.builtin.stat": {"path": "{{ place }}/copied", "get_checksum": True}},
    {"ansible.builtin.command": "id -u", "become": True, "become_method": "ansible.builtin.su"},
    {"probe": {}, "vars": {"ansible_python_interpreter": "{{ other_python }}"}},
    {"ansible.builtin.command": "sleep 0.2", "async": 20, "poll": 1},
]
# What differs between two runs of the same task.
VOLATILE = {
    "start",
    "end",
    "delta",
    "ansible_job_id",
    "results_file",
    "started",
    "atime",
    "mtime",
    "ctime",
    "inode",
    "version",
}
VOLATILE |= {"exception", "invocation", "src", "dest", "path"}


class Project:
    """A small checkout with Madang's connection plugin and module_utils, and modules of its own."""

    def __init__(self, root: Path, local_tmp: Path) -> None:
        self.root, self.local_tmp = root, local_tmp
        (root / "library").mkdir(parents=True)
        (root / "library/probe.py").write_text(PROBE)
        (root / "library/where.py").write_text(WHERE)
        shutil.copytree(ROOT / "module_utils", root / "module_utils", ignore=shutil.ignore_patterns("__pycache__"))
        with (root / "module_utils/aws_outcome.py").open("a") as stream:
            stream.write(f"\nMARK = {str(root)!r}\n")
        (root / "ansible.cfg").write_text(
            "[defaults]\nlibrary = library\nmodule_utils = module_utils\n"
            f"connection_plugins = {ROOT / 'plugins/connection'}\nlocalhost_warning = False\n"
            f"local_tmp = {local_tmp}\nremote_tmp = {root / 'remote'}\n[connection]\npipelining = True\n"
        )

    def start(self, tasks: list[dict[str, Any]], connection: str, **variables: str) -> subprocess.Popen[str]:
        # Not as extra variables: a task may choose another interpreter.
        variables["ansible_python_interpreter"] = sys.executable
        play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}
        playbook = self.root / f"{connection}.json"
        playbook.write_text(json.dumps([play]))
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "AWS_"))}
        return subprocess.Popen(
            [sys.executable, "-m", "ansible", "playbook", "-c", connection, "-i", "localhost,", playbook],
            cwd=self.root,
            env=environment | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
            umask=0o027,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def results(self, tasks: list[dict[str, Any]], connection: str, **variables: str) -> list[dict[str, Any]]:
        process = self.start(tasks, connection, **variables)
        output, errors = process.communicate(timeout=120)
        assert output.startswith("{"), output + errors
        found = json.loads(output)["plays"][0]["tasks"]
        return [task["hosts"]["localhost"] for task in found]


@pytest.fixture
def project(tmp_path: Path, short_path: Path) -> Project:
    return Project(tmp_path / "project", short_path)


def steady(value: Any) -> Any:
    """A result without what differs between two runs anyway."""
    if isinstance(value, dict):
        return {key: steady(item) for key, item in value.items() if key not in VOLATILE}
    return value


def other_python(root: Path) -> str:
    """Another interpreter by its name, with the same libraries."""
    path = root / "other-python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_every_task_has_the_result_that_the_stock_connection_gives(project: Project, tmp_path: Path) -> None:
    found = {}
    tasks = [{**task, "ignore_errors": True} for task in TASKS]
    for connection in ("local", "warm_local"):
        place = tmp_path / connection
        place.mkdir()
        found[connection] = project.results(tasks, connection, place=str(place), other_python=other_python(tmp_path))
    assert len(found["local"]) == len(TASKS)
    for task, stock, warm in zip(TASKS, found["local"], found["warm_local"], strict=True):
        assert steady(warm) == steady(stock), task
    # The tasks did what they are there for.
    assert [bool(result.get("failed")) for result in found["local"]] == [
        *(False, False, False, True, True, True, True, True, True),
        *(False, False, False, False, False, False),
    ]
    assert found["warm_local"][0]["umask"] == 0o027
    assert found["warm_local"][1]["environment"] == {"PROBE_A": "two words", "PROBE_B": "it's=so; $HOME"}


def test_modules_take_the_checkouts_own_module_utils_and_are_forks_of_one_process(
    project: Project, tmp_path: Path
) -> None:
    cold = {"where": {}, "vars": {"ansible_python_interpreter": other_python(tmp_path)}}
    first, second, third = project.results([{"where": {}}, {"where": {}}, cold], "warm_local")
    assert {first["utils"], second["utils"], third["utils"]} == {str(project.root)}
    assert first["server"] == second["server"] != third["server"]
    assert first["process"] != second["process"]


def servers(root: Path) -> set[Path]:
    """Sockets below ``root`` of the warm servers that run, by the command lines of theirs and of their forks."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        for word, following in itertools.pairwise(words):
            if word.endswith("plugins/warm/server.py") and following.startswith(f"{root}/"):
                found.add(Path(following))
    return found


HELD = [
    {"probe": {}},
    {"ansible.builtin.command": "touch {{ held }}"},
    {"ansible.builtin.wait_for": {"path": "{{ held }}.go", "timeout": 60, "sleep": 1}},
]


def await_path(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def await_servers(root: Path, count: int) -> None:
    deadline = time.monotonic() + 10
    while len(servers(root)) != count:
        assert time.monotonic() < deadline, "a server outlived its playbook"
        time.sleep(0.02)


def test_two_playbooks_have_a_server_each_which_ends_with_them(project: Project, tmp_path: Path) -> None:
    runs = []
    try:
        for name in ("one", "two"):
            held = tmp_path / name
            runs.append((held, project.start(HELD, "warm_local", held=str(held))))
            await_path(*runs[-1])
        found = servers(project.local_tmp)
        assert len(found) == 2
        for path in found:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        held, process = runs[0]
        held.with_name("one.go").touch()
        assert process.wait(60) == 0
        await_servers(project.local_tmp, 1)
        runs[1][0].with_name("two.go").touch()
        assert runs[1][1].wait(60) == 0
        await_servers(project.local_tmp, 0)
        assert list(project.local_tmp.glob("*/warm.sock")) == []
    finally:
        for _, process in runs:
            if process.poll() is None:
                process.kill()
            process.communicate()


def test_the_server_of_a_playbook_that_is_gone_already_ends(short_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    path = short_path / "warm.sock"
    command = [sys.executable, str(ROOT / "plugins/warm/server.py"), str(path), str(gone.pid), "1"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, path.exists()) == (0, "1", False)
