"""The collector's package for Lambda: reproducible, within the limits, and its way in."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

FILES = Path(__file__).parents[3] / "roles/collector/files"


def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"collector_{name}", FILES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package() -> ModuleType:
    return _loaded("package")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name, content in {"app/main.py": "one", "lib/__pycache__/x.pyc": "no", "tool": "two"}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (root / "tool").chmod(0o755)
    return root


def test_the_same_contents_give_the_same_bytes_whenever_they_are_packed(
    package: ModuleType, tree: Path, tmp_path: Path
) -> None:
    package.write(tmp_path / "one.zip", package.members(tree))
    for path in tree.rglob("*"):
        path.touch()
    package.write(tmp_path / "two.zip", package.members(tree))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        modes = {entry.filename: oct(entry.external_attr >> 16 & 0o777) for entry in archive.infolist()}
    assert modes == {"app/main.py": "0o644", "tool": "0o755"}


@pytest.mark.parametrize(("limit", "words"), [("LARGEST_UNPACKED", "unpacked"), ("LARGEST_ZIP", "packed")])
def test_what_is_too_large_for_lambda_is_one_sentence_and_no_file(
    package: ModuleType, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, words: str
) -> None:
    monkeypatch.setattr(package, limit, 1)
    with pytest.raises(package.TooLargeError) as refused:
        package.write(tmp_path / "one.zip", package.members(tree))
    sentence = str(refused.value)
    assert f" {words}, and Lambda takes less than" in sentence and sentence.endswith("write collector_runs_on: ec2.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tree"]


def test_the_way_in_writes_secrets_to_private_files_and_hands_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def get_secret_value(SecretId: str) -> dict[str, str]:
        asked.append(SecretId)
        return {"SecretString": "hidden"}

    source = (FILES / "lambda_entry.py").read_text().replace("/tmp/secrets", str(tmp_path / "secrets"))  # noqa: S108
    (tmp_path / "entry_here.py").write_text(source)
    own = "import os\ndef handler(*_):\n    return open(os.environ['PW_FILE']).read()\n"
    (tmp_path / "users_own.py").write_text(own)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HANDLER", "users_own.handler")
    monkeypatch.setenv("SECRET_FILES", '{"PW_FILE": "shop/lab/password"}')
    monkeypatch.setenv("PW_FILE", "")
    client = SimpleNamespace(get_secret_value=get_secret_value)
    monkeypatch.setattr("boto3.client", lambda *_, **__: client)
    entry = importlib.import_module("entry_here")
    assert entry.handler({}, None) == "hidden"
    assert asked == ["shop/lab/password"]
    assert (tmp_path / "secrets/pw_file").stat().st_mode & 0o777 == 0o600
    sys.modules.pop("entry_here")
