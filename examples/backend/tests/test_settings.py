"""What the environment may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from readings_api.settings import SettingsError, from_environment


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "password").write_text("s3cret\n")
    return {
        "DATABASE_HOST": "db1",
        "DATABASE_NAME": "readings",
        "DATABASE_USER": "backend",
        "DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
    }


def test_the_password_comes_from_its_file_without_the_line_end(environ: dict[str, str]) -> None:
    assert from_environment(environ).database.password == "s3cret"


def test_the_password_is_not_in_the_settings_text(environ: dict[str, str]) -> None:
    assert "s3cret" not in repr(from_environment(environ))


def test_ports_have_defaults(environ: dict[str, str]) -> None:
    settings = from_environment(environ)
    assert (settings.port, settings.database.port) == (8000, 3306)


@pytest.mark.parametrize("name", ["DATABASE_HOST", "DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD_FILE"])
def test_a_missing_setting_is_named(environ: dict[str, str], name: str) -> None:
    del environ[name]
    with pytest.raises(SettingsError, match=name):
        from_environment(environ)


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_out_of_range_is_refused(environ: dict[str, str], port: str) -> None:
    with pytest.raises(SettingsError, match="PORT"):
        from_environment(environ | {"PORT": port})


def test_a_password_file_that_is_not_there_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        from_environment(environ | {"DATABASE_PASSWORD_FILE": str(tmp_path / "nowhere")})
