"""CloudFront: the lab's own memory of what was configured, behind moto's parsing and serialising.

moto keeps only part of a distribution's configuration and has no VPC origins; so here every answer about
distributions, origins, access controls, functions, policies and invalidations is the lab's.
"""

from __future__ import annotations

from typing import cast

import moto.cloudfront.urls as moto_urls
from moto.cloudfront.models import cloudfront_backends
from moto.cloudfront.responses import CloudFrontResponse

from lab.api.cloudfront.access import AccessControlCalls
from lab.api.cloudfront.calls import TagCalls
from lab.api.cloudfront.distributions import DistributionCalls, InvalidationCalls
from lab.api.cloudfront.functions import FunctionCalls
from lab.api.cloudfront.origins import VpcOriginCalls
from lab.api.cloudfront.policies import PolicyCalls
from lab.api.cloudfront.store import Backend
from lab.settings import ACCOUNT_ID


class Calls(
    DistributionCalls,
    InvalidationCalls,
    VpcOriginCalls,
    AccessControlCalls,
    FunctionCalls,
    PolicyCalls,
    TagCalls,
    CloudFrontResponse,  # type: ignore[misc]  # moto has no types here
):
    """What answers CloudFront's actions."""


def backend() -> Backend:
    """The lab's account."""
    return cast(Backend, cloudfront_backends[ACCOUNT_ID]["aws"])


def install() -> None:
    """Let the lab answer every path of CloudFront."""
    cloudfront_backends.backend = Backend
    moto_urls.url_paths.clear()
    moto_urls.url_paths["{0}/2020-05-31/(?P<resource>.+)$"] = Calls.dispatch
