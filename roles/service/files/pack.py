"""Pack directories into one reproducible tar.gz: the same contents give the same bytes, whoever packs them and when.

Used as ``pack.py OUTPUT PREFIX=DIRECTORY …``; with ``PREFIX=@DIRECTORY`` only the files named on standard input
(relative paths, a line each) are taken from the directory. The archive's last member is ``.complete``: where
it exists, everything before it was unpacked.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

MARKER = ".complete"

Member = tuple[str, Path]


def members(prefix: str, root: Path, names: Iterable[str] | None = None) -> Iterator[Member]:
    """Yield (name in the archive, path) for ``names`` below ``root``, or for all files below it."""
    if names is None:
        names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_symlink() or path.is_file())
    for name in sorted(names):
        yield f"{prefix}/{name}", root / name


def write(output: Path, contents: Iterable[Member]) -> None:
    """Write the archive; it appears under its name whole or not at all."""
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
    try:
        with (
            os.fdopen(handle, "wb") as raw,
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for name, path in contents:
                _add(archive, name, path)
            archive.addfile(tarfile.TarInfo(MARKER), io.BytesIO(b""))
        Path(part).chmod(0o644)
        Path(part).rename(output)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Add one file or link, owned by root, readable by all, without its time."""
    entry = tarfile.TarInfo(name)
    if path.is_symlink():
        entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
        archive.addfile(entry)
        return
    content = path.read_bytes()
    entry.size = len(content)
    entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    archive.addfile(entry, io.BytesIO(content))


def main(arguments: list[str]) -> None:
    """Pack what the command line names."""
    output, *trees = arguments
    contents: list[Member] = []
    for tree in trees:
        prefix, _, directory = tree.partition("=")
        if directory.startswith("@"):
            contents += members(prefix, Path(directory[1:]), [line for line in sys.stdin.read().splitlines() if line])
        else:
            contents += members(prefix, Path(directory))
    write(Path(output), contents)


if __name__ == "__main__":
    main(sys.argv[1:])
