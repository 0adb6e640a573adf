"""What a directory of sources contains, told without a task: a look-up runs inside Ansible itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: content
author: The Madang authors
short_description: List a directory's files, with one digest of all that they hold
description:
  - Whatever is built from the files needs building again exactly when the digest differs.
options:
  _terms:
    description: Directories on the control machine.
    required: true
  exclude:
    description:
      - Patterns as the shell's. What has a name that fits one of them, at any depth, is left out, with all below it.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- ansible.builtin.debug:
    msg: "{{ lookup('content', 'examples/backend', exclude=['tests', '__pycache__']).digest }}"
"""

RETURN = r"""
_raw:
  description: For each directory, C(digest) (SHA-256, hexadecimal) and C(files) (relative paths, sorted).
  type: list
  elements: dict
"""


def files(root: Path, exclude: Iterable[str]) -> Iterator[str]:
    """Yield the paths, relative to ``root`` and sorted, of all files and links that no pattern leaves out."""
    patterns = tuple(exclude)
    for directory, directories, names in os.walk(root):
        directories[:] = sorted(name for name in directories if not _fits(name, patterns))
        linked = [name for name in directories if (Path(directory) / name).is_symlink()]
        for name in sorted([*names, *linked]):
            if not _fits(name, patterns):
                yield (Path(directory) / name).relative_to(root).as_posix()


def digest(root: Path, names: Iterable[str]) -> str:
    """Return one digest of the files' paths, contents and executable bits. Times and owners do not count."""
    whole = hashlib.sha256()
    for name in sorted(names):
        path = root / name
        if path.is_symlink():
            kind, content = "link", os.fsencode(path.readlink())
        else:
            kind, content = "program" if path.stat().st_mode & 0o100 else "file", path.read_bytes()
        whole.update(f"{kind} {len(name.encode())} {name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


class LookupModule(LookupBase):  # type: ignore[misc]  # the base has no types
    """Ansible's way in."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **options: Any) -> list[dict[str, Any]]:
        self.set_options(var_options=variables, direct=options)
        found = []
        for term in terms:
            root = Path(term)
            if not root.is_dir():
                raise AnsibleLookupError(f"{term} is not a directory on the control machine.")
            try:
                names = sorted(files(root, self.get_option("exclude")))
                found.append({"digest": digest(root, names), "files": names})
            except OSError as error:
                raise AnsibleLookupError(f"{error.filename} cannot be read: {error.strerror}.") from error
        return found
