"""Lets the tests import the project's module_utils by the name that modules use."""

from __future__ import annotations

from pathlib import Path

import ansible.module_utils

HERE = str(Path(__file__).parents[3] / "module_utils")
if HERE not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(HERE)
