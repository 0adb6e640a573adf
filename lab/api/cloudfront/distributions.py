"""Distributions and their invalidations."""

from __future__ import annotations

import secrets

from moto.core.responses import ActionResult, EmptyResult

from lab.api.cloudfront import config, policies
from lab.api.cloudfront.calls import Base
from lab.api.cloudfront.errors import fail
from lab.api.cloudfront.store import LOCATION, Distribution, Invalidation, Json, check_match, listing

_MOST_PATHS = 3000


class DistributionCalls(Base):
    """Create, read, update, delete; whatever a configuration says is remembered."""

    def create_distribution(self) -> ActionResult:
        return self._create(self._get_param("DistributionConfig"), None)

    def create_distribution_with_tags(self) -> ActionResult:
        given = self._get_param("DistributionConfigWithTags")
        return self._create(given["DistributionConfig"], given.get("Tags"))

    def _create(self, given: Json, tags: Json | None) -> ActionResult:
        wanted = self._checked(given)
        for known in self.backend.lab_distributions.values():
            if known.config["CallerReference"] == wanted["CallerReference"]:
                fail(
                    "DistributionAlreadyExists",
                    "The caller reference that you are using to create a distribution is associated with another "
                    f"distribution. Already exists: {known.id}",
                )
        distribution = Distribution(config=wanted)
        distribution.arn = f"arn:aws:cloudfront::{self.current_account}:distribution/{distribution.id}"
        distribution.domain_name = f"d{secrets.token_hex(7)}.cloudfront.net"
        self.backend.lab_distributions[distribution.id] = distribution
        self._tags_at_creation(distribution.arn, tags)
        return self._answer(distribution, location=True)

    def get_distribution(self) -> ActionResult:
        distribution = self.backend.distribution(self._get_param("Id"))
        distribution.look()
        return self._answer(distribution)

    def get_distribution_config(self) -> ActionResult:
        distribution = self.backend.distribution(self._get_param("Id"))
        return ActionResult({"DistributionConfig": distribution.config, "ETag": distribution.etag})

    def update_distribution(self) -> ActionResult:
        distribution = self.backend.distribution(self._get_param("Id"))
        check_match(distribution.etag, self._get_param("IfMatch"))
        wanted = self._checked(self._get_param("DistributionConfig"))
        if wanted["CallerReference"] != distribution.config["CallerReference"]:
            fail("IllegalUpdate", "The caller reference of a distribution cannot change.")
        distribution.config, distribution.status = wanted, "InProgress"
        distribution.touch()
        distribution.unsettle()
        return self._answer(distribution)

    def delete_distribution(self) -> ActionResult:
        distribution = self.backend.distribution(self._get_param("Id"))
        check_match(distribution.etag, self._get_param("IfMatch"))
        if distribution.config["Enabled"] or distribution.status != "Deployed":
            fail("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
        del self.backend.lab_distributions[distribution.id]
        self.backend.lab_tags.pop(distribution.arn, None)
        self.backend.lab_invalidations.pop(distribution.id, None)
        return EmptyResult()

    def list_distributions(self) -> ActionResult:
        summaries = []
        for distribution in self.backend.lab_distributions.values():
            distribution.look()
            summaries.append(_summary(distribution))
        return ActionResult({"DistributionList": listing(summaries)})

    def list_distributions_by_vpc_origin_id(self) -> ActionResult:
        origin_id = self._get_param("VpcOriginId")
        if origin_id not in self.backend.lab_origins:
            fail("EntityNotFound", "The specified VPC origin does not exist.")
        return ActionResult({"DistributionIdList": listing(self.backend.users_of_origin(origin_id))})

    def _checked(self, given: Json) -> Json:
        config.check_quantities(given)
        wanted = config.complete(given)
        config.check(wanted)
        self._check_references(wanted)
        return wanted

    def _check_references(self, wanted: Json) -> None:
        for origin in wanted["Origins"]["Items"]:
            control = origin["OriginAccessControlId"]
            if control and control not in self.backend.lab_access_controls:
                fail("InvalidOriginAccessControl", f"The origin access control {control} does not exist.")
            if "VpcOriginConfig" in origin:
                known = self.backend.lab_origins.get(origin["VpcOriginConfig"]["VpcOriginId"])
                if known is None:
                    fail("EntityNotFound", "The specified VPC origin does not exist.")
                if known.status != "Deployed":
                    fail("InvalidArgument", f"The VPC origin {known.id} is not deployed: its status is {known.status}.")
        live = {function.arn for function in self.backend.lab_functions.values() if function.live}
        for behaviour in [*wanted["CacheBehaviors"].get("Items", []), wanted["DefaultCacheBehavior"]]:
            policies.check_known(self.backend, behaviour)
            for association in behaviour["FunctionAssociations"].get("Items", []):
                if association["FunctionARN"] not in live:
                    fail(
                        "InvalidFunctionAssociation",
                        f"The function {association['FunctionARN']} does not exist in the LIVE stage.",
                    )

    def _answer(self, distribution: Distribution, *, location: bool = False) -> ActionResult:
        pending = self.backend.lab_invalidations.get(distribution.id, {}).values()
        answer: Json = {
            "ETag": distribution.etag,
            "Distribution": {
                "Id": distribution.id,
                "ARN": distribution.arn,
                "Status": distribution.status,
                "LastModifiedTime": distribution.modified,
                "InProgressInvalidationBatches": sum(item.unsettled for item in pending),
                "DomainName": distribution.domain_name,
                "ActiveTrustedSigners": {"Enabled": False, "Quantity": 0},
                "ActiveTrustedKeyGroups": {"Enabled": False, "Quantity": 0},
                "DistributionConfig": distribution.config,
                "AliasICPRecordals": [],
            },
        }
        if location:
            answer["Location"] = f"{LOCATION}/distribution/{distribution.id}"
        return ActionResult(answer)


def _summary(distribution: Distribution) -> Json:
    return {
        "Id": distribution.id,
        "ARN": distribution.arn,
        "ETag": distribution.etag,
        "Status": distribution.status,
        "LastModifiedTime": distribution.modified,
        "DomainName": distribution.domain_name,
        "AliasICPRecordals": [],
        **distribution.config,
    }


class InvalidationCalls(Base):
    """CreateInvalidation and what became of it."""

    def create_invalidation(self) -> ActionResult:
        distribution = self.backend.distribution(self._get_param("DistributionId"))
        batch = self._get_param("InvalidationBatch")
        config.check_quantities(batch)
        paths = batch["Paths"].get("Items") or []
        if not paths or not all(path.startswith("/") and "*" not in path[:-1] for path in paths):
            fail("InvalidArgument", "Your request contains one or more invalid invalidation paths.")
        if len(paths) > _MOST_PATHS or sum(path.endswith("*") for path in paths) > 15:
            fail("TooManyInvalidationsInProgress", "You have exceeded the maximum number of invalidation paths.")
        known = self.backend.lab_invalidations.setdefault(distribution.id, {})
        for invalidation in known.values():
            if invalidation.batch["CallerReference"] == batch["CallerReference"]:
                if invalidation.batch != batch:
                    fail("InvalidationBatchAlreadyExists", "Your request contains a caller reference that was used.")
                return self._invalidation(invalidation)
        invalidation = Invalidation(distribution.id, batch)
        known[invalidation.id] = invalidation
        return self._invalidation(invalidation)

    def get_invalidation(self) -> ActionResult:
        distribution = self.backend.distribution(self._get_param("DistributionId"))
        invalidation = self.backend.lab_invalidations.get(distribution.id, {}).get(self._get_param("Id"))
        if invalidation is None:
            fail("NoSuchInvalidation", "The specified invalidation does not exist.")
        invalidation.look()
        return self._invalidation(invalidation)

    def list_invalidations(self) -> ActionResult:
        distribution = self.backend.distribution(self._get_param("DistributionId"))
        summaries = []
        for invalidation in reversed(self.backend.lab_invalidations.get(distribution.id, {}).values()):
            invalidation.look()
            summaries.append({"Id": invalidation.id, "CreateTime": invalidation.created, "Status": invalidation.status})
        return ActionResult({"InvalidationList": listing(summaries)})

    def _invalidation(self, invalidation: Invalidation) -> ActionResult:
        place = f"{LOCATION}/distribution/{invalidation.distribution_id}/invalidation/{invalidation.id}"
        return ActionResult(
            {
                "Location": place,
                "Invalidation": {
                    "Id": invalidation.id,
                    "Status": invalidation.status,
                    "CreateTime": invalidation.created,
                    "InvalidationBatch": invalidation.batch,
                },
            }
        )
