"""What an execution environment is made of: its variables, and the command that starts it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.functions.model import VERSION, Function
from lab.kernel import NETNS
from lab.vpc_services import RESOLVER

# Where the runtime API answers, inside the function's own namespace.
API_ADDRESS, API_PORT = "127.0.0.1", 9001

# What AWS's managed Python runtimes hold besides the function: the runtime client, and boto3.
_RUNTIME = (
    *("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py"),
    *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"),
)

_HERE = Path(__file__).parent


def variables(function: Function, stream: str, credentials: tuple[str, str]) -> dict[str, str]:
    """The environment that the function sees: its own variables, and those that Lambda reserves, which win.

    One is the lab's: AWS_ENDPOINT_URL. The name leads to an address of the simulated internet, so that whoever asks
    AWS needs a way out, as on AWS.
    """
    key, secret = credentials
    return {
        **dict(function.environment),
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "PYTHONPATH": "/var/runtime",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": function.handler,
        "AWS_LAMBDA_RUNTIME_API": f"{API_ADDRESS}:{API_PORT}",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": VERSION,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": "no-token-of-anything-outside-this-lab",
        "AWS_ENDPOINT_URL": f"http://aws.{function.region}.amazonaws.com",
    }


def runtime_files() -> list[Path]:
    """Where the runtime's packages are in this process's own environment. Raises RuntimeError where one is missing."""
    found = []
    for name in _RUNTIME:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"{name} is not installed, without which no function runs; run `make up` again.")
        path = Path(spec.origin)
        found.append(path.parent if path.name == "__init__.py" else path)
    return found


def own_runtime() -> str:
    """The runtime that the lab has: its own Python's."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


# The launcher joins the control groups, limits its memory, and becomes the environment, which ends with whoever
# started it. Arguments: MEMORY-FILE MEMORY-BYTES COUNT CGROUP-FILE… -- COMMAND…
_LAUNCHER = """
[ -z "$1" ] || echo "$2" > "$1"
shift 2
while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done
shift
exec setpriv --pdeathsig KILL "$@"
"""


def command(
    function: Function, *, root: Path, uid: int, code: Path, namespace: str, cgroups: Sequence[Path]
) -> list[str]:
    """Start the function's runtime client at ``root`` (an empty directory) inside a network namespace."""
    limit = memory_file(cgroups)
    python = Path(sys.executable)
    interpreter = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return [
        *("/bin/sh", "-c", _LAUNCHER, "launch", str(limit or ""), str(function.memory * 1024 * 1024)),
        *(str(cgroup / "cgroup.procs") for cgroup in cgroups),
        "--",
        *("nsenter", f"--net={NETNS / namespace}"),
        *("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL"),
        *("/bin/sh", str(_HERE / "jail.sh"), str(root), str(uid), str(function.storage), RESOLVER),
        *(str(code), sys.base_prefix),
        *(str(path) for path in runtime_files()),
        *(str(_HERE / "bootstrap.py"), "--"),
        *(str(interpreter if interpreter.exists() else python.resolve()), "-I", "-S", "/var/runtime/bootstrap.py"),
    ]


def memory_file(cgroups: Sequence[Path]) -> Path | None:
    """The file that limits a control group's memory (v1's or v2's); None where this machine gives none."""
    for cgroup in cgroups:
        for name in ("memory.limit_in_bytes", "memory.max"):
            if (cgroup / name).exists():
                return cgroup / name
    return None
