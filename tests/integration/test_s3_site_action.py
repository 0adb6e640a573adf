"""What somebody who runs a playbook sees of s3_site, beyond the module's own answer."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLAY = """\
- hosts: localhost
  gather_facts: false
  connection: local
  tasks:
    - name: Publish
      s3_site:
        bucket: bucket
        src: {src}
        endpoint_url: {url}
        access_key: a
        secret_key: b
        region: us-east-1
"""


@pytest.fixture
def s3() -> Iterator[Any]:
    """The unit tests' small S3."""
    spec = importlib.util.spec_from_file_location("fake_s3", ROOT / "tests/unit/s3_site/fake_s3.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules["fake_s3"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.FakeS3() as made:
        yield made


def run(tmp_path: Path, url: str, *options: str) -> str:
    (tmp_path / "play.yml").write_text(PLAY.format(src=tmp_path / "dist", url=url))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
    places = {"LIBRARY": "library", "MODULE_UTILS": "module_utils", "ACTION_PLUGINS": "plugins/action"}
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "play.yml", *options],
        cwd=tmp_path,
        env={
            **environment,
            **{f"ANSIBLE_{name}": str(ROOT / path) for name, path in places.items()},
            "ANSIBLE_DOC_FRAGMENT_PLUGINS": str(ROOT / "plugins/doc_fragments"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_check_mode_says_in_one_line_what_a_publish_would_do(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/index.html").write_text("first")
    (tmp_path / "dist/robots.txt").write_text("all")
    told = run(tmp_path, s3.url, "--check")
    assert "  would make release " in told
    assert " current: 2 added\n" in told
    assert s3.objects == {}

    assert "would" not in run(tmp_path, s3.url)
    assert s3.site() == {"index.html": b"first", "robots.txt": b"all"}
    assert "would" not in run(tmp_path, s3.url, "--check"), "there is nothing to do"

    (tmp_path / "dist/index.html").write_text("second")
    assert " current: 1 changed; to invalidate: /, /index.html\n" in run(tmp_path, s3.url, "--check")
