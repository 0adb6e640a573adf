"""Pack directories into one reproducible zip file for Lambda: the same contents give the same bytes.

Used as ``package.py OUTPUT DIRECTORY …``. With ``@DIRECTORY`` only the files named on standard input (relative paths, a
line each) are taken from it. What is too large for Lambda is refused with one sentence.
"""

from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

# Lambda's quotas: the zip file sent with the call, and its contents unpacked.
LARGEST_ZIP = 50 * 1024 * 1024
LARGEST_UNPACKED = 250 * 1024 * 1024
_TIME = (1980, 1, 1, 0, 0, 0)
_IGNORED = {"__pycache__", ".lock"}

Member = tuple[str, Path]


class TooLargeError(Exception):
    """The message says what is too large, and what to do."""


def members(root: Path, names: Iterable[str] | None = None) -> Iterator[Member]:
    """Yield (name in the archive, path) for ``names`` below ``root``, or for all files below it."""
    if names is None:
        names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    for name in sorted(names):
        if not _IGNORED & set(name.split("/")):
            yield name, root / name


def write(output: Path, contents: Iterable[Member]) -> None:
    """Write the archive; it appears under its name whole or not at all. Raises TooLargeError."""
    contents = sorted(contents)
    unpacked = sum(path.stat().st_size for _, path in contents)
    if unpacked >= LARGEST_UNPACKED:
        raise TooLargeError(_sentence("unpacked", unpacked, LARGEST_UNPACKED, contents))
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
    try:
        with os.fdopen(handle, "wb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in contents:
                entry = zipfile.ZipInfo(name, _TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3  # Unix: Lambda reads the modes
                entry.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
                archive.writestr(entry, path.read_bytes())
        packed = Path(part).stat().st_size
        if packed >= LARGEST_ZIP:
            raise TooLargeError(_sentence("packed", packed, LARGEST_ZIP, contents))
        Path(part).chmod(0o644)
        Path(part).rename(output)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _sentence(how: str, size: int, limit: int, contents: Iterable[Member]) -> str:
    sizes: dict[str, int] = {}
    for name, path in contents:
        top = name.split("/")[0]
        sizes[top] = sizes.get(top, 0) + path.stat().st_size
    largest = ", ".join(f"{name} {_mebibytes(sizes[name])}" for name in sorted(sizes, key=lambda n: -sizes[n])[:3])
    return (
        f"The collector's package is {_mebibytes(size)} {how}, and Lambda takes less than {_mebibytes(limit)}; "
        f"take dependencies away (the largest: {largest}), or write collector_runs_on: ec2."
    )


def _mebibytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"


def main(arguments: list[str]) -> None:
    """Pack what the command line names."""
    output, *trees = arguments
    contents: list[Member] = []
    for tree in trees:
        if tree.startswith("@"):
            contents += members(Path(tree[1:]), [line for line in sys.stdin.read().splitlines() if line])
        else:
            contents += members(Path(tree))
    try:
        write(Path(output), contents)
    except TooLargeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
