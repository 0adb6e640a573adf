"""Distributions when others are at work too: lost answers, stale ETags, references used before."""

from __future__ import annotations

import copy

import pytest
from ansible.module_utils import cloudfront_distributions as distributions
from ansible.module_utils.cloudfront_distribution_options import ARGUMENTS
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from botocore.exceptions import ClientError

SITE = {
    "tags": {"Name": "shop"},
    "origins": [{"id": "assets", "domain_name": "assets.s3.amazonaws.com"}],
    "default_cache_behavior": {"target_origin_id": "assets"},
    "wait": False,
}


def failure(code, message="no"):
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


class CloudFront:
    """As much of CloudFront as a task sees. ``before_update`` and ``before_create`` happen in the last moment."""

    def __init__(self):
        self.stored, self.tags, self.version = {}, {}, 0
        self.before_update = self.before_create = lambda: None

    def store(self, identifier, config, tags=None):
        self.version += 1
        self.stored[identifier] = (copy.deepcopy(config), f"ETAG{self.version}")
        if tags is not None:
            self.tags[f"arn:{identifier}"] = tags
        return self.get_distribution(identifier)

    def list_distributions(self, **_):
        return {"DistributionList": {"Items": [{"Id": name, "ARN": f"arn:{name}"} for name in self.stored]}}

    def list_tags_for_resource(self, Resource, **_):
        return {"Tags": {"Items": [{"Key": k, "Value": v} for k, v in self.tags[Resource].items()]}}

    def get_distribution(self, Id, **_):
        config, etag = self.stored[Id]
        answer = {"Id": Id, "ARN": f"arn:{Id}", "DomainName": "d.cloudfront.net", "Status": "InProgress"}
        return {"Distribution": {**answer, "DistributionConfig": copy.deepcopy(config)}, "ETag": etag}

    def create_distribution_with_tags(self, DistributionConfigWithTags):
        self.before_create()
        config = DistributionConfigWithTags["DistributionConfig"]
        for name, (other, _) in self.stored.items():
            if other["CallerReference"] == config["CallerReference"]:
                raise failure("DistributionAlreadyExists", f"Already exists: {name}")
        tags = {tag["Key"]: tag["Value"] for tag in DistributionConfigWithTags["Tags"]["Items"]}
        return self.store("ENEW0000000000", config, tags)

    def update_distribution(self, Id, IfMatch, DistributionConfig):
        happens, self.before_update = self.before_update, lambda: None
        happens()
        if IfMatch != self.stored[Id][1]:
            raise failure("PreconditionFailed")
        return self.store(Id, DistributionConfig)


def run(cloudfront, **options):
    result = ArgumentSpecValidator(ARGUMENTS).validate({**SITE, **options})
    assert not result.error_messages
    return distributions.ensure_present(cloudfront, result.validated_parameters, False)


def remove(cloudfront, *, check):
    result = ArgumentSpecValidator(ARGUMENTS).validate({"tags": SITE["tags"], "wait": False, "state": "absent"})
    return distributions.ensure_absent(cloudfront, result.validated_parameters, check)


def config_of(cloudfront):
    [(config, _)] = cloudfront.stored.values()
    return config


def test_a_change_that_someone_else_made_meanwhile_is_kept_and_ours_made():
    cloudfront = CloudFront()
    run(cloudfront)

    def someone_else():
        config = {**config_of(cloudfront), "Staging": True}
        cloudfront.store("ENEW0000000000", config)

    cloudfront.before_update = someone_else
    run(cloudfront, comment="The shop")
    assert (config_of(cloudfront)["Comment"], config_of(cloudfront)["Staging"]) == ("The shop", True)


def test_a_distribution_that_is_always_ahead_of_us_is_given_up_on():
    cloudfront = CloudFront()
    run(cloudfront)
    cloudfront.update_distribution = lambda **_: (_ for _ in ()).throw(failure("PreconditionFailed"))
    with pytest.raises(Exception, match="Could not update distribution ENEW0000000000"):
        run(cloudfront, comment="The shop")


def test_a_creation_whose_answer_was_lost_is_recognised_and_made_as_asked():
    cloudfront = CloudFront()

    def lost_answer():
        cloudfront.before_create = lambda: None
        run(cloudfront, comment="As first asked")

    cloudfront.before_create = lost_answer
    done = run(cloudfront, comment="The shop")
    assert done.changed and config_of(cloudfront)["Comment"] == "The shop"


def test_a_caller_reference_of_a_distribution_with_other_tags_is_refused():
    cloudfront = CloudFront()
    run(cloudfront, tags={"Name": "cafe"}, caller_reference="mine")
    with pytest.raises(Exception, match=r"has the caller reference mine but not the tags .* Give another caller_ref"):
        run(cloudfront, caller_reference="mine")
    assert len(cloudfront.stored) == 1


def test_a_caller_reference_that_only_a_deleted_distribution_had_is_replaced():
    cloudfront = CloudFront()

    def used_long_ago():
        cloudfront.before_create = lambda: None
        raise failure("DistributionAlreadyExists", "The caller reference was used before")

    cloudfront.before_create = used_long_ago
    assert run(cloudfront).changed
    assert config_of(cloudfront)["CallerReference"].startswith("shop-")


def test_an_update_keeps_the_caller_reference():
    cloudfront = CloudFront()
    run(cloudfront)
    run(cloudfront, comment="The shop")
    assert config_of(cloudfront)["CallerReference"] == "shop"


def test_one_that_is_not_yet_disabled_everywhere_is_left_for_later_in_check_mode_too():
    cloudfront = CloudFront()
    run(cloudfront)
    planned, done = remove(cloudfront, check=True), remove(cloudfront, check=False)
    assert planned.changed and planned == done
    planned, done = remove(cloudfront, check=True), remove(cloudfront, check=False)
    assert not planned.changed and planned == done
    assert "run the task again, or with wait, to delete it" in done.values["msg"] and cloudfront.stored
