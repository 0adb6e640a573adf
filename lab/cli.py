"""The command ``lab``: start, end and look into the lab."""

from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lab import control, guard, kernel, machine_lock, outside, preflight, report
from lab.edge import server as edge
from lab.functions import runner as functions
from lab.machines import image, runner
from lab.network import apply, names
from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Settings, from_environment

START_SECONDS = 30.0
STOP_SECONDS = 60.0


class Failed(RuntimeError):
    """The command cannot do what it was asked; its text says why and what to do."""


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def machine_networks() -> list[str]:
    """The IPv4 networks that the machine itself uses, from its addresses and routes."""
    if sys.platform != "linux":
        return []
    routes = json.loads(kernel.run(["ip", "-json", "-4", "route", "show", "table", "main"]))
    addresses = json.loads(kernel.run(["ip", "-json", "-4", "address"]))
    networks = [route["dst"] for route in routes if route["dst"] != "default"]
    networks += [f"{info['local']}/{info['prefixlen']}" for link in addresses for info in link["addr_info"]]
    return networks


def project_root() -> Path:
    """The checkout that this package stands in."""
    return Path(__file__).resolve().parent.parent


def settings_here() -> Settings:
    used = machine_networks() if preflight.no_hosts_reason() is None else []
    return from_environment(project_root(), used=used)


def status_of(settings: Settings) -> dict[str, Any]:
    return control.ask(settings.control_socket, "status")


def up(settings: Settings, _arguments: argparse.Namespace) -> None:
    try:
        status = status_of(settings)
    except control.NotRunning:
        pass
    else:
        say(f"The lab runs already (API at {status['endpoint_url']})")
        return
    if sentence := preflight.problem(settings):
        raise Failed(sentence)
    api_only = bool(reason := preflight.no_hosts_reason())
    if not api_only:
        machine_lock.take(settings.root).close()  # refuse before anything is built
    if api_only:
        say(f"No hosts here, since {reason}: this is the API-only lab")
    else:
        image.ensure(settings, say)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    say("Starting the lab")
    start(settings, api_only=api_only)


def start(settings: Settings, *, api_only: bool) -> None:
    """Start the daemon and return when it answers; raise Failed with its log's end when it does not."""
    output = settings.state / "daemon.out"
    with output.open("wb") as stream:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "lab", *(["--api-only"] if api_only else [])],
            cwd=settings.root,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            status_of(settings)
        except control.NotRunning:
            if daemon.poll() is not None or time.monotonic() > deadline:
                last = "\n".join(output.read_text(errors="replace").splitlines()[-5:])
                raise Failed(f"The lab did not start. Its last words:\n{last}") from None
            time.sleep(0.05)
        else:
            return


def down(settings: Settings, _arguments: argparse.Namespace) -> None:
    has_hosts = preflight.no_hosts_reason() is None
    try:
        found = status_of(settings)
    except control.NotRunning:
        say("The lab is not running")
    else:
        say("Ending the lab")
        has_hosts = not found["api_only"]
        os.kill(found["pid"], signal.SIGTERM)
        await_end(found["pid"])
    # What a killed lab may have left.
    edge.sweep(settings)
    if has_hosts:
        with machine_lock.take(settings.root):
            runner.sweep(settings)
            functions.sweep(settings)
            apply.sweep()
            guard.remove()
    shutil.rmtree(settings.state, ignore_errors=True)


def await_end(pid: int) -> None:
    """Wait until a process is gone, by its pidfd; end it the hard way when it takes too long."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([descriptor], [], [], STOP_SECONDS)[0]:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [])
    finally:
        os.close(descriptor)


def status(settings: Settings, arguments: argparse.Namespace) -> None:
    found = report.complete(status_of(settings))
    if not found["api_only"] and os.geteuid() == 0:
        found["guard"] = guard.check()
    print(json.dumps(found, indent=2) if arguments.json else report.render(found))
    if found.get("guard") or found["problem"]:
        raise SystemExit(1)


def summary(settings: Settings, _arguments: argparse.Namespace) -> None:
    print(report.summary(report.complete(status_of(settings))))


def needs_sudo(user: int, lab: Path) -> bool:
    """Whether the lab with this state directory is root's, and ``user`` is not."""
    marker = lab / "daemon.out"
    return user != 0 and marker.exists() and marker.stat().st_uid == 0


def become_root(settings: Settings) -> None:
    """Run the same command again by sudo, where it takes root: its namespaces and its logs are root's."""
    if needs_sudo(os.geteuid(), settings.state):
        replace_process(["sudo", "--preserve-env", *sys.argv])


def execute(settings: Settings, arguments: argparse.Namespace) -> None:
    command: list[str] = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise Failed(f"There is no command to run; write: lab exec {arguments.place} -- COMMAND")
    if arguments.place == "internet" and needs_sudo(os.geteuid(), settings.state) and not sys.stdin.isatty():
        ask_outside(settings, command)
    become_root(settings)
    if arguments.place == "internet":
        replace_process(["ip", "netns", "exec", names.INTERNET, *command])
    machine = instance_named(status_of(settings), arguments.place)
    os.chdir("/")  # this machine's directories are not there
    replace_process(runner.machine_command(settings, machine["id"], command))


