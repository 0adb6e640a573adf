"""Reaches a bucket as boto3 would: the same credentials, region, endpoint and certificates; and checks whose it is."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.s3_site_build import SiteError
from ansible.module_utils.s3_site_record import Places
from ansible.module_utils.s3_site_transfer import HAS_OBSTORE, Store
from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

with contextlib.suppress(ImportError):  # AnsibleAWSModule says that boto3 is missing, and how to install it
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

# What every module of a site takes, as the documentation fragment s3_site has it.
SITE: dict[str, Any] = {
    "bucket": {"type": "str", "required": True},
    "prefix": {"type": "str", "default": ""},
    "record_prefix": {"type": "str", "default": ".releases/"},
    "retention_days": {"type": "int", "default": 30},
    "required_tags": {"type": "dict", "default": {}},
}


def places_of(asked: Mapping[str, Any]) -> Places:
    """Where a module's parameters say that the releases are recorded."""
    return Places(asked["record_prefix"].strip("/") + "/")


def reach(module: Any) -> Store:
    """The bucket of a module's parameters, once its tags are what they must be. Raises SiteError."""
    if not HAS_OBSTORE:
        raise SiteError("Python's obstore is missing, which does the transfers. Install it: pip install 'obstore>=0.8'")
    asked = module.params
    client = module.client(
        "s3", retry_decorator=AWSRetry.jittered_backoff(retries=10, catch_extra_error_codes=["SlowDown"])
    )
    if asked["required_tags"]:
        check_tags(client, asked["bucket"], asked["required_tags"])
    region, _, connection = get_aws_connection_info(module)
    return Store(
        asked["bucket"],
        config(client.meta.endpoint_url, region, connection, asked["prefix"].strip("/")),
        asked.get("concurrency", 1),
    )


def check_tags(client: Any, bucket: str, required: Mapping[str, Any]) -> None:
    """Refuse a bucket that lacks a tag, or is not there. Raises SiteError."""
    try:
        answer = client.get_bucket_tagging(Bucket=bucket, aws_retry=True)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchBucket":
            raise SiteError(f"Bucket {bucket} does not exist. Create it first, with its tags.") from error
        if code != "NoSuchTagSet":
            raise SiteError(
                f"Could not read the tags of bucket {bucket}; s3:GetBucketTagging is needed. {error}"
            ) from error
        answer = {"TagSet": []}
    except BotoCoreError as error:
        raise SiteError(f"Could not reach S3 for bucket {bucket}: {error}") from error
    tags = {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}
    lacking = {key: str(value) for key, value in required.items() if tags.get(key) != str(value)}
    if lacking:
        has = ", ".join(f"{key}={value}" for key, value in sorted(tags.items())) or "none"
        wants = ", ".join(f"{key}={value}" for key, value in sorted(lacking.items()))
        raise SiteError(
            f"Bucket {bucket} lacks the tags {wants} (it has: {has}), so it may be another project's. "
            "Tag it, or name another bucket. Nothing was touched."
        )


def config(endpoint: str, region: str | None, connection: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The arguments of obstore's S3Store. ``connection`` is what amazon.aws gives to boto3. Raises SiteError."""
    from obstore.auth.boto3 import Boto3CredentialProvider

    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "profile_name")
    session = boto3.Session(region_name=region, **{name: connection.get(name) for name in names})
    if session.get_credentials() is None:
        raise SiteError("No AWS credentials were found. Set profile, or access_key and secret_key, or AWS_PROFILE.")
    secure = endpoint.startswith("https://")
    options: dict[str, Any] = {"allow_http": not secure, "timeout": "120s"}
    verify = connection.get("verify", True)
    if verify is False:
        options["allow_invalid_certificates"] = True
    elif isinstance(verify, str):
        options["root_certificate"] = Path(verify).read_bytes()
    chosen = {
        "endpoint": endpoint,
        "region": region or session.region_name or "us-east-1",
        "virtual_hosted_style_request": False,
        # As boto3 does: TLS guards the content, so it need not be hashed for the signature too.
        "unsigned_payload": secure,
        "credential_provider": Boto3CredentialProvider(session),
        "client_options": options,
    }
    return {**chosen, "prefix": prefix} if prefix else chosen
