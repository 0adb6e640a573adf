"""CloudFront, and what verify expects of it and of the hosts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import instances
from .shapes import BUCKET, BUCKET_WORDS, Key, among, matching, records, within
from .wording import Refusals

ALIAS = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:([a-z0-9-]+):[0-9]{12}:certificate/[0-9a-f-]{36}")
BACKEND_PATH = re.compile(r"/[A-Za-z0-9_.*$/~\"'@:+&?-]{1,254}")
REACH = {"from": Key("str"), "to": Key("str"), "port": Key("port"), "reaches": Key("bool")}
PATH = {"path": Key("str"), "status": Key("int")}


def check(variables: Mapping[str, Any], refusals: Refusals) -> None:
    """Everything that begins with ``cdn_`` and ``verify_``."""
    _aliases(refusals, variables)
    if "cdn_bucket" in variables:  # by default it is known only when the account is
        matching(refusals, "cdn_bucket", variables["cdn_bucket"], BUCKET, BUCKET_WORDS)
    path = variables.get("cdn_backend_path")
    if path == "/*":
        refusals.add("cdn_backend_path", path, "would take the frontend's pages too", "a narrower one, such as /api/*")
    elif path is not None:
        matching(refusals, "cdn_backend_path", path, BACKEND_PATH, "a path pattern with a slash first, such as /api/*")
    _reach(refusals, variables)
    for label, expected in records(refusals, "verify_paths", variables.get("verify_paths"), PATH):
        if not str(expected["path"]).startswith("/"):
            refusals.add(f"{label}.path", expected["path"], "does not begin with a slash", f"/{expected['path']}")
        within(refusals, f"{label}.status", expected["status"], 200, 599)


def _aliases(refusals: Refusals, variables: Mapping[str, Any]) -> None:
    aliases = variables.get("cdn_aliases") or []
    certificate = str(variables.get("cdn_certificate_arn") or "")
    for alias in aliases:
        matching(refusals, "cdn_aliases", alias, ALIAS, "a domain name without https://, such as www.example.com")
    if aliases and not certificate:
        write = f"the ARN of a certificate for {aliases[0]} in us-east-1"
        refusals.add("cdn_certificate_arn", certificate, "cannot be, since cdn_aliases has names", write)
    if not certificate:
        return
    arn = CERTIFICATE.fullmatch(certificate)
    if arn is None:
        write = "arn:aws:acm:us-east-1:ACCOUNT:certificate/ID, as ACM shows it"
        refusals.add("cdn_certificate_arn", certificate, "is no certificate's ARN", write)
    elif arn[1] != "us-east-1":
        write = "one of us-east-1, the only region that CloudFront takes them from"
        refusals.add("cdn_certificate_arn", certificate, f"is in {arn[1]}", write)


def _reach(refusals: Refusals, variables: Mapping[str, Any]) -> None:
    names = [str(host["name"]) for host in instances.of(variables)]
    for label, expected in records(refusals, "verify_reach", variables.get("verify_reach"), REACH):
        if not refusals.knows(expected["port"]):
            within(refusals, f"{label}.port", expected["port"], 1, 65535)
        for end in ("from", "to") if names else ():
            among(refusals, f"{label}.{end}", expected[end], names, "is not in instances_list")
