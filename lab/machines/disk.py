"""A machine's disk: an overlay of the image, mounted while the machine runs."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from lab import kernel
from lab.machines.model import Machine

_NAMESPACE = uuid.UUID("6d6164616e67000080000000006d6163")

METADATA_DNS = "169.254.169.253"


@dataclass(frozen=True)
class Disk:
    """The directory that holds everything of one machine."""

    directory: Path

    @property
    def tree(self) -> Path:
        """The machine's file system, while it is mounted."""
        return self.directory / "root"

    @property
    def upper(self) -> Path:
        return self.directory / "upper"

    @property
    def pid_file(self) -> Path:
        return self.directory / "pid"

    @property
    def console(self) -> Path:
        return self.directory / "console.log"

    def mounted(self) -> bool:
        return self.tree.is_dir() and self.tree.is_mount()

    def mount(self, image: Path, first_files: dict[str, str]) -> None:
        """Mount the disk; a new one is made from ``image`` and ``first_files``, an old one stays on its own image."""
        lower = self.directory / "image"
        if not self.upper.is_dir():
            self._create(first_files)
            lower.unlink(missing_ok=True)
            lower.symlink_to(image)
        self.tree.mkdir(exist_ok=True)
        # "volatile": a lab's disk need not survive a power cut, so nothing waits for the machine's own disk.
        layers = {"lowerdir": lower.resolve(), "upperdir": self.upper, "workdir": self.directory / "work"}
        options = ",".join(["volatile", *(f"{layer}={_escaped(path)}" for layer, path in layers.items())])
        kernel.run(["mount", "-t", "overlay", "-o", options, f"madang-{self.directory.name}", str(self.tree)])

    def _create(self, first_files: dict[str, str]) -> None:
        part = self.directory / "upper.part"
        shutil.rmtree(part, ignore_errors=True)
        _directory(self.directory, 0o700)
        _directory(self.directory / "work", 0o700)
        _directory(part, 0o755)
        for name, content in first_files.items():
            path = part / name
            for parent in reversed(path.relative_to(part).parents[:-1]):
                _directory(part / parent, 0o755)
            path.write_text(content)
            path.chmod(0o644)
        part.rename(self.upper)

    def unmount(self) -> None:
        """Unmount the disk, if it is mounted; everything that ran on it must have ended."""
        if self.mounted():
            kernel.run(["umount", str(self.tree)])
        # The kernel leaves this mark so that nobody trusts a volatile disk after a power cut. There was none.
        mark = self.directory / "work" / "work" / "incompat"
        if mark.is_dir():
            shutil.rmtree(mark)

    def remove(self) -> None:
        """Unmount the disk and remove everything of the machine."""
        self.unmount()
        if self.directory.is_dir():
            shutil.rmtree(self.directory)


def first_files(machine: Machine) -> dict[str, str]:
    """Return what a new disk holds beside the image, path to content; cloud-init brings the rest."""
    domain = machine.domain_name or f"{machine.region}.compute.internal"
    return {
        "etc/resolv.conf": f"nameserver {METADATA_DNS}\nsearch {domain}\n",
        "etc/machine-id": f"{uuid.uuid5(_NAMESPACE, machine.id).hex}\n",
        # One tree for every image, but each has its own default user.
        "etc/cloud/cloud.cfg.d/91_user.cfg": f"system_info: {{default_user: {{name: {machine.user}}}}}\n",
    }


def _directory(path: Path, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)  # whatever the umask is


def _escaped(path: Path) -> str:
    """Quote a path for overlayfs, whose options part at commas and colons."""
    return os.fspath(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
