"""What CloudFront remembers: configurations as the client sent them, completed as AWS completes them."""

from __future__ import annotations

import datetime
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

import moto.cloudfront.urls as moto_urls
from moto.cloudfront.models import CloudFrontBackend

from lab.api.cloudfront.errors import fail
from lab.api.settling import Settling

Json = dict[str, Any]
LOCATION = "https://cloudfront.amazonaws.com/2020-05-31"
_ALPHABET = string.ascii_uppercase + string.digits


def new_id() -> str:
    """An id or an ETag: ``E`` and thirteen capitals and digits."""
    return "E" + "".join(secrets.choice(_ALPHABET) for _ in range(13))


def now() -> datetime.datetime:
    """The time, for the fields that tell when something was made."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def check_match(current: str, given: str | None) -> None:
    """Refuse a change whose ``If-Match`` is missing, or is not the version that is current."""
    if not given:
        fail("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
    if given.strip('"') != current:
        fail(
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields.",
        )


def listing(items: list[Any], *, marker: bool = True) -> Json:
    """A list as CloudFront gives it; everything on one page."""
    page: Json = {"MaxItems": 100, "Quantity": len(items)}
    if marker:
        page |= {"Marker": "", "IsTruncated": False}
    if items:
        page["Items"] = items
    return page


@dataclass
class Versioned:
    """Something with an id and an ETag that each change renews."""

    id: str = field(default_factory=new_id)
    etag: str = field(default_factory=new_id)
    created: datetime.datetime = field(default_factory=now)
    modified: datetime.datetime = field(default_factory=now)

    def touch(self) -> None:
        """It changed."""
        self.etag, self.modified = new_id(), now()


@dataclass
class Distribution(Versioned, Settling):
    """A distribution; ``config`` is a whole DistributionConfig."""

    arn: str = ""
    domain_name: str = ""
    config: Json = field(default_factory=dict)
    status: str = "InProgress"

    @property
    def unsettled(self) -> bool:
        return self.status == "InProgress"

    def settle(self) -> None:
        self.status = "Deployed"

    def behaviours(self) -> list[Json]:
        """All of its behaviours, the default one last."""
        return [*self.config["CacheBehaviors"].get("Items", []), self.config["DefaultCacheBehavior"]]

    def origins(self) -> list[Json]:
        """Its origins."""
        items: list[Json] = self.config["Origins"]["Items"]
        return items


@dataclass
class VpcOrigin(Versioned, Settling):
    """A VPC origin; ``config`` is its VpcOriginEndpointConfig."""

    arn: str = ""
    account_id: str = ""
    config: Json = field(default_factory=dict)
    status: str = "Deploying"
    region: str = ""
    vpc_id: str = ""
    interface_id: str | None = None
    target_ip: str | None = None
    removed: bool = False

    @property
    def unsettled(self) -> bool:
        return self.status in ("Deploying", "Deleting")

    def settle(self) -> None:
        if self.status == "Deploying":
            self.status = "Deployed"
        elif self.status == "Deleting":
            self.removed = True


@dataclass
class AccessControl(Versioned):
    """An origin access control."""

    config: Json = field(default_factory=dict)


@dataclass
class Function:
    """A function with its two stages; ``live`` is None until it is published."""

    name: str
    arn: str
    development: Stage
    live: Stage | None = None


@dataclass
class Stage(Versioned):
    """One stage of a function."""

    config: Json = field(default_factory=dict)
    code: bytes = b""


@dataclass
class Invalidation(Settling):
    """An invalidation of one distribution."""

    distribution_id: str
    batch: Json
    id: str = field(default_factory=new_id)
    created: datetime.datetime = field(default_factory=now)
    status: str = "InProgress"

    @property
    def unsettled(self) -> bool:
        return self.status == "InProgress"

    def settle(self) -> None:
        self.status = "Completed"


class Backend(CloudFrontBackend):  # type: ignore[misc]  # moto has no types here
    """One account's CloudFront."""

    _url_module = moto_urls

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lab_distributions: dict[str, Distribution] = {}
        self.lab_origins: dict[str, VpcOrigin] = {}
        self.lab_access_controls: dict[str, AccessControl] = {}
        self.lab_functions: dict[str, Function] = {}
        self.lab_invalidations: dict[str, dict[str, Invalidation]] = {}
        self.lab_tags: dict[str, dict[str, str]] = {}

    def distribution(self, identifier: str) -> Distribution:
        """One distribution; AWS's error when there is none."""
        if identifier not in self.lab_distributions:
            fail("NoSuchDistribution", "The specified distribution does not exist.")
        return self.lab_distributions[identifier]

    def users_of_origin(self, origin_id: str) -> list[str]:
        """The distributions that have a VPC origin."""
        return [
            distribution.id
            for distribution in self.lab_distributions.values()
            if any(
                origin.get("VpcOriginConfig", {}).get("VpcOriginId") == origin_id for origin in distribution.origins()
            )
        ]

    def users_of_access_control(self, identifier: str) -> list[str]:
        """The distributions that have an origin access control."""
        return [
            distribution.id
            for distribution in self.lab_distributions.values()
            if any(origin.get("OriginAccessControlId") == identifier for origin in distribution.origins())
        ]

    def users_of_function(self, arn: str) -> list[str]:
        """The distributions that have a function on one of their behaviours."""
        return [
            distribution.id
            for distribution in self.lab_distributions.values()
            if any(
                association["FunctionARN"] == arn
                for behaviour in distribution.behaviours()
                for association in behaviour["FunctionAssociations"].get("Items", [])
            )
        ]
