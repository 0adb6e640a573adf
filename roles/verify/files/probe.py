"""Tries connections from this host, all at once, and fetches the address that the outside sees.

Argument: JSON with ``timeout`` (seconds), ``address_url`` and ``connections`` (a list of ``[host, port]``).
Output: JSON with ``address`` (a string or null) and ``reached`` (a list of booleans, in the same order).
"""

import concurrent.futures
import json
import re
import socket
import sys
import urllib.request


def reached(connection):
    try:
        with socket.create_connection(connection, timeout=asked["timeout"]):
            return True
    except OSError:
        return False


def seen_address(url):
    if not url:
        return None
    try:
        with urllib.request.urlopen(url, timeout=asked["timeout"]) as answer:  # noqa: S310 — the playbook's own URL
            found = re.search(r"\d+\.\d+\.\d+\.\d+", answer.read(1000).decode())
    except OSError:
        return None
    return found[0] if found else None


asked = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    address = pool.submit(seen_address, asked["address_url"])
    results = list(pool.map(reached, asked["connections"]))
print(json.dumps({"address": address.result(), "reached": results}))
