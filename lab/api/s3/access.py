"""Who may read a bucket: the account's signed requests, CloudFront by the bucket's policy, others hardly ever.

The edge says that it is CloudFront with ``X-Lab-Edge-Token`` (what ``edge-token`` in the state directory holds) and
for which distribution with ``X-Lab-Source-Arn``; without the right token both headers mean nothing.
"""

from __future__ import annotations

import datetime
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from moto.s3.models import FakeDeleteMarker, s3_backends

from lab.api.calls import Call, split_bucket
from lab.api.s3 import policy
from lab.api.world import world
from lab.settings import ACCOUNT_ID

_CLOUDFRONT = "cloudfront.amazonaws.com"
_ACTIONS = {
    "HeadObject": "s3:GetObject",
    "ListObjects": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "ListBuckets": "s3:ListAllMyBuckets",
    "CopyObject": "s3:PutObject",
    "PostObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
}


@dataclass(frozen=True)
class Refusal:
    """An S3 error: ``status`` and ``code`` are its own."""

    status: int
    code: str
    message: str


_DENIED = Refusal(403, "AccessDenied", "Access Denied")


def is_signed(call: Call) -> bool:
    """Whether the request says who makes it."""
    return call.caller != "anonymous"


def refusal(call: Call, environ: dict[str, Any]) -> Refusal | None:
    """Why a request to S3 may not pass, or None. Hold the lock."""
    if is_signed(call):
        return _expired(environ)
    if call.method == "OPTIONS":  # a browser's preflight is never signed
        return None
    name, key = split_bucket(environ)
    bucket = s3_backends[ACCOUNT_ID]["aws"].buckets.get(name)
    if bucket is None:
        return Refusal(404, "NoSuchBucket", "The specified bucket does not exist") if name else _DENIED
    principal, context = _principal(environ)
    action = _ACTIONS.get(call.action, f"s3:{call.action}")
    if not _allowed(bucket, key, principal, action, context):
        return _DENIED
    if (
        action == "s3:GetObject"
        and (key not in bucket.keys or isinstance(bucket.keys[key], FakeDeleteMarker))
        and not _allowed(bucket, "", principal, "s3:ListBucket", context)
    ):
        return _DENIED
    return None


def sign_for_owner(environ: dict[str, Any]) -> None:
    """An anonymous request that may pass goes on as the account's own, or moto would judge it once more."""
    environ["HTTP_AUTHORIZATION"] = (
        "AWS4-HMAC-SHA256 "
        f"Credential=LABLABLABLABLABLABLA/20260101/{world.settings.region}/s3/aws4_request, "
        "SignedHeaders=host, Signature=0"
    )


def _principal(environ: dict[str, Any]) -> tuple[str, dict[str, str]]:
    given = environ.pop("HTTP_X_LAB_EDGE_TOKEN", "")
    source = environ.pop("HTTP_X_LAB_SOURCE_ARN", "")
    context = {"aws:securetransport": "true", "aws:sourceip": str(environ.get("REMOTE_ADDR", ""))}
    try:
        token = (world.settings.state / "edge-token").read_text().strip()
    except FileNotFoundError:
        token = ""
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return _CLOUDFRONT, {**context, "aws:sourcearn": source, "aws:sourceaccount": ACCOUNT_ID}
    return "anonymous", context


def _allowed(bucket: Any, key: str, principal: str, action: str, context: dict[str, str]) -> bool:
    resource = f"arn:aws:s3:::{bucket.name}" + (f"/{key}" if key else "")
    rules = json.loads(bucket.policy) if bucket.policy else None
    verdict = policy.decide(rules, policy.Request(principal, action, resource, context), ACCOUNT_ID)
    block = bucket.public_access_block
    if verdict == "allow" and principal == "anonymous":
        return not (block and block.restrict_public_buckets)
    if verdict == "neutral" and principal == "anonymous" and action == "s3:GetObject":
        stored = bucket.keys.get(key)
        readable = stored is not None and stored.acl is not None and stored.acl.public_read
        return bool(readable and not (block and block.ignore_public_acls))
    return verdict == "allow"


def _expired(environ: dict[str, Any]) -> Refusal | None:
    query = parse_qs(environ.get("QUERY_STRING", ""))
    if "X-Amz-Signature" not in query:
        return None
    try:
        signed_at = datetime.datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z")
        seconds = int(query["X-Amz-Expires"][0])
    except (KeyError, ValueError):
        return Refusal(400, "AuthorizationQueryParametersError", "The query's date or expiry is missing or malformed.")
    if datetime.datetime.now(datetime.UTC) > signed_at + datetime.timedelta(seconds=seconds):
        return Refusal(403, "AccessDenied", "Request has expired")
    return None
