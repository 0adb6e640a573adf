"""What the rooms of CloudFront's API share: the backend, the request's parameters, and tags."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from lab.api.cloudfront.errors import fail
from lab.api.cloudfront.store import Backend, Json


class Base:
    """Gives the mixins types for what moto's response class has."""

    backend: Backend
    current_account: str
    _get_param: Any
    region: str

    def _tags_at_creation(self, arn: str, tags: Json | None) -> None:
        items = (tags or {}).get("Items") or []
        self.backend.lab_tags[arn] = {item["Key"]: item.get("Value", "") for item in items}


class TagCalls(Base):
    """Tags of distributions and VPC origins, by ARN."""

    def list_tags_for_resource(self) -> ActionResult:
        tags = self._tags(self._get_param("Resource"))
        return ActionResult({"Tags": {"Items": [{"Key": key, "Value": value} for key, value in tags.items()]}})

    def tag_resource(self) -> ActionResult:
        tags = self._tags(self._get_param("Resource"))
        for item in self._get_param("Tags.Items", []) or []:
            tags[item["Key"]] = item.get("Value", "")
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        tags = self._tags(self._get_param("Resource"))
        for key in self._get_param("TagKeys.Items", []) or []:
            tags.pop(key, None)
        return EmptyResult()

    def _tags(self, arn: str) -> dict[str, str]:
        if arn not in self.backend.lab_tags:
            fail("NoSuchResource", "The specified resource does not exist.")
        return self.backend.lab_tags[arn]
