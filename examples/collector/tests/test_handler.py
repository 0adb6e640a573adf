"""The same rounds, called by Lambda."""

from __future__ import annotations

from pathlib import Path

import pytest

from readings_collector import handler as module
from readings_collector.source import SourceError


@pytest.fixture(autouse=True)
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("s3cret")
    monkeypatch.setenv("SOURCE_URL", "http://readings.example.com/v1/readings")
    monkeypatch.setenv("DATABASE_HOST", "db1")
    monkeypatch.setenv("DATABASE_NAME", "readings")
    monkeypatch.setenv("DATABASE_USER", "collector")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    module._ready.cache_clear()


def test_an_event_is_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(module, "fetch", lambda url: asked.append(url) or [])
    assert module.handler({}, None) == {"fetched": 0, "new": 0}
    assert asked == ["http://readings.example.com/v1/readings"]


def test_a_failed_round_is_an_error_that_lambda_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(url: str) -> list[object]:
        raise SourceError("away")

    monkeypatch.setattr(module, "fetch", away)
    with pytest.raises(SourceError):
        module.handler({}, None)
