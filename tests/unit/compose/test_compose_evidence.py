"""What Dockerfiles, commands and health checks are read as."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("compose")


def module(name: str) -> Any:
    return sys.modules[f"madang_compose.{name}"]


def started(service: dict[str, Any], runtime: str = "python", dockerfile: str = "") -> tuple[str, str]:
    sources = module("sources").Sources(dockerfile=module("sources").parse_dockerfile(dockerfile))
    start = module("commands").start(service, sources, runtime)
    return start.command, start.migrate


def test_the_last_stage_of_a_dockerfile_is_what_runs() -> None:
    text = """
    # syntax=docker/dockerfile:1
    FROM node:24 AS build
    CMD ["no"]
    FROM python:3.13-slim AS base
    ENV MODE=fast \\
        NAME="a b"
    EXPOSE 8000/tcp 9000
    ENTRYPOINT ["python", "-m"]
    FROM base
    COPY --from=build /app/dist /srv
    CMD ["app"]
    """
    found = module("sources").parse_dockerfile(text)
    assert (found.image, found.entrypoint, found.command) == ("python:3.13-slim", ["python", "-m"], ["app"])
    assert (found.ports, found.copied) == ([8000, 9000], ["/app/dist"])
    assert found.environment == {"MODE": "fast", "NAME": "a b"}
    assert module("sources").parse_dockerfile(text, "build").command == ["no"]


@pytest.mark.parametrize(
    ("service", "dockerfile", "expected"),
    [
        ({"command": ["python", "app.py"]}, "", ("python3 app.py", "")),
        ({"command": ["uvicorn", "app:app"]}, "", ("python3 -m uvicorn app:app", "")),
        ({"command": ["sh", "-c", "alembic upgrade head && exec gunicorn app"]}, "",
         ("python3 -m gunicorn app", "python3 -m alembic upgrade head")),
        ({"command": ["sh", "-c", "make && run"]}, "", ('/bin/sh -c "make && run"', "")),
        ({"command": ["sh", "-c", "exec run --at $PORT"]}, "", ('/bin/sh -c "run --at $$PORT"', "")),
        ({"entrypoint": ["./start"], "command": ["100%"]}, 'FROM x\nCMD ["no"]', ("./start 100%%", "")),
        ({"command": None}, "FROM x\nCMD python -m app --name 'a b'", ('python3 -m app --name "a b"', "")),
        ({}, 'FROM x\nENTRYPOINT ["./run"]\nCMD ["--fast"]', ("./run --fast", "")),
        ({}, "", ("", "")),
    ],
)  # fmt: skip
def test_a_command_becomes_one_that_systemd_runs(
    service: dict[str, Any], dockerfile: str, expected: tuple[str, str]
) -> None:
    assert started(service, dockerfile=dockerfile) == expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (["CMD-SHELL", "curl -f http://localhost:3000/health || exit 1"], ("/health", "", 3000)),
        (["CMD", "wget", "-qO-", "http://127.0.0.1"], ("/", "", None)),
        (["CMD-SHELL", "pgrep node || exit 1"], ("", "pgrep node", None)),
        (["CMD", "python", "check.py"], ("", "python3 check.py", None)),
    ],
)
def test_a_health_check_becomes_a_path_or_a_command(test: list[str], expected: tuple[str, str, int | None]) -> None:
    health = module("commands").health({"healthcheck": {"test": test}}, "python")
    assert (health.path, health.command, health.port) == expected


@pytest.mark.parametrize("check", [{}, {"disable": True}, {"test": ["NONE"]}])
def test_no_health_check_stays_none(check: dict[str, Any]) -> None:
    assert module("commands").health({"healthcheck": check}, "python") is None


def test_the_time_for_health_is_that_of_the_start_and_all_retries() -> None:
    check = {"test": ["CMD", "x"], "start_period": "1m30s", "interval": "10s", "retries": 6}
    assert module("commands").health({"healthcheck": check}, "python").seconds == 150


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DB_PASSWORD", "x", True),
        ("API_KEY", "abc", True),
        ("JWT_SECRET", "true", True),
        ("SESSION_TOKEN_TTL", "3600", False),
        ("AUTH", "true", False),
        ("KEYBOARD", "us", False),
        ("LOG_LEVEL", "debug", False),
        ("PASSWORD_FILE", "/run/secrets/x", True),
        ("BACKEND", "https://user:pw@example.com/", True),
        ("BACKEND", "https://example.com/", False),
        ("WHAT", "AKIA0123456789ABCDEF", True),
        ("PEM", "-----BEGIN PRIVATE KEY-----", True),
        ("EMPTY_SECRET", "", False),
    ],
)
def test_a_setting_is_secret_by_its_name_or_its_looks(name: str, value: str, secret: bool) -> None:
    assert module("settings").is_secret(name, value) is secret


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("vite.config.ts", 'export default { build: { outDir: "a/b" } };', ("a/b", "vite.config.ts says so")),
        ("vite.config.js", "export default {\n  root: './src',\n  build: { outDir: '../out' },\n};",
         ("out", "vite.config.js says so")),
        ("vue.config.js", "module.exports = {\n  outputDir: 'www',\n};", ("www", "vue.config.js says so")),
        ("vite.config.mjs", "export default { build: { outDir: process.env.OUT } };", ("", "vite.config.mjs says so")),
        ("vite.config.ts", 'export default {\n  // outDir: "no",\n};', ("", "")),
        ("package.json", '{"scripts": {"build": "vite build --outDir ./www"}}', ("www", "its build script says so")),
        ("index.html", "", ("", "")),
    ],
)  # fmt: skip
def test_a_bundler_may_be_told_where_to_build(tmp_path: Any, name: str, text: str, expected: tuple[str, str]) -> None:
    (tmp_path / name).write_text(text)
    assert module("sources").read({"build": {"context": str(tmp_path)}}).configured() == expected


def test_a_name_that_dns_would_not_have_becomes_a_host_with_an_alias() -> None:
    hosts = module("hosts")
    services = {"My_DB": {"networks": {"default": {"aliases": ["Store"]}}}, "web": {"links": ["My_DB:mysql"]}}
    assert hosts.host_name("My_DB") == "my-db"
    assert hosts.aliases("My_DB", services) == ["my_db", "store", "mysql"]
    assert [hosts.host_name(name) for name in ("all", "2nd", "db")] == ["host-all", "host-2nd", "db"]


def test_a_wrong_file_is_refused_in_the_parsers_words(compose: ModuleType, tmp_path: Any) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  web: {image: a, flavour: sweet}\n")
    said = compose.import_compose({"compose": str(tmp_path / "compose.yaml")}, tmp_path)["asks"]
    assert said == [
        f"{tmp_path}/compose.yaml is not a valid compose file: validating {tmp_path}/compose.yaml: "
        "services.web additional properties 'flavour' not allowed"
    ]
    assert compose.import_compose({"compose": str(tmp_path)}, tmp_path)["asks"] == [
        f"compose is {tmp_path}, which is a directory; write the path of the compose file in it."
    ]


def test_a_secret_is_taken_from_where_the_file_says(compose: ModuleType, tmp_path: Any) -> None:
    (tmp_path / "key").write_text("of-the-file\n")
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services: {web: {image: a, environment: {KEY: a$$b}, secrets: [key, gone]}}\n"
        "secrets: {key: {file: ./key}, gone: {file: ./gone}}\n"
    )
    assert compose.secret(file, "services.web.environment.KEY") == "a$b"
    assert compose.secret(file, "secrets.key") == "of-the-file"
    with pytest.raises(compose.ComposeError, match=r"takes the secret gone from the file .*/gone, which is not there"):
        compose.secret(file, "secrets.gone")
    with pytest.raises(compose.ComposeError, match="has no value for OTHER of web"):
        compose.secret(file, "services.web.environment.OTHER")
