#!/usr/bin/python
"""Take a lease on an S3 object, so that one run at a time changes something."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_lease
short_description: Take a lease on an S3 object, so that one run at a time changes something
description:
  - Writes an object that says who holds the lease, since when and with what, unless another run's lease is there that
    has not ended. S3's conditional writes decide between two who want it at once, and S3's clock tells when one ended.
  - With O(process), a process of its own renews the lease for as long as that one lives, and then gives it back.
  - The bucket is created when it is missing.
author: The Madang authors
options:
  bucket:
    description: The bucket's name.
    type: str
    required: true
  key:
    description: The object's key.
    type: str
    default: lock.json
  state:
    description: Whether to take the lease, or to remove the one that is there.
    type: str
    choices: [present, absent]
    default: present
  run:
    description:
      - What tells this run from any other.
      - With O(state=absent), the run whose lease is removed; another's stays, and the task fails. Without it nothing is
        removed unless there is no lease.
    type: str
    default: ""
  owner:
    description: Who takes it, for others to read.
    type: str
    default: ""
  command:
    description: What they take it for, for others to read.
    type: str
    default: ""
  seconds:
    description: How long the lease lasts when nothing renews it.
    type: int
    default: 300
  wait:
    description: Seconds to wait for another run's lease to end.
    type: int
    default: 0
  process:
    description: The process for whose life the lease is renewed, ten times in O(seconds). Without it nothing does.
    type: int
    default: 0
  directory:
    description:
      - The run's own directory, required with O(process). In its file C(lock.lost) it is said how the lease was lost.
      - A run whose process has ended lives on while somebody holds a flock on C(lock.alive) there.
    type: path
  tags:
    description: Tags of the bucket when it is created.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Take the lock
  s3_lease:
    bucket: shop-production-deploy-123456789012
    run: 3fa9c1d2
    owner: kim@laptop
    command: site.yml
    tags: {Project: shop}

- name: Break it
  s3_lease:
    bucket: shop-production-deploy-123456789012
    state: absent
    run: 3fa9c1d2
"""

RETURN = r"""
lease:
  description: The lease that this run holds, or, with O(state=absent), the one that was there; V(null) for none.
  returned: when it did not fail
  type: dict
holder:
  description: Who has it, since when and with what, in words; empty if nobody has.
  returned: when it did not fail
  type: str
ends:
  description: When the lease ends, in words; empty if nobody has it.
  returned: when it did not fail
  type: str
keeper:
  description: The process that renews it; 0 where none does.
  returned: when it did not fail
  type: int
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.module_utils import s3_lease_keeper
from ansible.module_utils.aws_outcome import Outcome, doing, error_code, finish, patient, patient_with, refusal
from ansible.module_utils.s3_lease import Held, Lease, Store, ends, standing, take, told
from ansible.module_utils.s3_private_buckets import ensure as ensure_bucket
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

with suppress(ImportError):
    from botocore.exceptions import ClientError

ARGUMENTS: dict[str, Any] = {
    "bucket": {"type": "str", "required": True},
    "key": {"type": "str", "default": "lock.json"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "run": {"type": "str", "default": ""},
    "owner": {"type": "str", "default": ""},
    "command": {"type": "str", "default": ""},
    "seconds": {"type": "int", "default": 300},
    "wait": {"type": "int", "default": 0},
    "process": {"type": "int", "default": 0},
    "directory": {"type": "path"},
    "tags": {"type": "dict", "default": {}},
}
REMEDIES = {
    "AccessDenied": "The credentials need s3:CreateBucket, s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject",
    "403": "The credentials need s3:CreateBucket, s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject",
}


def wanted(asked: Mapping[str, Any]) -> Lease:
    """The lease that the task asks for; S3 tells since when."""
    return Lease(
        run=asked["run"],
        owner=asked["owner"],
        command=asked["command"],
        process=asked["process"],
        since=datetime.now(UTC),
        seconds=asked["seconds"],
    )


def values(store: Store, lease: Lease | None, keeper: int = 0) -> dict[str, Any]:
    """What the task returns."""
    return {
        "lease": lease.as_record(store.now()) if lease else None,
        "holder": told(lease, store.now()) if lease else "",
        "ends": ends(lease) if lease else "",
        "keeper": keeper,
    }


def present(
    store: Store, asked: Mapping[str, Any], create_bucket: Callable[[], Any], start: Callable[[Lease], int]
) -> Outcome:
    """Take it."""
    try:
        lease = take(store, wanted(asked), asked["wait"])
    except ClientError as error:
        if error_code(error) != "NoSuchBucket":
            raise
        create_bucket()
        # A new bucket is not known everywhere at once.
        lease = patient_with(take, "NoSuchBucket")(store, wanted(asked), asked["wait"])
    keeper = start(lease) if asked["process"] else 0
    return Outcome(True, {}, lease.as_record(store.now()), values(store, lease, keeper))


def look(store: Store) -> Lease | None:
    """The lease that is there, also where there is no bucket yet."""
    try:
        return store.look()
    except ClientError as error:
        if error_code(error) != "NoSuchBucket":
            raise
        return None


def plan(store: Store, asked: Mapping[str, Any]) -> Outcome:
    """What taking it would do."""
    found = look(store)
    if found and standing(found, asked["run"]) == "held":
        raise Held(found, store.now())
    return Outcome(True, {}, wanted(asked).as_record(store.now()), values(store, None))


def absent(store: Store, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Remove the lease of the run that is named."""
    found = look(store)
    if found is None:
        return Outcome(False, values=values(store, None))
    before = found.as_record(store.now())
    if not check_mode:
        if found.run != asked["run"]:
            raise refusal(f"{told(found, store.now())}; write run: {found.run} to remove it.")
        if not store.remove(found):
            # It was renewed meanwhile, or another run has it; the next look tells.
            return absent(store, asked, check_mode)
    return Outcome(True, before, {}, values(store, found))


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    asked = module.params

    def store() -> Store:
        return Store(module.client("s3"), asked["bucket"], asked["key"])

    def create_bucket() -> None:
        client = module.client("s3", retry_decorator=patient("OperationAborted", "NoSuchBucket"))
        ensure_bucket(client, {"name": asked["bucket"], "policy": None, "tags": asked["tags"]}, module.region, False)

    def start(lease: Lease) -> int:
        return s3_lease_keeper.start(store, lease, asked["process"], Path(asked["directory"]))

    def work() -> Outcome:
        if asked["process"] and not asked["directory"]:
            raise refusal("process needs directory: give the run's own one.")
        with doing(f"{'take' if asked['state'] == 'present' else 'remove'} the lock in {asked['bucket']}", REMEDIES):
            if asked["state"] == "absent":
                return absent(store(), asked, module.check_mode)
            if module.check_mode:
                return plan(store(), asked)
            return present(store(), asked, create_bucket, start)

    try:
        finish(module, work)
    except Held as other:
        module.fail_json(msg=str(other), held=True)


if __name__ == "__main__":
    main()
