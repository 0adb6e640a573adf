"""Runs one Ansible module in this process, with arguments from a file, and prints what it returns.

That is what Ansible's own wrapper does with a module on localhost, so the time of this process is the module's.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import ansible.module_utils
from ansible.module_utils import basic

ROOT = Path(__file__).parents[2]

if __name__ == "__main__":
    module, arguments = sys.argv[1:]
    ansible.module_utils.__path__.append(str(ROOT / "module_utils"))
    basic._ANSIBLE_ARGS = Path(arguments).read_bytes()
    basic._ANSIBLE_PROFILE = "legacy"
    if module.endswith(".py"):
        runpy.run_path(module, run_name="__main__")
    else:
        runpy.run_module(module, run_name="__main__")
