"""The callback ``compiled_templates``: keeps the templates that Ansible has compiled, for the next task and run."""

from __future__ import annotations

DOCUMENTATION = """
    name: compiled_templates
    type: aggregate
    short_description: Keeps the templates that Ansible has compiled, for the next task and the next run
    description:
      - Ansible runs each task in a process of its own, which loads the filters and tests and compiles each of its
        templates anew. That is a third of what these processes do.
      - This callback loads the filters and tests once, before the first of them, and keeps the compiled templates in
        C(compiled_templates) in Ansible's home (C(~/.ansible)), by Jinja's own cache for the file system.
      - Only templates that stand in readable files are kept. What comes from the command line or was encrypted is not.
      - What is kept counts for this ansible-core and this Jinja, and for the filters and tests as they are now. What
        has not been used for a week goes.
    author: Madang
"""

import contextlib
import functools
import runpy
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import jinja2
from ansible._internal._datatag._tags import Origin
from ansible._internal._templating import _jinja_bits
from ansible.parsing.vault import is_encrypted_file
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import filter_loader, test_loader
from ansible.release import __version__
from jinja2.bccache import FileSystemBytecodeCache

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]


@functools.cache
def readable(path: str) -> bool:
    """Whether a file is not encrypted."""
    try:
        with Path(path).open("rb") as file:
            return not is_encrypted_file(file)
    except OSError:
        return False


def may_be_kept(source: str) -> bool:
    """Whether a template stands as it is in a file of this machine. A single encrypted value is never a template."""
    origin = Origin.get_tag(source)
    return bool(origin and origin.path and readable(origin.path))


def name_of(environment: Any, source: str) -> str:
    """All that decides what becomes of a template."""
    compiling = _jinja_bits._TemplateCompileContext.current(optional=True)
    config = _jinja_bits._TemplateConfig
    return repr(
        (
            str(source),
            compiling and compiling.escape_backslashes,
            [getattr(environment, field) for field in _jinja_bits._TEMPLATE_OVERRIDE_FIELD_NAMES],
            config.allow_embedded_templates,
            sorted(environment.extensions),
        )
    )


def keeping(compile_anew: Callable[..., CodeType], cache: FileSystemBytecodeCache) -> Callable[..., CodeType]:
    """The environment's method ``compile``, which asks the cache first."""

    @functools.wraps(compile_anew)
    def compile_template(environment: Any, source: Any, *further: Any, **named: Any) -> CodeType:
        if further or named or not isinstance(source, str) or not may_be_kept(source):
            return compile_anew(environment, source, *further, **named)
        bucket = cache.get_bucket(environment, name_of(environment, source), None, str(source))
        if bucket.code is None:
            bucket.code = compile_anew(environment, source)
            # On a full disk the next process compiles again.
            with contextlib.suppress(OSError):
                cache.set_bucket(bucket)
        return bucket.code

    return compile_template


class CallbackModule(CallbackBase):  # type: ignore[misc]  # the base has no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "compiled_templates"

    def __init__(self) -> None:
        super().__init__()
        for loader in (filter_loader, test_loader):
            # Loads all of them, and remembers them in this process, of which each task's is a copy.
            list(loader.all())
        # Where nothing can be written, each process compiles for itself, as without this callback.
        with contextlib.suppress(OSError):
            kept = load("kept").directory("compiled_templates", f"{__version__} {jinja2.__version__}")
            environment = _jinja_bits.AnsibleEnvironment
            environment.compile = keeping(environment.compile, FileSystemBytecodeCache(str(kept)))
