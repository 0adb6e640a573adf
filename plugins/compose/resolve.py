"""The compose file as the official parser resolves it: interpolation, .env, env_file, extends, include. No engine."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

DOTENV = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(.*?)(?:[ \t]+#.*)?[ \t]*$", re.MULTILINE)
TIMEOUT = 60  # seconds; a tenth of one is usual
UNSET = re.compile(r'The \\?"(\w+)\\?" variable is not set')


class ComposeError(Exception):
    """The file cannot be read; the message says why, and what to do."""


def resolve(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The resolved model, all profiles included, and the variables that it names and nobody has set.

    Raises ComposeError with the parser's own message where the file is wrong.
    """
    if path.is_dir():
        raise ComposeError(f"compose is {path}, which is a directory; write the path of the compose file in it.")
    if not path.is_file():
        raise ComposeError(f"compose is {path}, which is not a file; write the path of a compose file.")
    command = [*_program(), "--profile", "*", "--file", str(path), "config", "--format", "json"]
    # An answer, whatever this shell has set for its own compose projects; the file's variables it still finds.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, env=environment, check=False)
    except subprocess.TimeoutExpired as error:
        raise ComposeError(f"{command[0]} has not read {path} in {TIMEOUT} seconds.") from error
    if run.returncode != 0:
        reason = run.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ComposeError(f"{path} is not a valid compose file: {reason[0]}")
    return _plain(json.loads(run.stdout)), sorted(set(UNSET.findall(run.stderr)))


def dotenv(file: Path) -> dict[str, str]:
    """The variables of the .env beside a compose file, without their quotes; nothing in them is filled in."""
    path = file.parent / ".env"
    text = path.read_text(errors="replace") if path.is_file() else ""
    return {name: value.strip("'\"") for name, value in DOTENV.findall(text)}


def _program() -> list[str]:
    """The parser of this environment, or the machine's own."""
    spec = importlib.util.find_spec("compose")
    for directory in (spec.submodule_search_locations or []) if spec else []:
        if (Path(directory) / "docker-compose").is_file():
            return [str(Path(directory) / "docker-compose")]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker"):
        return ["docker", "compose"]
    raise ComposeError("There is no docker-compose here to read compose files with; run `make setup`, or install one.")


def _plain(value: Any) -> Any:
    """The values themselves: the parser writes a dollar sign as two, so that its output can be read again."""
    if isinstance(value, dict):
        return {key: _plain(element) for key, element in value.items()}
    if isinstance(value, list):
        return [_plain(element) for element in value]
    return value.replace("$$", "$") if isinstance(value, str) else value
