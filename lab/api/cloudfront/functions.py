"""CloudFront Functions: a DEVELOPMENT stage that is edited, and a LIVE stage that is published.

TestFunction needs a runtime, which the edge has: the API answers it with UnsupportedOperation.
"""

from __future__ import annotations

import re

from moto.core.responses import ActionResult, EmptyResult

from lab.api.cloudfront.calls import Base
from lab.api.cloudfront.errors import fail
from lab.api.cloudfront.store import LOCATION, Function, Json, Stage, check_match, listing, now

_RUNTIMES = ("cloudfront-js-1.0", "cloudfront-js-2.0")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MOST_BYTES = 10_240


class FunctionCalls(Base):
    """CreateFunction, Describe…, Get…, List…, Update…, Publish…, Delete…."""

    def create_function(self) -> ActionResult:
        name, code = self._get_param("Name"), self._get_param("FunctionCode")
        if not _NAME.fullmatch(name):
            fail("InvalidArgument", f"The function name {name} is not valid.")
        if name in self.backend.lab_functions:
            fail(
                "FunctionAlreadyExists",
                "The function name that you are using to create a function is associated with another function. "
                f"Already exists: {name}",
            )
        stage = Stage(config=_checked_config(self._get_param("FunctionConfig")), code=_checked_code(code))
        function = Function(name, f"arn:aws:cloudfront::{self.current_account}:function/{name}", stage)
        self.backend.lab_functions[name] = function
        self._tags_at_creation(function.arn, self._get_param("Tags"))
        answer = {"ETag": stage.etag, "Location": f"{LOCATION}/function/{name}"}
        return ActionResult({**answer, "FunctionSummary": _function_summary(function, stage)})

    def describe_function(self) -> ActionResult:
        function = self._function()
        stage = self._stage(function)
        return ActionResult({"ETag": stage.etag, "FunctionSummary": _function_summary(function, stage)})

    def get_function(self) -> ActionResult:
        stage = self._stage(self._function())
        return ActionResult({"ETag": stage.etag, "ContentType": "application/octet-stream", "FunctionCode": stage.code})

    def list_functions(self) -> ActionResult:
        wanted = self._get_param("Stage")
        items = []
        for function in self.backend.lab_functions.values():
            if wanted != "LIVE":
                items.append(_function_summary(function, function.development))
            if wanted != "DEVELOPMENT" and function.live:
                items.append(_function_summary(function, function.live))
        return ActionResult({"FunctionList": listing(items, marker=False)})

    def update_function(self) -> ActionResult:
        function = self._function()
        stage = function.development
        check_match(stage.etag, self._get_param("IfMatch"))
        stage.config = _checked_config(self._get_param("FunctionConfig"))
        stage.code = _checked_code(self._get_param("FunctionCode"))
        stage.touch()
        return ActionResult({"ETag": stage.etag, "FunctionSummary": _function_summary(function, stage)})

    def publish_function(self) -> ActionResult:
        function = self._function()
        stage = function.development
        check_match(stage.etag, self._get_param("IfMatch"))
        function.live = Stage(
            config=dict(stage.config), code=stage.code, created=function.live.created if function.live else now()
        )
        return ActionResult({"FunctionSummary": _function_summary(function, function.live)})

    def delete_function(self) -> ActionResult:
        function = self._function()
        check_match(function.development.etag, self._get_param("IfMatch"))
        if self.backend.users_of_function(function.arn):
            fail("FunctionInUse", "Cannot delete the function because it's attached to one or more cache behaviors.")
        del self.backend.lab_functions[function.name]
        self.backend.lab_tags.pop(function.arn, None)
        return EmptyResult()

    def test_function(self) -> ActionResult:
        fail("UnsupportedOperation", "The lab runs functions at its edge, not in its API.")

    def _function(self) -> Function:
        function = self.backend.lab_functions.get(self._get_param("Name"))
        if function is None:
            fail("NoSuchFunctionExists", "The specified function does not exist.")
        return function

    def _stage(self, function: Function) -> Stage:
        if self._get_param("Stage", "DEVELOPMENT") != "LIVE":
            return function.development
        if function.live is None:
            fail("NoSuchFunctionExists", "The specified function does not exist in the LIVE stage.")
        return function.live


def _function_summary(function: Function, stage: Stage) -> Json:
    development = stage is function.development
    # UNASSOCIATED, DEPLOYED…: AWS's status is of the development stage against the live one.
    published = function.live is not None and function.live.code == stage.code and function.live.config == stage.config
    return {
        "Name": function.name,
        "Status": "UNASSOCIATED" if published or not development else "UNPUBLISHED",
        "FunctionConfig": stage.config,
        "FunctionMetadata": {
            "FunctionARN": function.arn,
            "Stage": "DEVELOPMENT" if development else "LIVE",
            "CreatedTime": stage.created,
            "LastModifiedTime": stage.modified,
        },
    }


def _checked_config(given: Json) -> Json:
    if given.get("Runtime") not in _RUNTIMES:
        fail("InvalidArgument", f"The parameter Runtime must be one of {', '.join(_RUNTIMES)}.")
    return {"Comment": "", **given}


def _checked_code(code: bytes) -> bytes:
    if len(code) > _MOST_BYTES:
        fail("FunctionSizeLimitExceeded", "The function exceeds the maximum size of 10 KB.")
    if not code.strip():
        fail("InvalidArgument", "The function has no code.")
    return code
