"""Finds secrets where they must not be: in files, in texts, and in what processes show of themselves."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

# A PEM line of fewer characters may stand anywhere by chance.
_SHORTEST = 16
_POLL_SECONDS = 0.01


def forms(secrets: Mapping[str, str]) -> dict[str, str]:
    """Every text that gives a secret away, with the secret's name."""
    return {form: name for name, value in secrets.items() for part in parts(value) for form in encoded(part)}


def parts(value: str) -> Iterator[str]:
    """A secret as it is, or the lines of its private key; what of a key everybody may have is no secret."""
    with_key = json.loads(value)["key"] if value.startswith("{") else value
    if "PRIVATE KEY" not in with_key:
        yield with_key
        return
    lines = [line for line in with_key.splitlines() if not line.startswith("-----")]
    # OpenSSH begins every key with the same line.
    yield from (line for line in (lines[1:] if "OPENSSH" in with_key else lines) if len(line) >= _SHORTEST)


def encoded(part: str) -> Iterator[str]:
    """As it is, quoted for a URL, in hexadecimal, and in base64 wherever in a longer text it begins."""
    yield part
    yield quote(part, safe="")
    yield part.encode().hex()
    for before in range(3):
        text = base64.b64encode(b"\0" * before + part.encode()).decode().rstrip("=")
        # The first and the last characters hold bits of what stands beside it.
        yield text[(before * 8 + 5) // 6 : -1]


class Search:
    """Looks for the forms of secrets; ``found`` is where they are: (place, the secret's name)."""

    # It reads the forms from its input, so that no process has them among its arguments.
    GREP = (
        *("grep", "--recursive", "--fixed-strings", "--text", "--null", "--only-matching", "--no-messages"),
        *("--devices=skip", "--file=-"),
    )

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = forms(secrets)
        self.found: set[tuple[str, str]] = set()

    @property
    def patterns(self) -> str:
        """What GREP is to read."""
        return "".join(f"{form}\n" for form in self._forms)

    def text(self, place: str, text: str) -> None:
        for form, name in self._forms.items():
            if form in text:
                self.found.add((place, name))

    def matches(self, place: str, output: str) -> None:
        """Take what GREP printed; a place is ``place`` and the file's path."""
        for line in output.splitlines():
            path, _, form = line.partition("\0")
            self.found.add((f"{place} {path.removeprefix('./')}", self._forms[form]))

    def files(self, place: str, root: Path, *, without: Sequence[str] = ()) -> None:
        """Everything below a directory but directories of these names."""
        command = [*self.GREP, *(f"--exclude-dir={name}" for name in without), "."]
        done = subprocess.run(
            command, cwd=root, input=self.patterns, stdout=subprocess.PIPE, text=True, errors="replace", check=False
        )
        assert done.returncode in (0, 1, 2)  # 2: a file went while it looked
        self.matches(place, done.stdout)


class Watch:
    """Remembers arguments and environment of every process of this machine and of its guests, while it is open."""

    def __init__(self) -> None:
        self._seen: dict[bytes, str] = {}
        self._turns: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._turns = {pid: turn + 10 for pid, turn in self._turn().items()}  # what runs already changes no more
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def search(self, search: Search) -> int:
        """Look through all that was seen, and return how many different texts that were."""
        for text, place in self._seen.items():
            search.text(place, text.decode(errors="replace"))
        return len(self._seen)

    def _run(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            self._turns = self._turn()

    def _turn(self) -> dict[str, int]:
        """Look at every process that is new, and now and then at the others; return how often each was met."""
        turns = {pid: self._turns.get(pid, -1) + 1 for pid in os.listdir("/proc") if pid.isdecimal()}  # noqa: PTH208 — names, not paths
        for pid, turn in turns.items():
            # A process is another once it has executed a program, which is mostly what it does first.
            if turn < 10 or turn % 100 == 0:
                self._look(pid)
        return turns

    def _look(self, pid: str) -> None:
        texts: dict[str, bytes] = {}
        for what in ("cmdline", "environ"):
            try:
                texts[what] = Path(f"/proc/{pid}/{what}").read_bytes()
            except OSError:  # it ended just now
                return
        for what, text in texts.items():
            if text:
                name = texts["cmdline"].split(b"\0")[0].decode(errors="replace")
                self._seen.setdefault(text, f"{what} of {name}")
