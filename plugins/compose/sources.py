"""What a service's sources say: its language, its dependencies, and the end of its Dockerfile."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .ledger import Service

# Images that hold a language and no application.
LANGUAGES = {
    "node": "nodejs",
    "bun": "nodejs",
    "python": "python",
    "uv": "python",
    "openjdk": "java",
    "eclipse-temurin": "java",
    "amazoncorretto": "java",
    "maven": "java",
    "gradle": "java",
    "golang": "binary",
    "rust": "binary",
}
FILES = (
    ("nodejs", ("package.json",)),
    ("python", ("requirements.txt", "pyproject.toml", "Pipfile", "setup.py")),
    ("java", ("pom.xml", "build.gradle", "build.gradle.kts", "*.jar")),
    ("binary", ("go.mod", "Cargo.toml")),
)
PYTHON_WEB = [
    "aiohttp",
    "bottle",
    "django",
    "falcon",
    "fastapi",
    "flask",
    "gunicorn",
    "hypercorn",
    "litestar",
    "quart",
    "sanic",
    "starlette",
    "tornado",
    "uvicorn",
]
NODE_WEB = ["express", "fastify", "hapi", "@hapi/hapi", "hono", "koa", "@nestjs/core", "restify"]
JAVA_WEB = [
    "spring-boot-starter-web",
    "spring-boot-starter-webflux",
    "quarkus-rest",
    "quarkus-resteasy",
    "micronaut-http-server",
    "javalin",
    "dropwizard-core",
    "jetty-server",
]
# Directories of what others have written, and files too large to be sources.
NOT_OWN = ("node_modules", "vendor", "target", "dist", "build", "__pycache__", "venv")
LARGEST = 1_000_000
# What builds pages, and where: the first of these that is among the dependencies.
BUNDLERS = {
    "react-scripts": ("build", "Create React App builds there"),
    "next": ("out", "Next.js exports there"),
    "@sveltejs/kit": ("build", "SvelteKit's static adapter builds there"),
    "gatsby": ("public", "Gatsby builds there"),
    "astro": ("dist", "Astro builds there"),
    "@vue/cli-service": ("dist", "Vue CLI builds there"),
    "vite": ("dist", "Vite builds there"),
    "parcel": ("dist", "Parcel builds there"),
}
CONFIGURATIONS = ("vite.config.*", "vue.config.*")
# Where they are told to build, by their settings or their command.
OUTPUT = re.compile(r"^(?!\s*//)[^\n]*?\b(?:outDir|outputDir)\s*:\s*([^,}\n]+)", re.MULTILINE)
ROOT = re.compile(r"^(?!\s*//)[^\n]*?\broot\s*:\s*([^,}\n]+)", re.MULTILINE)
OUTPUT_OPTION = re.compile(r"--(?:outDir|dest|dist-dir)[ =]+([^\s&;|]+)")
PAGES = ("react-dom", "react", "vue", "svelte", "@angular/core", "preact", "solid-js")


@dataclass(frozen=True)
class Dockerfile:
    """The last stage's instructions, and what it copies from other stages."""

    image: str = ""
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    copied: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sources:
    """One service's sources; ``directory`` is None where there are none on this machine."""

    directory: Path | None = None
    mounted: bool = False
    package: Mapping[str, Any] = field(default_factory=dict)
    dependencies: frozenset[str] = frozenset()
    text: str = ""
    runtimes: tuple[tuple[str, str], ...] = ()
    dockerfile: Dockerfile = field(default_factory=Dockerfile)
    proxies: tuple[tuple[str, str, str], ...] = ()

    @property
    def pages(self) -> str:
        """The browser framework of its package.json."""
        return next((name for name in PAGES if name in self.dependencies), "")

    @property
    def web_framework(self) -> str:
        """What it answers HTTP with."""
        node = next((name for name in NODE_WEB if name in self.dependencies), "")
        python = next((name for name in PYTHON_WEB if re.search(rf"\b{name}\b", self.text)), "")
        return node or python or next((name for name in JAVA_WEB if name in self.text), "")

    def configured(self) -> tuple[str, str]:
        """Where a bundler is told to build, relative to the sources, and what says so.

        The directory is empty where it has to be computed, and both are where nothing is said.
        """
        said = OUTPUT_OPTION.search(str((self.package.get("scripts") or {}).get("build", "")))
        if said:
            return os.path.normpath(said[1].strip("'\"")), "its build script says so"
        paths = [path for name in CONFIGURATIONS for path in sorted((self.directory or Path()).glob(name))]
        for path in paths if self.directory else []:
            text = _text(path)
            said, root = OUTPUT.search(text), ROOT.search(text)
            if said:
                parts = [_literal(part[1]) for part in (root, said) if part]
                return (os.path.normpath("/".join(parts)) if all(parts) else ""), f"{path.name} says so"
        return "", ""

    @property
    def built_script(self) -> bool:
        scripts = self.package.get("scripts")
        return isinstance(scripts, dict) and "build" in scripts


def image_name(image: str) -> str:
    """``registry/team/name:tag@digest`` as ``name``."""
    return image.split("@")[0].rsplit("/", 1)[-1].split(":")[0].lower()


