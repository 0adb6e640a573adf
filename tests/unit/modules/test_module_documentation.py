"""What the AWS modules document is what they take, and their examples are tasks that they accept."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

ROOT = Path(__file__).parents[3]
EVERY_MODULE = sorted(path.stem for path in (ROOT / "library").glob("*.py"))
# What stands in for a module's work, once its arguments were accepted; `finish` in all others.
SITE_MODULES = {
    "s3_site": {"run": lambda *_: {"accepted": True}},
    "s3_site_info": {"reach": Mock(), "read_bucket": Mock(), "releases": lambda *_: {"accepted": True}},
}


def documented(options):
    """Options of a DOCUMENTATION, in the terms of an argument specification."""
    kept = ("type", "elements", "required", "default", "choices", "aliases")
    return {
        name: {
            **{key: option[key] for key in kept if option.get(key) not in (None, False, [])},
            **({"options": documented(option["suboptions"])} if "suboptions" in option else {}),
        }
        for name, option in options.items()
    }


def taken(arguments):
    """An argument specification without what documentation does not repeat."""
    kept = ("type", "elements", "required", "default", "choices", "aliases")
    return {
        name: {
            **{key: argument[key] for key in kept if argument.get(key) not in (None, False, [])},
            **({"options": taken(argument["options"])} if "options" in argument else {}),
        }
        for name, argument in arguments.items()
    }


def ansible_doc(*options):
    command = [str(Path(sys.executable).with_name("ansible-doc")), "-t", "module", "-M", "library", *options]
    return subprocess.run([*command, *EVERY_MODULE], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def rendered():
    """What ansible-doc makes of the modules, fragments included."""
    answer = ansible_doc("--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_ansible_doc_renders_every_module(rendered):
    assert sorted(rendered) == EVERY_MODULE
    for name in EVERY_MODULE:
        assert rendered[name]["doc"]["options"]["endpoint_url"], "the collection's fragments are missing"
        assert rendered[name]["return"] and rendered[name]["examples"]


def test_ansible_doc_shows_every_module_as_text():
    """As JSON the markup stays as written; as text it is read, up to the first bracket that no backslash precedes."""
    answer = ansible_doc()
    assert (answer.returncode, answer.stderr) == (0, "")
    assert re.findall(r"^> MODULE .*/library/(\w+)\.py\)$", answer.stdout, re.MULTILINE) == EVERY_MODULE
    unread = re.findall(r"\b(?:RV|[BCEILMOPRUV])\(.*", answer.stdout)
    cut_short = [text for text in re.findall(r"`([^`']*)'", answer.stdout) if text.count("(") != text.count(")")]
    assert (unread, cut_short) == ([], [])


@pytest.mark.parametrize("name", EVERY_MODULE)
def test_the_documented_options_are_those_of_the_argument_specification(loaded, rendered, name):
    every_aws_modules = aws_argument_spec()
    own = {key: option for key, option in rendered[name]["doc"]["options"].items() if key not in every_aws_modules}
    module = loaded(name)
    assert documented(own) == taken(getattr(module, "ARGUMENTS", None) or module.SITE)


@pytest.mark.parametrize("name", EVERY_MODULE)
def test_the_examples_are_tasks_that_the_modules_accept(loaded, name, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "ap-northeast-2")
    tasks = yaml.safe_load(loaded(name).EXAMPLES)
    used = [(key, task[key]) for task in tasks for key in task if key in EVERY_MODULE]
    assert len(used) == len(tasks) and name in dict(used)
    for other, options in used:
        module, said = loaded(other), io.StringIO()
        stand_ins = SITE_MODULES.get(other, {"finish": lambda accepted, _: accepted.exit_json(accepted=True)})
        for attribute, stand_in in stand_ins.items():
            monkeypatch.setattr(module, attribute, stand_in)
        with patch_module_args(options), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            module.main()
        assert json.loads(said.getvalue()).get("accepted"), said.getvalue()


@pytest.mark.parametrize("name", EVERY_MODULE)
def test_a_module_is_under_400_lines_and_shadows_no_other(name):
    assert len((ROOT / "library" / f"{name}.py").read_text().splitlines()) < 400
    collections = Path(sys.prefix).glob(f"lib/python3*/site-packages/ansible_collections/*/*/plugins/modules/{name}.py")
    assert list(collections) == []
