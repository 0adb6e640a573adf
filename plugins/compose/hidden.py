"""Secrets in what is written to files and shown: the words of commands and of health checks."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .resolve import dotenv
from .settings import RANDOM, TRIVIAL, URL, WITH_KEY, WITH_PASSWORD, WITHIN, is_secret

# How an option ends whose value is a secret. --token-file names a place, and --sort-key a column.
NAME = re.compile(
    r"^KEY$|(^|_)(PASS(WORD|WD|PHRASE)?|PWD|\w*SECRET|\w*TOKEN|CREDENTIALS?"
    r"|(API|ACCESS|AUTH|SECRET|PRIVATE|SIGNING|ENCRYPTION|LICEN[CS]E|JWT)_?KEY)$"
)
# The settings whose values may stand anywhere, also where a password is the same word.
PLAIN = re.compile(r"(USER|USERNAME|LOGIN|NAME|DATABASE|DB|SCHEMA|HOST)$")
HEADER = re.compile(r"(?:authorization|x-[\w-]*key|[\w-]*-token)\s*:\s*(?:(?:bearer|basic|token)\s+)?+[^\s$'\"]", re.I)
USER = re.compile(r"\bcurl\b.*\s(?:-u[ =]?|--user[ =])['\"]?[^\s:'\"]+:[^\s$'\"]", re.DOTALL)
# The part of a random word that makes it one: paths and names of several words are long, but have none.
LONG = re.compile(r"(?=.*[A-Za-z])(?=.*\d)[A-Za-z0-9+=]{16,}")
# Where a secret is, or where a variable holds it: no secret itself.
ELSEWHERE = ("$", "/", "./", "../", "-", "%")
SHORTEST = 4  # a known secret that is shorter than that is also a part of innocent words
LONGEST_FILE = 4096


def known(model: Mapping[str, Any], file: Path) -> frozenset[str]:
    """The values that are secret somewhere in the file, in its .env, or in a shell's variable that it names."""
    services: Mapping[str, Any] = model.get("services") or {}
    named = set(re.findall(r"\$\{?(\w+)", file.read_text(errors="replace"))) if file.is_file() else set()
    shell = {name: value for name, value in os.environ.items() if name in named}
    given = [*dotenv(file).items(), *shell.items()]
    for service in services.values():
        given += [(name, str(value)) for name, value in (service.get("environment") or {}).items() if value is not None]
    secret = {value for name, value in given if _certain(name, value)}
    secret |= {url["password"] for _, value in given for url in URL.finditer(value) if url["password"]}
    secret |= set(_of_files(model, dict(given)))
    plain = {value for name, value in given if PLAIN.search(name.upper()) and not is_secret(name, value)} | {*services}
    return frozenset(
        value for value in secret - plain if len(value) >= SHORTEST and not TRIVIAL.fullmatch(value) and value[0] != "/"
    )


def _certain(name: str, value: str) -> bool:
    """Whether a setting is a secret without a doubt, so that its value is one wherever else it stands."""
    return is_secret(name, value) and bool(
        NAME.search(name.upper()) or name.upper().endswith("KEY") or is_secret("", value)
    )


def _of_files(model: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[str]:
    for definition in (model.get("secrets") or {}).values():
        yield str(definition.get("content") or given.get(str(definition.get("environment"))) or "")
        path = Path(str(definition.get("file") or ""))
        try:
            if path.is_file() and path.stat().st_size <= LONGEST_FILE:
                yield path.read_text(errors="replace").strip()
        except OSError:
            continue  # a file of root's is read at the first deployment, if at all


def found(words: Sequence[str], known: Collection[str], looks: bool = True) -> str:
    """What secret is among a command's words, in words that do not say it; empty where there is none.

    Without ``looks``, what only looks like a key is none.
    """
    text = " ".join(words)
    if HEADER.search(text) or USER.search(text):
        return "a password or a token for a request"
    pieces = [piece for word in words for piece in _pieces(word)]
    several = [one for one in [*words, *pieces] if one.startswith("{")] + [one for one in pieces if ";" in one]
    if any(WITHIN.search(one) for one in several):
        return "settings with a password or a key"
    for before, piece in zip(["", *pieces], pieces, strict=False):
        if _with_password(piece):
            return "an address with a password or a key"
        name, _, value = piece.partition("=")
        for option, given in ((name, value), (before if before.startswith("-") else "", piece)):
            if _names_secret(option, given):
                return f"the value of {option}"
        if looks and _looks_secret(value or piece):
            return "it looks like a key"
    if any(re.search(rf"(?:(?<![\w-])|(?<=\s-p)){re.escape(value)}(?![\w-])", text) for value in known):
        return "a value that is secret elsewhere, too"
    return ""


def _pieces(word: str) -> list[str]:
    """A shell's script as its words, any other word as it is."""
    try:
        return shlex.split(word)
    except ValueError:
        return word.split()


def _with_password(word: str) -> bool:
    url = URL.search(word)
    passwords = [url["password"] or ""] if url else []
    passwords += [match[0].rsplit(":", 1)[-1] for match in WITH_PASSWORD.finditer(word)]
    return any(password and not password.startswith("$") for password in passwords) or bool(WITH_KEY.search(word))


def _names_secret(option: str, value: str) -> bool:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", option.lstrip("-"))
    name = re.sub(r"\W", "_", name).upper()
    return bool(NAME.search(name)) and not value.startswith(ELSEWHERE) and is_secret(name, value)


def _looks_secret(word: str) -> bool:
    long = any(LONG.fullmatch(part) for part in re.split(r"[/_-]", word))
    return word.startswith("-----BEGIN ") or bool(RANDOM.fullmatch(word) and long)
