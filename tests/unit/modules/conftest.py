"""Makes module_utils importable by the name that it has inside a module."""

from __future__ import annotations

from pathlib import Path

import ansible.module_utils

MODULE_UTILS = str(Path(__file__).parents[3] / "module_utils")

# As ansible.cfg's module_utils setting does for a module that Ansible runs.
if MODULE_UTILS not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(MODULE_UTILS)
