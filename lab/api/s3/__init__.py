"""S3: moto's buckets, private as AWS makes them, with their policies obeyed."""

from __future__ import annotations

import json
from typing import Any

import moto.s3.models as moto_models
import moto.s3.urls as moto_urls
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, PublicAccessBlock

from lab.api.s3 import policy
from lab.settings import ACCOUNT_ID


class AccessDenied(S3ClientError):  # type: ignore[misc]  # moto has no types here
    """A policy that Block Public Access refuses."""

    def __init__(self) -> None:
        super().__init__("AccessDenied", "Access Denied: BlockPublicPolicy refuses a policy that is public.")


class Bucket(FakeBucket):  # type: ignore[misc]  # moto has no types here
    """A bucket with Block Public Access on, as every new one has; its policy's conditions count."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        self.public_access_block = PublicAccessBlock(True, True, True, True)

    def get_permission(self, action: str, resource: str) -> Any:
        """What the policy says of the account's own request; the wire of a lab counts as TLS."""
        rules = json.loads(self.policy) if self.policy else None
        request = policy.Request("owner", action, resource, {"aws:securetransport": "true"})
        denied = policy.decide(rules, request, ACCOUNT_ID) == "deny"
        return PermissionResult.DENIED if denied else PermissionResult.NEUTRAL


class Backend(moto_models.S3Backend):  # type: ignore[misc]  # moto has no types here
    """One account's S3."""

    _url_module = moto_urls

    def put_bucket_policy(self, bucket_name: str, policy_document: Any) -> Any:
        block = self.get_bucket(bucket_name).public_access_block
        if block and block.block_public_policy and policy.is_public(json.loads(policy_document)):
            raise AccessDenied
        return super().put_bucket_policy(bucket_name, policy_document)


def install() -> None:
    """Put them where moto looks for its own."""
    moto_models.s3_backends.backend = Backend
    moto_models.FakeBucket = Bucket