def read(service: Service) -> Sources:
    """Read a service's build context, or the directory that is mounted into a language's image."""
    build = service.get("build")
    if isinstance(build, dict):
        directory, mounted = Path(str(build.get("context", ""))), False
        text = str(build.get("dockerfile_inline") or "")
        text = text or _text(directory / str(build.get("dockerfile", "Dockerfile")))
        dockerfile = parse_dockerfile(text, str(build.get("target") or ""))
    else:
        found = _mounted(service)
        if found is None:
            return Sources()
        directory, mounted, dockerfile = found, True, Dockerfile(image=str(service.get("image", "")))
    if not directory.is_dir():
        return Sources(dockerfile=dockerfile)
    package = _package(directory)
    texts = [_text(path) for _, names in FILES[1:3] for name in names if "*" not in name for path in [directory / name]]
    return Sources(
        directory=directory,
        mounted=mounted,
        package=package,
        dependencies=frozenset(
            name for kind in ("dependencies", "devDependencies") for name in (package.get(kind) or {})
        ),
        text="\n".join(texts).lower(),
        runtimes=tuple(_runtimes(directory)),
        dockerfile=dockerfile,
        proxies=tuple(_proxies(directory)),
    )


def _literal(expression: str) -> str:
    """A text between quotes; empty for anything that has to be computed."""
    found = re.fullmatch(r"(['\"`])([\w@./-]+)\1", expression.strip())
    return found[2] if found else ""


def _mounted(service: Service) -> Path | None:
    if image_name(str(service.get("image", ""))) not in LANGUAGES:
        return None
    for volume in service.get("volumes") or []:
        path = Path(str(volume.get("source", "")))
        if volume.get("type") == "bind" and path.is_dir() and list(_runtimes(path)):
            return path
    return None


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


def _package(directory: Path) -> dict[str, Any]:
    try:
        package = json.loads(_text(directory / "package.json") or "{}")
    except ValueError:
        return {}
    return package if isinstance(package, dict) else {}


def _runtimes(directory: Path) -> list[tuple[str, str]]:
    """Each language, with the file that says so."""
    found = []
    for runtime, names in FILES:
        files = [path.name for name in names for path in sorted(directory.glob(name))]
        if files:
            found.append((runtime, files[0]))
    return found


def _proxies(directory: Path) -> list[tuple[str, str, str]]:
    """What nginx passes on: the location, the host, and what comes after the host."""
    found = []
    for path in sorted(
        [*directory.glob("*.conf"), *directory.glob("*.conf.template"), *directory.glob("nginx/*.conf")]
    ):
        for location, body in re.findall(r"location\s+(?:\^~\s+|=\s+)?(/\S*)\s*\{([^}]*)\}", _text(path)):
            passed = re.search(r"proxy_pass\s+https?://([\w.-]+)(?::\d+)?([^;\s]*)", body)
            if passed:
                found.append((location, passed[1], passed[2]))
    return found


def mentions(sources: Sources, word: str) -> bool:
    """Whether any of its text files, dependencies aside, has the word."""
    for place, directories, files in os.walk(sources.directory or "/nonexistent"):
        directories[:] = [name for name in directories if name not in NOT_OWN and not name.startswith(".")]
        for name in files:
            path = Path(place) / name
            if path.stat().st_size < LARGEST and word.encode() in path.read_bytes():
                return True
    return False


def parse_dockerfile(text: str, target: str = "") -> Dockerfile:
    """The instructions of the stage that runs: the one named ``target``, or the last."""
    stages: list[tuple[str, str, list[tuple[str, str]]]] = []
    joined = re.sub(r"\\\s*\n", " ", re.sub(r"^\s*#.*\n?", "", text, flags=re.MULTILINE))
    for line in joined.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word.upper() == "FROM":
            image, _, name = re.sub(r"--\S+\s+", "", rest.strip()).partition(" ")
            stages.append((image, re.sub(r"(?i)^\s*as\s+", "", name).strip(), []))
        elif stages and word:
            stages[-1][2].append((word.upper(), rest.strip()))
    if not stages:
        return Dockerfile()
    chosen = next((stage for stage in stages if target and stage[1] == target), stages[-1])
    return _stage(chosen, {stage[1]: stage for stage in stages if stage[1]})


def _stage(stage: tuple[str, str, list[tuple[str, str]]], named: Mapping[str, Any]) -> Dockerfile:
    image, name, instructions = stage
    # A stage that begins with another inherits what that one says.
    base = _stage(named[image], {}) if image in named and image != name else Dockerfile(image=image)
    entrypoint, command = base.entrypoint, base.command
    ports, environment, copied = list(base.ports), dict(base.environment), list(base.copied)
    for word, rest in instructions:
        if word == "ENTRYPOINT":
            entrypoint, command = _words(rest), []
        elif word == "CMD":
            command = _words(rest)
        elif word == "EXPOSE":
            ports += [int(port.split("/")[0]) for port in rest.split() if port.split("/")[0].isdigit()]
        elif word == "ENV":
            environment |= _assignments(rest)
        elif word == "COPY" and "--from" in rest:
            copied += [part for part in rest.split() if not part.startswith("--")][:-1]
    return Dockerfile(base.image, entrypoint, command, ports, environment, copied)


def _words(rest: str) -> list[str]:
    """An instruction's exec form, or its shell form as the shell that runs it."""
    if rest.startswith("["):
        try:
            return [str(word) for word in json.loads(rest)]
        except ValueError:
            pass
    return ["sh", "-c", rest]


def _assignments(rest: str) -> dict[str, str]:
    if "=" not in rest.split(" ")[0]:
        name, _, value = rest.partition(" ")
        return {name: value.strip()}
    try:
        words = shlex.split(rest)
    except ValueError:
        return {}
    return dict(word.split("=", 1) for word in words if "=" in word)
