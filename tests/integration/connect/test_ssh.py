"""OpenSSH to a private host, through our client and our endpoint."""

from __future__ import annotations

import hashlib
import os
import subprocess

import pytest

pytestmark = pytest.mark.namespaces


def run(ssh, *command, **options):
    line, environment = ssh
    return subprocess.run([*line, *command], env=environment, capture_output=True, timeout=60, check=False, **options)


def test_a_command_runs_on_the_private_host_which_sees_the_endpoints_address(ssh):
    done = run(ssh, "echo $SSH_CONNECTION", text=True)
    assert done.returncode == 0, done.stderr
    client, _, server, port = done.stdout.split()
    assert (client, server, port) == ("10.0.11.4", "10.0.11.5", "22")
    assert done.stderr == ""


def test_many_sessions_at_once_stay_apart(ssh):
    line, environment = ssh
    sessions = [
        subprocess.Popen([*line, f"echo {number}"], env=environment, stdout=subprocess.PIPE, text=True)
        for number in range(8)
    ]
    assert [session.communicate(timeout=60)[0].strip() for session in sessions] == [str(n) for n in range(8)]


def test_a_hundred_megabytes_arrive_intact_both_ways(ssh):
    data = os.urandom(1 << 20) * 100
    echoed = run(ssh, "cat", input=data)
    assert echoed.returncode == 0, echoed.stderr
    assert hashlib.sha256(echoed.stdout).digest() == hashlib.sha256(data).digest()


def test_a_shared_connection_is_opened_once_and_used_again(ssh, tmp_path):
    line, environment = ssh
    control = ["-o", "ControlMaster=auto", "-o", f"ControlPath={tmp_path}/c", "-o", "ControlPersist=30"]
    shared = ([*line[:-1], *control, line[-1]], environment)
    before = run(shared, "echo $SSH_CONNECTION", stdin=subprocess.DEVNULL)
    again = run(shared, "echo $SSH_CONNECTION", stdin=subprocess.DEVNULL)
    assert before.stdout == again.stdout != b""
    assert run(([*shared[0][:-1], "-O", "exit", shared[0][-1]], environment)).returncode == 0


def test_with_the_wrong_secret_nobody_gets_in_and_ssh_says_why(ssh):
    line, environment = ssh
    done = run((line, environment | {"AWS_SECRET_ACCESS_KEY": "guessed"}), "true", text=True)
    assert done.returncode == 255
    assert "instance connect: The signature does not match" in done.stderr
