"""What the edge reads: distributions with everything they refer to resolved.

Field names follow CloudFront's DistributionConfig; TTLs and timeouts are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class S3Origin:
    """``signed`` is True when an origin access control with signing behaviour ``always`` is attached."""

    bucket: str
    region: str
    signed: bool


@dataclass(frozen=True)
class VpcOrigin:
    """``interface_id`` is CloudFront's service-managed interface in the target's subnet; None when it has none yet."""

    id: str
    interface_id: str | None
    target_ip: str | None
    http_port: int
    https_port: int
    protocol_policy: Literal["http-only", "https-only", "match-viewer"]


@dataclass(frozen=True)
class CustomOrigin:
    http_port: int
    https_port: int
    protocol_policy: Literal["http-only", "https-only", "match-viewer"]


@dataclass(frozen=True)
class Origin:
    id: str
    domain_name: str
    origin_path: str
    target: S3Origin | VpcOrigin | CustomOrigin
    custom_headers: tuple[tuple[str, str], ...] = ()
    read_timeout: int = 30
    keepalive_timeout: int = 5
    connection_attempts: int = 3
    connection_timeout: int = 10


@dataclass(frozen=True)
class CachePolicy:
    """Which of the request makes the cache key, and for how long an answer is kept."""

    id: str
    min_ttl: int
    default_ttl: int
    max_ttl: int
    query_strings: Literal["none", "whitelist", "allExcept", "all"] = "none"
    query_string_names: tuple[str, ...] = ()
    header_names: tuple[str, ...] = ()
    cookies: Literal["none", "whitelist", "allExcept", "all"] = "none"
    cookie_names: tuple[str, ...] = ()
    gzip: bool = True
    brotli: bool = True


@dataclass(frozen=True)
class OriginRequestPolicy:
    id: str
    headers: Literal["none", "whitelist", "allViewer", "allViewerAndWhitelistCloudFront", "allExcept"] = "none"
    header_names: tuple[str, ...] = ()
    query_strings: Literal["none", "whitelist", "allExcept", "all"] = "none"
    query_string_names: tuple[str, ...] = ()
    cookies: Literal["none", "whitelist", "allExcept", "all"] = "none"
    cookie_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """A published (LIVE) CloudFront Function."""

    name: str
    arn: str
    code: str
    runtime: str


@dataclass(frozen=True)
class Behaviour:
    """``path_pattern`` is ``*`` for the default behaviour, which stands last."""

    path_pattern: str
    origin_id: str
    viewer_protocol_policy: Literal["allow-all", "https-only", "redirect-to-https"]
    allowed_methods: tuple[str, ...]
    cached_methods: tuple[str, ...]
    cache_policy: CachePolicy
    origin_request_policy: OriginRequestPolicy | None = None
    response_headers: tuple[tuple[str, str], ...] = ()
    compress: bool = False
    viewer_request: Function | None = None
    viewer_response: Function | None = None


@dataclass(frozen=True)
class CustomError:
    """``response_page_path`` None keeps the error and sets only how long it is cached."""

    error_code: int
    response_page_path: str | None
    response_code: int | None
    error_caching_min_ttl: int = 10


@dataclass(frozen=True)
class Distribution:
    id: str
    arn: str
    domain_name: str
    enabled: bool
    etag: str
    origins: tuple[Origin, ...]
    behaviours: tuple[Behaviour, ...]
    aliases: tuple[str, ...] = ()
    default_root_object: str = ""
    custom_errors: tuple[CustomError, ...] = ()


@dataclass(frozen=True)
class Invalidation:
    """Paths are as CloudFront takes them: absolute, ``*`` only at the end."""

    id: str
    distribution_id: str
    paths: tuple[str, ...] = field(default=())
