"""CloudFront's errors."""

from __future__ import annotations

from typing import NoReturn

from moto.cloudfront.exceptions import CloudFrontException


def fail(code: str, message: str) -> NoReturn:
    """Answer with an error of CloudFront's; its HTTP status comes from the service's model."""
    raise CloudFrontException(code, message)
