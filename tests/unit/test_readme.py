"""The README and the documents beside it: what they name is there."""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest
import yaml

from lab.cli import parser

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = sorted([README, *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"(?![\d~/])[\w.-]+(/[\w.-]*)+")
FILE = re.compile(r"[\w-]+\.(yml|yaml|md|toml|py|lock|json|txt|html|svg|png)")
VARIABLE = re.compile(
    r"(?:project|network|security_groups|instances|mysql|cdn|verify|backend|collector|frontend_build)_\w+"
)
# What setup or a run makes; no checkout has it.
MADE = (".venv/", ".lab/")


def tracked() -> frozenset[str]:
    """Every tracked path, and every directory that holds one."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [PurePosixPath(line) for line in listed.stdout.splitlines()]
    return frozenset(str(path) for file in files for path in (file, *file.parents))


def code(text: str) -> list[str]:
    """The text's code: its blocks' lines, and what stands between backticks."""
    blocks = [line.strip() for block in FENCE.findall(text) for line in block.splitlines()]
    return blocks + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def lab_commands() -> set[str]:
    commands = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return set(commands.choices)


def playbook_tags() -> set[str]:
    """The tags of every play that site.yml imports."""
    imports = yaml.safe_load((ROOT / "site.yml").read_text())
    plays = [play for each in imports for play in yaml.safe_load((ROOT / each["import_playbook"]).read_text())]
    tags: set[str] = set()
    for play in plays:
        found = play.get("tags", [])
        tags |= set(found.split(",") if isinstance(found, str) else found)
    return tags - {"always"}


def variables() -> set[str]:
    """Every variable that group_vars or a role's defaults give or, where they must be given, describe."""
    files = [*ROOT.glob("group_vars/all/*.yml"), *ROOT.glob("roles/*/defaults/main.yml")]
    return {name for file in files for name in re.findall(r"^(?:# )?(\w+):", file.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_picture_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    missing = [t for t in targets if "://" not in t and not (document.parent / t).is_file()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_named_exists(document: Path) -> None:
    known = tracked()
    words = [word.rstrip(",;:") for line in code(document.read_text()) for word in line.split()]
    paths = {word.rstrip("/") for word in words if PATH.fullmatch(word) and not word.startswith(MADE)}
    assert paths - known == set()
    basenames = {PurePosixPath(path).name for path in known}
    assert {word for word in words if FILE.fullmatch(word)} - basenames == set()


def test_every_make_target_named_exists() -> None:
    named = {target for line in code(README.read_text()) for target in re.findall(r"^make ([\w-]+)", line)}
    assert {"up", "test", "down"} <= named
    assert named - make_targets() == set()


def test_every_lab_command_named_exists_and_every_one_is_named() -> None:
    lines = [line for document in DOCUMENTS for line in code(document.read_text())]
    named = {found for line in lines for found in re.findall(r"(?:^|[ /])lab ([a-z]+)", line)}
    assert named == lab_commands()


def test_the_table_of_tags_holds_the_playbooks_tags() -> None:
    text = README.read_text()
    table = text.partition("## Tags")[2].partition("\n## ")[0]
    rows = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert rows == playbook_tags() - {"hosts"}
    used = {tag for line in code(text) for tags in re.findall(r"--tags ([\w,]+)", line) for tag in tags.split(",")}
    assert used
    assert used - playbook_tags() == set()


def test_every_variable_named_exists() -> None:
    named = {word for line in code(README.read_text()) for word in line.split() if VARIABLE.fullmatch(word)}
    assert len(named) > 20
    assert named - variables() - playbook_tags() == set()


def test_no_document_names_a_path_of_the_machine_it_was_written_on() -> None:
    for document in [*DOCUMENTS, *(ROOT / "docs").glob("*.svg")]:
        assert not re.search(r"/(work|home|root|Users)/", document.read_text()), document
