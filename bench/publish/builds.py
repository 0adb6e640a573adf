"""Builds of the sizes and kinds that bundlers write, made up the same way each time."""

from __future__ import annotations

import os
import random
import string
from pathlib import Path

_HASH = string.ascii_letters + string.digits + "_-"
# Of a hundred hashed files: chunks, styles, source maps, pictures, fonts; each with the median of its size in bytes.
_KINDS = [("js", 55, 9_000), ("css", 12, 4_000), ("js.map", 10, 30_000), ("webp", 14, 40_000), ("woff2", 9, 22_000)]
_MUTABLE = ["favicon.ico", "robots.txt", "manifest.webmanifest", "sw.js", "404.html", "apple-touch-icon.png"]


def make(root: Path, files: int, seed: int = 1) -> int:
    """Write a build of that many files below ``root`` and return its size in bytes."""
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
    (root / "assets").mkdir(parents=True)
    for name in _MUTABLE:
        _write(root / name, 1_500, dice)
    kinds = dice.choices(_KINDS, weights=[weight for _, weight, _ in _KINDS], k=files - len(_MUTABLE) - 1)
    for number, (extension, _, median) in enumerate(kinds):
        size = min(int(dice.lognormvariate(0, 0.9) * median), 3_000_000)
        _write(root / "assets" / _name(f"part{number}", extension, dice), size, dice)
    _index(root)
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def make_many(root: Path, files: int = 100_000) -> None:
    """Write a build of very many very small files, for its numbers alone."""
    dice = random.Random(3)  # noqa: S311 - reproducible, not secret
    (root / "assets").mkdir(parents=True)
    for number in range(files - 1):
        (root / "assets" / _name(f"a-chunk-of-the-site-{number}", "js", dice)).write_bytes(b"x" * (number % 997))
    _index(root)


def make_large(root: Path, size: int = 2 * 2**30) -> None:
    """Write a build with one large file."""
    root.mkdir(parents=True)
    with (root / "film-Ab12_xYz.mp4").open("wb") as film:
        film.truncate(size)
    (root / "index.html").write_text("<!doctype html>", encoding="utf-8")


def change(root: Path, seed: int = 2) -> None:
    """What a small change does to a build: nine chunks have other contents and names, and the index names them."""
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
    for old in sorted((root / "assets").glob("*.js"))[:9]:
        _write(old.with_name(_name(old.name.partition("-")[0], "js", dice)), old.stat().st_size + 7, dice)
        old.unlink()
    _index(root)


def _index(root: Path) -> None:
    scripts = "".join(f'<script type="module" src="/assets/{path.name}"></script>\n' for path in _chunks(root)[:40])
    (root / "index.html").unlink(missing_ok=True)  # the same file may be linked elsewhere
    (root / "index.html").write_text(f"<!doctype html>\n<title>bench</title>\n{scripts}", encoding="utf-8")


def _chunks(root: Path) -> list[Path]:
    return sorted((root / "assets").glob("*.js"))


def _name(stem: str, extension: str, dice: random.Random) -> str:
    return f"{stem}-{''.join(dice.choices(_HASH, k=8))}.{extension}"


def _write(path: Path, size: int, dice: random.Random) -> None:
    path.write_bytes(dice.randbytes(size))
    # A minute old, as a build is: tools that compare whole seconds must not take it for changed meanwhile.
    past = path.stat().st_mtime - 60
    os.utime(path, (past, past))
