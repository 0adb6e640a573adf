"""EC2's lists, page after page, each page retried: a paginator of botocore's goes past AnsibleAWSModule's retries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def pages(operation: Callable[..., Any], member: str, **parameters: Any) -> list[dict[str, Any]]:
    """All items of a call that EC2 answers in pages."""
    items: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = operation(aws_retry=True, **parameters, **token)
        items += page[member]
        if not page.get("NextToken"):
            return items
        token = {"NextToken": page["NextToken"]}
