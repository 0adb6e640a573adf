"""The search for secrets finds each form that it is for, and nothing where there is none."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e import leaks
from tests.e2e.story import eventually

PASSWORD = "Kd82hfa+82/hs01Lq9aJw7xMpVt4Re5B"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path.read_text()


@pytest.mark.parametrize(
    "text",
    [
        PASSWORD,
        f"--password={PASSWORD}",
        f"mysql://backend:{quote(PASSWORD, safe='')}@db1/product",
        PASSWORD.encode().hex(),
        *(base64.b64encode(before + PASSWORD.encode() + b" end").decode() for before in (b"", b"x", b"xy", b"user:")),
    ],
)
def test_a_password_is_found_in_every_form(text: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\0binary\0" + text.encode() + b"\nmore\n")
    search = leaks.Search({"password": PASSWORD})
    search.text("a text", text)
    search.files("files", tmp_path)
    assert search.found == {("a text", "password"), ("files log", "password")}


def test_a_part_of_a_private_key_is_found_and_its_public_half_is_none(key: str, tmp_path: Path) -> None:
    begins, *_, private, _, _ = key.splitlines()[1:]
    read = ("ssh-keygen", "-y", "-f", "/dev/stdin")
    public = subprocess.run(read, input=key, capture_output=True, text=True, check=True).stdout
    authority = {"key": "-----BEGIN PRIVATE KEY-----\n" + "A" * 64, "certificate": "MIIBszCCAVmgAwIBAgIUY"}
    search = leaks.Search({"ssh-key": key, "authority": json.dumps(authority)})
    search.text("public", f"{public}{begins}\n{authority['certificate']}")
    assert search.found == set()
    search.text("private", f"LoadCredential={private}")
    assert ("private", "ssh-key") in search.found


def test_what_holds_no_secret_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("the password is kept in Secrets Manager\n")
    search = leaks.Search({"password": PASSWORD})
    search.files("files", tmp_path)
    assert search.found == set()


def test_a_process_is_seen_with_its_arguments_and_its_environment() -> None:
    def found() -> set[tuple[str, str]]:
        search = leaks.Search({"password": PASSWORD})
        watched.search(search)
        return search.found

    with leaks.Watch() as watched:
        commands: list[tuple[list[str], dict[str, str]]] = [
            (["cat"], {"TOKEN": PASSWORD}),
            (["cat", "-", PASSWORD], {}),
        ]
        running = [
            subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE) for arguments, environment in commands
        ]
        try:
            eventually(found, {("environ of cat", "password"), ("cmdline of cat", "password")}.__eq__)
        finally:
            for process in running:
                process.kill()
                process.wait()
