from __future__ import annotations

from pathlib import Path

from lab.functions import environment
from lab.functions.model import Function


def function(**given: object) -> Function:
    values = {
        "name": "collector",
        "arn": "arn:aws:lambda:ap-northeast-2:123456789012:function:collector",
        "handler": "app.handler",
        "runtime": "python3.13",
        "role": "arn:aws:iam::123456789012:role/collector",
        "timeout": 60,
        "memory": 128,
        "storage": 512,
        "environment": (("OWN", "value"), ("AWS_REGION", "elsewhere")),
        "interfaces": ("eni-1",),
        "code_sha256": "0" * 64,
        "revision": "1",
        "state": "Active",
        "region": "ap-northeast-2",
    }
    return Function(**{**values, **given})  # type: ignore[arg-type]


def test_what_lambda_reserves_wins_over_the_functions_own_variables() -> None:
    found = environment.variables(function(), "stream", ("KEY", "SECRET"))
    assert found["OWN"] == "value"
    assert found["AWS_REGION"] == "ap-northeast-2"
    assert found["_HANDLER"] == "app.handler"
    assert found["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/collector"


def test_a_functions_variables_are_not_in_the_command_that_root_runs() -> None:
    given = function(environment=(("LD_PRELOAD", "/var/task/evil.so"), ("PASSWORD", "hidden")))
    command = environment.command(given, root=Path("/r"), uid=61200, code=Path("/c"), namespace="lab-eni-1", cgroups=())
    assert not [word for word in command if "evil" in word or "hidden" in word]
    assert "--net=/run/netns/lab-eni-1" in command


def test_the_memory_limit_is_found_in_either_version_of_control_groups(tmp_path: Path) -> None:
    first, second = tmp_path / "v1", tmp_path / "v2"
    for directory, name in ((first, "memory.limit_in_bytes"), (second, "memory.max")):
        directory.mkdir()
        assert environment.memory_file((directory,)) is None
        (directory / name).touch()
        assert environment.memory_file((tmp_path, directory)) == directory / name
