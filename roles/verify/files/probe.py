"""Tries connections from this place, all at once, and looks at what only the place itself can see.

Argument: JSON with ``timeout`` (seconds that a connection may take before it counts as dropped), ``connections`` (a
list of ``[host, port, must get through]``), and optionally ``address_url`` (what tells the address that the outside
sees), ``metadata`` (ask the metadata service without a token) and ``mysql`` (ask the MySQL server on this host).
Output: JSON with ``connections`` (``[host, port, outcome]``: open, refused, dropped or unknown name), ``address``,
``metadata_without_token`` (a status or null) and ``mysql`` (values by name, or ``problem``).
"""

import concurrent.futures
import errno
import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request

METADATA = "http://169.254.169.254/latest/meta-data/instance-id"
# Patience for what must get through: it costs nothing where it does.
PATIENCE = 5
QUERY = """
SELECT 'require_secure_transport', @@global.require_secure_transport;
SELECT 'super_read_only', @@global.super_read_only;
SELECT 'receiver', SERVICE_STATE FROM performance_schema.replication_connection_status;
SELECT 'applier', SERVICE_STATE FROM performance_schema.replication_applier_status;
SELECT 'source_tls', SSL_ALLOWED FROM performance_schema.replication_connection_configuration;
SELECT 'error', LAST_ERROR_MESSAGE FROM performance_schema.replication_connection_status;
"""


def outcome(asked):
    host, port, must = asked
    try:
        with socket.create_connection((host, port), timeout=max(timeout, PATIENCE) if must else timeout):
            return host, port, "open"
    except socket.gaierror:
        return host, port, "unknown name"
    except OSError as error:
        return host, port, "refused" if error.errno == errno.ECONNREFUSED else "dropped"


def seen_address(url):
    try:
        with urllib.request.urlopen(url, timeout=max(timeout, PATIENCE)) as answer:  # noqa: S310 — the playbook's own URL
            found = re.search(r"\d+\.\d+\.\d+\.\d+", answer.read(1000).decode())
    except OSError:
        return None
    return found[0] if found else None


def metadata_status():
    try:
        with urllib.request.urlopen(METADATA, timeout=timeout) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def mysql():
    command = ["mysql", "--batch", "--skip-column-names", "--connect-timeout=5"]
    try:
        done = subprocess.run(command, input=QUERY, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"problem": str(error)}
    if done.returncode:
        return {"problem": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it says nothing"}
    return dict(line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line)


asked = json.loads(sys.argv[1])
timeout = asked["timeout"]
with concurrent.futures.ThreadPoolExecutor(64) as pool:
    address = pool.submit(seen_address, asked["address_url"]) if asked.get("address_url") else None
    metadata = pool.submit(metadata_status) if asked.get("metadata") else None
    database = pool.submit(mysql) if asked.get("mysql") else None
    connections = list(pool.map(outcome, asked["connections"]))
said = {
    "connections": connections,
    "address": address and address.result(),
    "metadata_without_token": metadata and metadata.result(),
    "mysql": database and database.result(),
}
print(json.dumps(said))
