from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from lab.functions import package


def _zip(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return content.getvalue()


def test_a_package_is_unpacked_for_all_to_read_whatever_the_umask_is(tmp_path: Path) -> None:
    found = package.unpack(_zip(**{"app.py": b"one", "lib__two.py": b"two"}), tmp_path / "code")
    assert (found / "lib/two.py").read_bytes() == b"two"
    modes = {path.relative_to(found).as_posix(): oct(path.stat().st_mode & 0o777) for path in found.rglob("*")}
    assert modes == {"app.py": "0o644", "lib": "0o755", "lib/two.py": "0o644"}


def test_a_package_is_unpacked_once(tmp_path: Path) -> None:
    package.unpack(_zip(**{"app.py": b"one"}), tmp_path / "code")
    assert (package.unpack(b"not read again", tmp_path / "code") / "app.py").read_bytes() == b"one"


def test_what_is_no_zip_file_is_refused() -> None:
    with pytest.raises(package.PackageError, match="Could not unzip"):
        package.check(b"plain text")


def test_a_package_that_is_too_large_unpacked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "LARGEST_UNPACKED", 1000)
    package.check(_zip(one=b"0" * 999))
    with pytest.raises(package.PackageError, match="smaller than 1000 bytes"):
        package.check(_zip(one=b"0" * 600, two=b"0" * 400))


@pytest.mark.parametrize("name", ["../out.py", "/out.py", "a/../../out.py"])
def test_a_name_that_leads_out_of_the_package_is_refused(name: str) -> None:
    with pytest.raises(package.PackageError, match="leads out"):
        package.check(_zip(**{name: b""}))
