"""A function's code: a zip file, unpacked where its environment finds it as /var/task."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path, PurePosixPath

# Lambda's quota for code and layers together.
LARGEST_UNPACKED = 250 * 1024 * 1024


class PackageError(RuntimeError):
    """The zip file is none that Lambda would run; the message says why."""


def check(content: bytes) -> None:
    """Raise PackageError unless Lambda would take the file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive)
    except zipfile.BadZipFile as error:
        raise PackageError(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from error


def unpack(content: bytes, directory: Path) -> Path:
    """Unpack into ``directory`` unless that is done already; readable by all, writable by none but its owner."""
    if directory.is_dir():
        return directory
    part = directory.with_name(f"{directory.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check(archive)
        part.mkdir(parents=True)
        for entry in archive.infolist():
            path = part / entry.filename
            if entry.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(entry))
            path.chmod(0o755 if entry.external_attr >> 16 & 0o111 else 0o644)
    for path in (part, *part.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    part.rename(directory)
    return directory


def _check(archive: zipfile.ZipFile) -> None:
    size = sum(entry.file_size for entry in archive.infolist())
    if size >= LARGEST_UNPACKED:
        raise PackageError(f"Unzipped size must be smaller than {LARGEST_UNPACKED} bytes")
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename)
        if name.is_absolute() or ".." in name.parts:
            raise PackageError(f"The file name {entry.filename} leads out of the package.")
