"""The warm interpreter has parsed what its forks need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SERVER = Path(__file__).parents[3] / "plugins/warm/server.py"

# What a module does: a session of its own, and a client. Which files are read for it is all that counts.
CLIENTS = """\
import json, runpy, sys
server = runpy.run_path(sys.argv[1])
server["warm_up"]()
import boto3
read = []
sys.addaudithook(lambda event, found: read.append(str(found[0])) if event == "open" else None)
for service in server["SERVICES"]:
    boto3.session.Session("any", "any", region_name="us-east-1").client(service)
print(json.dumps([path for path in read if path.endswith((".json", ".json.gz"))]))
"""


def test_a_client_of_a_fork_parses_no_model_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLIENTS, str(SERVER)], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout) == []
