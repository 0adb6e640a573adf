"""The machine image: a Debian tree, built once by mmdebstrap and kept in the cache."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.machines import apt, guest
from lab.settings import Settings

# Raise it when this module's own steps change, so that images built by older steps are not taken for new ones.
_STEPS = 2

# What a machine must not share with its siblings, or has no use for.
_REMOVED = (
    "etc/hostname",
    "etc/resolv.conf",
    "etc/apt/sources.list",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/ssh/ssh_host_*",
    "var/log/*.log",
    "var/log/apt/*",
    "var/lib/cloud",
)


class ImageError(RuntimeError):
    """The image could not be built; the message says why, and where possible what to do."""


def recipe(mirror: str) -> str:
    """Return everything that decides what the image holds, as text to be hashed."""
    return json.dumps(
        {
            "steps": _STEPS,
            "architecture": platform.machine(),
            "packages": guest.PACKAGES,
            "masked": guest.MASKED_UNITS,
            "files": guest.files(apt.guest_url(mirror)),
        },
        sort_keys=True,
    )


def image_path(cache: Path, mirror: str) -> Path:
    """Return where the image of this recipe stands once it is built."""
    return cache / f"image-{hashlib.sha256(recipe(mirror).encode()).hexdigest()[:16]}"


def build_command(target: Path, mirror: str, transport: Sequence[str]) -> list[str]:
    """Return the mmdebstrap command; ``transport`` is apt configuration that only the build needs."""
    options = [*transport, *guest.APT_OPTIONS.splitlines()]
    return [
        # A killed build must not leave its packager running.
        *("setpriv", "--pdeathsig", "TERM", "mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory"),
        f"--include={','.join(guest.PACKAGES)}",
        *(f"--aptopt={option}" for option in options),
        *(f"--dpkgopt={option}" for option in guest.DPKG_OPTIONS),
        # Guests then only ask whether the package lists have changed.
        "--skip=cleanup/apt/lists",
        "--components=main",
        f"--keyring={apt.KEYRING}",
        "sid",
        str(target),
        mirror,
    ]


def ensure(settings: Settings, say: Callable[[str], None]) -> Path:
    """Return the image's tree, building it first where needed (about a minute).

    Only one process builds at a time, others wait for it. The tree appears
    whole or not at all. Raises ImageError.
    """
    try:
        mirror = apt.machine_mirror()
    except apt.NoMirrorError as error:
        raise ImageError(str(error)) from error
    wanted = image_path(settings.cache, mirror)
    if wanted.is_dir():
        return wanted
    settings.cache.mkdir(parents=True, exist_ok=True)
    with _lock(settings.cache / "image.lock", say):
        if wanted.is_dir():
            return wanted
        for leftover in settings.cache.glob("image-*.part-*"):
            _remove_tree(leftover)
        say("Building the machine image: Debian with systemd, sshd and cloud-init (once, about a minute)")
        part = Path(tempfile.mkdtemp(prefix=f"{wanted.name}.part-", dir=settings.cache))
        try:
            tree = part / "root"
            _bootstrap(tree, mirror, say)
            _finish(tree, guest.files(apt.guest_url(mirror)))
            tree.rename(wanted)
        finally:
            _remove_tree(part)
        say("The machine image is ready")
    return wanted


@contextmanager
def _lock(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that builds the machine image")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _bootstrap(tree: Path, mirror: str, say: Callable[[str], None]) -> None:
    command = build_command(tree, mirror, apt.machine_transport_options())
    log: list[str] = []
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stderr is not None  # noqa: S101 — for the type checker: PIPE was asked for
        for line in process.stderr:
            log.append(line.rstrip())
            if line.startswith("I: "):
                say(f"  image: {line[3:].strip()}")
    if process.returncode:
        raise ImageError("The machine image could not be built. mmdebstrap's last words:\n" + "\n".join(log[-15:]))


def _finish(tree: Path, files: dict[str, str]) -> None:
    """Write the image's own files into the tree, mask units and remove what siblings must not share."""
    for pattern in _REMOVED:
        for path in tree.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name, content in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for unit in guest.MASKED_UNITS:
        link = tree / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    (tree / "etc/machine-id").write_text("")
    (tree / "etc/resolv.conf").write_text("")
    for stamp in ("etc/.updated", "var/.updated"):  # newer than /usr: nothing to rebuild at a first boot
        (tree / stamp).touch()


def _remove_tree(path: Path) -> None:
    """Remove a build's directory, first whatever a killed build left mounted below it (its /proc, its /sys)."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{path}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=True)
    shutil.rmtree(path, ignore_errors=True)  # a dying packager may still write; the next build removes the rest
