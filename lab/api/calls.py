"""What a request is: its service, its action, who asks, and whether it changes anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

_READS = ("Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Test", "Search", "Simulate", "Select")
# Object data is the edge's business when somebody asks for it, not the reconciler's.
_OBJECT_DATA = re.compile(r"(Object|Objects|Part|PartCopy|MultipartUpload|ObjectTagging|ObjectAcl)$")
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/")


@dataclass(frozen=True)
class Call:
    """One request.

    ``caller`` is the access key id, or ``anonymous``; ``tagged`` is a call of EC2 that tags what it creates.
    """

    service: str
    action: str
    caller: str
    region: str
    method: str
    path: str
    tagged: bool = False

    @property
    def mutating(self) -> bool:
        """Whether the world may differ afterwards (S3's object data does not count)."""
        if not self.action or self.action.startswith(_READS):
            return False
        return not (self.service == "s3" and _OBJECT_DATA.search(self.action))


def identify(environ: dict[str, Any], body: bytes) -> Call:
    """Recognise a request; ``body`` is its start, and is looked into only for the query protocols."""
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    caller, region, service = "anonymous", "", "s3"
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "")) or _CREDENTIAL.search(
        f"Credential={query.get('X-Amz-Credential', '')}/"
    )
    if credential:
        caller, region, service = credential.groups()
    elif "AWSAccessKeyId" in query:
        caller = query["AWSAccessKeyId"]
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
    action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] or query.get("Action", "")
    if not action and environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        found = re.search(rb"(?:^|&)Action=(\w+)", body)
        action = found.group(1).decode() if found else ""
    if not action:
        action = _rest_action(service.lower(), environ, method, query)
    tagged = b"TagSpecification.1.Tag.1." in body
    return Call(service.lower(), action, caller, region, method, path, tagged)


def _rest_action(service: str, environ: dict[str, Any], method: str, query: dict[str, str]) -> str:
    from moto.core.request import Request
    from moto.core.routing import NotFound, get_service_router

    if service == "s3":
        return _s3_action(environ, method, query)
    try:
        operation, _ = get_service_router(service).match(Request({**environ, "wsgi.input": None}))
    except (NotFound, NotImplementedError, ValueError, KeyError):
        return ""
    return str(operation.name)


_S3_BUCKET_ACTIONS = {"GET": "ListObjects", "HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
_S3_OBJECT_ACTIONS = {
    "GET": "GetObject",
    "HEAD": "HeadObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
    "POST": "PostObject",
}
_S3_MULTIPART = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}


def split_bucket(environ: dict[str, Any]) -> tuple[str, str]:
    """The bucket and key of an S3 request, virtual-host-style or path-style; empty where there is none."""
    path = str(environ.get("PATH_INFO", "/")).encode("latin-1", "replace").decode("utf-8", "replace")
    host = str(environ.get("HTTP_HOST", "")).rpartition(":")[0] or str(environ.get("HTTP_HOST", ""))
    virtual = re.match(r"(?P<bucket>[a-zA-Z0-9.\-_]+)\.s3[.-]", host)
    if virtual:
        return virtual["bucket"], path[1:]
    bucket, _, key = path[1:].partition("/")
    return bucket, key


def _s3_action(environ: dict[str, Any], method: str, query: dict[str, str]) -> str:
    bucket, key = split_bucket(environ)
    if not bucket:
        return "ListBuckets"
    if key:
        if "uploads" in query:
            return "CreateMultipartUpload"
        if "uploadId" in query and method in _S3_MULTIPART:
            return _S3_MULTIPART[method]
        if method == "PUT" and "HTTP_X_AMZ_COPY_SOURCE" in environ:
            return "CopyObject"
        return _S3_OBJECT_ACTIONS.get(method, method)
    if method == "POST" and "delete" in query:
        return "DeleteObjects"
    # A sub-resource such as ?policy or ?publicAccessBlock names the action.
    subresource = next((name for name, value in query.items() if not value and name != "prefix"), "")
    if subresource and method != "HEAD":
        verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}.get(method, method.title())
        return f"{verb}Bucket{subresource[:1].upper()}{subresource[1:]}"
    return _S3_BUCKET_ACTIONS.get(method, method)
