"""What the service role's modules share: where a service lives on its host, and asking systemd about it.

::

    /opt/NAME/releases/ID/     one release: app/, lib/, NAME.service, environment, .complete
    /opt/NAME/current          link to the release that runs and proved healthy
    /opt/NAME/previous         link to the one before it
    /etc/NAME/credentials/     secrets, for root alone; systemd hands them to the service
    /etc/systemd/system/NAME.service
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MARKER = ".complete"


@dataclass(frozen=True)
class Layout:
    """A service's places. ``root`` is the host's file system; tests use another."""

    name: str
    root: Path = Path("/")

    @property
    def base(self) -> Path:
        return self.root / "opt" / self.name

    @property
    def releases(self) -> Path:
        return self.base / "releases"

    def release(self, identifier: str) -> Path:
        return self.releases / identifier

    @property
    def credentials(self) -> Path:
        return self.root / "etc" / self.name / "credentials"

    @property
    def unit(self) -> Path:
        return self.root / "etc/systemd/system" / f"{self.name}.service"

    @property
    def migrate_unit(self) -> Path:
        return self.root / "etc/systemd/system" / f"{self.name}-migrate.service"


def linked(link: Path) -> str | None:
    """Return the name of the release that ``link`` points at, or None."""
    try:
        return link.readlink().name
    except OSError:
        return None


def point(link: Path, identifier: str) -> None:
    """Point ``link`` at a release: atomically, so that there is always one."""
    part = link.with_name(f".{link.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    part.symlink_to(Path("releases") / identifier)
    part.rename(link)


def put(path: Path, content: bytes) -> None:
    """Write a file that all may read: whole or not at all."""
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), 0o644)
    Path(part).rename(path)


def content(path: Path) -> bytes | None:
    """Return a file's content, or None if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def complete_releases(layout: Layout) -> list[str]:
    """Return the releases that are there as a whole, the one used last first."""
    if not layout.releases.is_dir():
        return []
    marked = [(path / MARKER, path.name) for path in layout.releases.iterdir() if (path / MARKER).is_file()]
    return [name for _, name in sorted(((-marker.stat().st_mtime, name) for marker, name in marked))]


class Systemd:
    """The few things asked of systemd."""

    def show(self, unit: str) -> dict[str, str]:
        """Return the unit's ActiveState, SubState, NRestarts, UnitFileState and NeedDaemonReload."""
        wanted = "ActiveState,SubState,NRestarts,UnitFileState,NeedDaemonReload"
        done = self.run(["systemctl", "show", unit, f"--property={wanted}"])
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command, without judging its exit status."""
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def log(self, unit: str, lines: int, since: float) -> list[str]:
        """Return the last ``lines`` that the unit's processes wrote since a Unix time, or what systemd says of it."""
        command = ["journalctl", f"--lines={lines}", "--output=cat", "--no-pager", "--quiet", f"--since=@{since:.3f}"]
        own = self.run([*command, f"_SYSTEMD_UNIT={unit}"]).stdout.splitlines()
        return own or self.run([*command, "--unit", unit]).stdout.splitlines()
