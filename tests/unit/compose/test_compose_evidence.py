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
        ("FEED", "https://api.example.com/v1?format=json&api_key=abc", True),
        ("FEED", "https://api.example.com/v1?key=$KEY", False),
        ("STORE", "user:pw@tcp(db:3306)/shop", True),
        ("SETTINGS", '{"spring.datasource.password": "pw"}', True),
        ("STORE", "Server=db;Uid=shop;Pwd=pw;", True),
        ("SETTINGS", '{"password_file": "/run/secrets/x", "keys": 3}', False),
    ],
)
def test_a_setting_is_secret_by_its_name_or_its_looks(name: str, value: str, secret: bool) -> None:
    assert module("settings").is_secret(name, value) is secret


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["./app", "--db", "mysql://u:pw@db/x"], "an address with a password or a key"),
        (["./app", "--db=jdbc:mysql://db/x?user=u&password=pw"], "an address with a password or a key"),
        (["sh", "-c", "exec ./app 'postgres://u:pw@elsewhere/x'"], "an address with a password or a key"),
        (["./app", "-dsn", "u:pw@tcp(db:3306)/x"], "an address with a password or a key"),
        (["./app", "--password", "pw"], "the value of --password"),
        (["./app", "--dbPassword=pw"], "the value of --dbPassword"),
        (["./app", "--access-token=abc"], "the value of --access-token"),
        (["java", "-Dspring.datasource.password=pw", "-jar", "a.jar"], "the value of -Dspring.datasource.password"),
        (["sh", "-c", "API_KEY=abc ./app"], "the value of API_KEY"),
        (["./app", "--key=abc"], "the value of --key"),
        (["curl", "-H", "Authorization: Bearer abc", "http://db"], "a password or a token for a request"),
        (["sh", "-c", "curl -u me:pw http://db || exit 1"], "a password or a token for a request"),
        (["./app", "sk4Zb81kLq09TnXw7Rt2"], "it looks like a key"),
        (["./app", "--settings", '{"db": {"password": "pw"}}'], "settings with a password or a key"),
        (["sh", "-c", "exec ./app --store 'Server=db;Pwd=pw'"], "settings with a password or a key"),
        (["./app", "known-to-all"], "a value that is secret elsewhere, too"),
        (["mysqladmin", "ping", "-pknown-to-all"], "a value that is secret elsewhere, too"),
        (["./app", "--url", "http://db/?x=known-to-all"], "a value that is secret elsewhere, too"),
        (["./app", "--port", "8000", "--token-ttl", "3600", "--tokens=5"], ""),
        (["./app", "--password-file", "/run/secrets/db", "--key=/etc/tls/key.pem", "--token=true"], ""),
        (["./app", "--password", "$PASSWORD", "--db", "mysql://u:$PASSWORD@db/x", "--token"], ""),
        (["sh", "-c", 'mysqladmin ping -p"$(cat /run/secrets/root)" -h db'], ""),
        (["curl", "-H", "Authorization: Bearer $TOKEN", "-u", "$ME:$PW", "http://localhost:3000/health"], ""),
        (["sh", "-c", "./prepare; exec ./app --host ${HOST} --sort-key=name"], ""),
        (["/usr/local/lib/service-of-orders-2/bin/run", "--sort-key=name", "known-to-all-others4"], ""),
        (["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/', timeout=3)"], ""),
    ],
)  # fmt: skip
def test_a_secret_is_found_among_the_words_of_a_command(words: list[str], found: str) -> None:
    assert module("hidden").found(words, {"known-to-all"}) == found


def test_what_somebody_has_answered_may_look_like_a_key() -> None:
    assert module("hidden").found(["./app", "sk4Zb81kLq09TnXw7Rt2"], (), looks=False) == ""


def test_what_is_secret_somewhere_is_known(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELLS_TOKEN", "of-the-shell")
    monkeypatch.setenv("OTHERS_TOKEN", "of-nobody")
    file = tmp_path / "compose.yaml"
    file.write_text("services: {web: {command: 'run ${SHELLS_TOKEN}'}}\n")
    (tmp_path / ".env").write_text("export MAIL_KEY='of-the-mail' \nLEVEL=debug # not secret\nDB_USER=station\n")
    (tmp_path / "key").write_text("of-the-file\n")
    model = {
        "services": {
            "web": {
                "environment": {
                    "URL": "mysql://u:of-the-url@db/x", "PW_FILE": "/run/secrets/x", "AUTH": "http://auth:80",
                    "DB_PASSWORD": "station", "MAIL_PASSWORD": "pw", "ADMIN_PASSWORD": "web",
                },
            },
        },
        "secrets": {"a": {"file": str(tmp_path / "key")}, "b": {"content": "of-itself"}, "c": {"file": "/nowhere"}},
    }  # fmt: skip
    assert module("hidden").known(model, file) == {
        "of-the-shell", "of-the-mail", "of-the-file", "of-the-url", "of-itself", "mysql://u:of-the-url@db/x",
    }  # fmt: skip


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
    (tmp_path / "Dockerfile").write_text("FROM x\nENV SALT=of-the-image KEY=other\n")
    built = tmp_path / "built.yaml"
    built.write_text("services: {web: {build: ., environment: {KEY: own}}}\n")
    values = [compose.secret(built, f"services.web.environment.{name}") for name in ("KEY", "SALT")]
    assert values == ["own", "of-the-image"]
    assert compose.secret(file, "secrets.key") == "of-the-file"
    with pytest.raises(compose.ComposeError, match=r"takes the secret gone from the file .*/gone, which is not there"):
        compose.secret(file, "secrets.gone")
    with pytest.raises(compose.ComposeError, match="has no value for OTHER of web"):
        compose.secret(file, "services.web.environment.OTHER")
