"""Publishes made-up builds to a fake S3, in this process or in one that may be killed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import ansible.module_utils

ROOT = Path(__file__).parents[3]
if str(ROOT / "module_utils") not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(str(ROOT / "module_utils"))

from ansible.module_utils.s3_site_transfer import Store  # noqa: E402 - needs the path above


def load(name: str) -> Any:
    """A module of library/, which is no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "library" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


s3_site = load("s3_site")


def make_build(root: Path, stamp: str, *, pages: tuple[str, ...] = ("index.html", "about/index.html")) -> Path:
    """A small build, of which every file says which build it is."""
    assets = {
        f"assets/main-{stamp}1x_9Kq2.js": f"build {stamp} script",
        f"assets/style-{stamp}7bQ_z0w.css": f"build {stamp} style",
        "assets/logo-Zk3_9xQ1.svg": "build A build B build C, always the same",
    }
    scripts = "".join(f'<script src="/{asset}"></script>' for asset in assets)
    pages_of = {page: f"build {stamp} of {page} {scripts}" for page in pages}
    others = {"robots.txt": "all", "manifest.webmanifest": f'{{"name": "{stamp}"}}', "sw.js": f"// {stamp}"}
    for path, content in {**assets, **pages_of, **others}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")
    return root


def asked(src: Path | None = None, **options: Any) -> dict[str, Any]:
    """The module's parameters, with their defaults."""
    defaults = {name: argument.get("default") for name, argument in s3_site.ARGUMENTS.items()}
    return {**defaults, "bucket": "bucket", "src": str(src) if src else None, **options}


def store(url: str, **options: Any) -> Store:
    """The fake's bucket."""
    config = {
        "endpoint": url,
        "region": "us-east-1",
        "access_key_id": "a",
        "secret_access_key": "b",
        "client_options": {"allow_http": True},
    }
    return Store("bucket", config, **{"concurrency": 8, **options})


def publish(url: str, src: Path | None, *, check: bool = False, patience: float = 300.0, **options: Any) -> Any:
    """Run the module's own ``run``. With ``patience`` 0 the first failed request ends it."""
    retries = 0 if patience == 0 else 9
    warnings: list[str] = []
    answer = s3_site.run(
        asked(src, **options), lambda: store(url, give_up=patience, retries=retries), check, warnings.append
    )
    return {**answer, "warnings": warnings}


def roll_back(url: str, release: str, **options: Any) -> Any:
    """Run the module with state rolled_back."""
    return publish(url, None, state="rolled_back", release=release, **options)


class Victims:
    """Publishes in processes that may be killed: forks of one that has everything imported, and never used it."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def start(self, url: str, src: Path) -> int:
        """Begin to publish, and return the process's number."""
        print(json.dumps([url, str(src)]), file=self._to, flush=True)
        return int(self._answer())

    def status(self) -> int:
        """Wait for its end: its exit status, negative for a signal."""
        return int(self._answer())

    def close(self) -> None:
        self._to.close()
        self._parent.wait(timeout=10)

    @property
    def _to(self) -> IO[str]:
        assert self._parent.stdin is not None
        return self._parent.stdin

    def _answer(self) -> str:
        assert self._parent.stdout is not None
        return self._parent.stdout.readline()


def _serve() -> None:
    for line in sys.stdin:
        url, src = json.loads(line)
        child = os.fork()
        if not child:
            publish(url, Path(src))
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