def ask_outside(settings: Settings, command: list[str]) -> NoReturn:
    """Have the daemon run a command in the lab's internet, and end as it ended: sudo could not ask for a password."""
    done = control.ask(settings.control_socket, "internet", outside.TIMEOUT + 10, command=command)
    if "error" in done:
        raise Failed(done["error"])
    print(done["output"], end="")
    print(done["errors"], end="", file=sys.stderr)
    raise SystemExit(done["status"])


def ssh(settings: Settings, arguments: argparse.Namespace) -> None:
    found = status_of(settings)
    machine = instance_named(found, arguments.name)
    replace_process([*ssh_command(settings, found, machine), *arguments.command])


def ssh_command(settings: Settings, found: Mapping[str, Any], machine: Mapping[str, Any]) -> list[str]:
    """The same way in as Ansible's: OpenSSH through the endpoint's tunnel."""
    deployment = settings.state / "deployment"
    proxy = [
        "env",
        f"AWS_ENDPOINT_URL={found['endpoint_url']}",
        f"AWS_ACCESS_KEY_ID={ACCESS_KEY_ID}",
        f"AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}",
        sys.executable,
        str(settings.root / "plugins/connect/instance_connect_proxy.py"),
        *("--region", found["region"], "--endpoint-url", found["connect_url"]),
        *("--vpc-id", machine["vpc_id"], "--host", "%h", "--port", "%p"),
    ]
    return [
        "ssh",
        *("-i", str(deployment / "id_ed25519")),
        *("-o", f"ProxyCommand={' '.join(proxy)}"),
        *("-o", f"HostKeyAlias={machine['id']}"),
        *("-o", f"UserKnownHostsFile={deployment / 'known_hosts'}"),
        *("-o", "StrictHostKeyChecking=accept-new", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR"),
        f"{machine['user']}@{machine['private_ip']}",
    ]


def logs(settings: Settings, arguments: argparse.Namespace) -> None:
    become_root(settings)
    part: str = arguments.part
    files = {"lab": ["daemon.log"], "api": ["api.log"], "edge": ["edge/logs/access.log", "edge/logs/error.log"]}
    function = settings.state / "functions" / f"{part}.log"
    if part in files:
        paths = [settings.state / name for name in files[part]]
    elif function.exists():
        paths = [function]
    else:
        machine = instance_named(status_of(settings), part)
        paths = [settings.state / "machines" / machine["id"] / "console.log"]
    existing = [str(path) for path in paths if path.exists()]
    if not existing:
        raise Failed(f"There is no log of {part} yet.")
    replace_process(["tail", "-n", "100", *(["-F"] if arguments.follow else []), *existing])


def instance_named(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The instance whose Name tag or id is ``name``; raise Failed with the names that there are, or the ids."""
    instances: list[Mapping[str, Any]] = [i for i in found["instances"].values() if i["desired"] != "terminated"]
    called = [instance for instance in instances if name in (instance["name"], instance["id"])]
    if len(called) == 1:
        return called[0]
    if called:
        ids = ", ".join(f"{instance['id']} in {instance['vpc_id']}" for instance in called)
        raise Failed(f"There are {len(called)} instances {name!r}; write an id: {ids}.")
    known = ", ".join(sorted(instance["name"] for instance in instances)) or "none yet"
    raise Failed(f"There is no instance {name!r}. Instances: {known}; or write `internet`.")


def replace_process(command: Sequence[str]) -> NoReturn:
    sys.stdout.flush()
    os.execvp(command[0], list(command))  # noqa: S606 — a list of arguments, as everywhere


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="lab", description="AWS on this machine, to prove a deployment with.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, act: Callable[[Settings, argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(act=act)
        return command

    add("up", up, "start the lab")
    add("down", down, "end the lab and leave nothing of it behind")
    add("status", status, "show what runs, and whether every promise holds").add_argument(
        "--json", action="store_true", help="for programs"
    )
    add("summary", summary, "show where the product is, and what to try next")
    command = add("exec", execute, "run a command on an instance, or outside the VPC")
    command.add_argument("place", metavar="PLACE", help="an instance's Name, or internet")
    command.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    command = add("ssh", ssh, "open a shell on an instance, through the endpoint as Ansible does")
    command.add_argument("name", metavar="NAME", help="an instance's Name")
    command.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    command = add("logs", logs, "show the end of a log")
    command.add_argument(
        "part",
        metavar="PART",
        nargs="?",
        default="lab",
        help="lab, api, edge, an instance's Name, or a Lambda function's",
    )
    command.add_argument("-f", "--follow", action="store_true", help="keep showing what is added")
    return top


def main() -> None:
    arguments = parser().parse_args()
    try:
        arguments.act(settings_here(), arguments)
    except (
        Failed,
        ValueError,
        control.NotRunning,
        kernel.KernelError,
        machine_lock.Taken,
        image.ImageError,
        runner.MachineError,
    ) as error:
        sys.exit(str(error))
