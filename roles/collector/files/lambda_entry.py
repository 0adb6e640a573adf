"""Lambda's way in: puts the function's secrets into files, as its settings expect them, and hands over to its handler.

HANDLER names that (``package.module.function``). SECRET_FILES is JSON: by the name of each environment variable that
shall name a file, the secret in Secrets Manager that the file shall hold. Files are in /tmp, which is the
environment's own, and are written once for as long as Lambda keeps it.
"""

import importlib
import json
import os
from pathlib import Path

import boto3
from botocore.config import Config

DIRECTORY = Path("/tmp/secrets")  # noqa: S108 - nobody else is in the execution environment
# Without a way to AWS, say so within Lambda's ten seconds of start.
CONFIG = Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 2})


def write_secrets() -> None:
    """Fetch each secret into a file that only the function reads, and set the variable that names it."""
    wanted = json.loads(os.environ.get("SECRET_FILES", "{}"))
    if not wanted:
        return
    DIRECTORY.mkdir(mode=0o700, exist_ok=True)
    client = boto3.client("secretsmanager", config=CONFIG)
    for variable, secret in wanted.items():
        path = DIRECTORY / variable.lower()
        path.touch(mode=0o600)
        path.write_text(client.get_secret_value(SecretId=secret)["SecretString"])
        os.environ[variable] = str(path)


write_secrets()
_module, _, _name = os.environ["HANDLER"].rpartition(".")
handler = getattr(importlib.import_module(_module), _name)
