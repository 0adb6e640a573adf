"""What a deployment has outside of EC2, service by service: by its tags where the service has tags, by its names else.

Services without a filter for tags are asked by the prefix of the deployment's names first; the tags then decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.aws_outcome import error_code
from ansible.module_utils.cloudfront_api import carries, listed, tags_of
from ansible.module_utils.cloudfront_distributions import with_tags
from ansible.module_utils.cloudfront_vpc_origins import read_all
from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

Found = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Deployment:
    """How a deployment's things are known: their tags, and what their names begin with."""

    tags: Mapping[str, str]
    prefix: str
    secrets_prefix: str

    def has(self, tags: Mapping[str, str]) -> bool:
        """Whether these are its tags."""
        return carries(tags, self.tags)

    def names(self, name: str) -> bool:
        """Whether a name may be one of its."""
        return name.startswith(f"{self.prefix}-")


def distributions(client: Any, deployment: Deployment) -> Found:
    """CloudFront distributions."""
    for item in with_tags(client, dict(deployment.tags)):
        yield {"id": item.id, "name": item.tags.get("Name", item.id), "enabled": bool(item.config["Enabled"])}


def vpc_origins(client: Any, deployment: Deployment) -> Found:
    """CloudFront VPC origins, also those that are being deleted."""
    for item in read_all(client, None):
        if deployment.has(item.tags):
            yield {"id": item.id, "name": item.config["Name"]}


def cloudfront_functions(client: Any, deployment: Deployment) -> Found:
    """CloudFront functions."""
    for item in listed(client.list_functions, "FunctionList", Stage="DEVELOPMENT"):
        if deployment.names(item["Name"]) and deployment.has(tags_of(client, item["FunctionMetadata"]["FunctionARN"])):
            yield {"id": item["Name"], "name": item["Name"]}


def access_controls(client: Any, deployment: Deployment) -> Found:
    """Origin access controls: AWS tags none, so the name counts together with what the description says it reads."""
    for item in listed(client.list_origin_access_controls, "OriginAccessControlList"):
        name = f"{deployment.prefix}-site"
        if item["Name"] == name and item.get("Description", "").startswith(f"Reads {name}-"):
            yield {"id": item["Id"], "name": item["Name"]}


def iam_roles(client: Any, deployment: Deployment) -> Found:
    """IAM roles."""
    for item in _pages(client, "list_roles", "Roles"):
        if deployment.names(item["RoleName"]):
            tags = boto3_tag_list_to_ansible_dict(client.list_role_tags(RoleName=item["RoleName"])["Tags"])
            if deployment.has(tags):
                yield {"id": item["RoleName"], "name": item["RoleName"], "arn": item["Arn"]}


def functions(client: Any, deployment: Deployment) -> Found:
    """Lambda functions."""
    for item in _pages(client, "list_functions", "Functions"):
        if deployment.names(item["FunctionName"]):
            tags = client.list_tags(Resource=item["FunctionArn"]).get("Tags") or {}
            if deployment.has(tags):
                yield {"id": item["FunctionName"], "name": item["FunctionName"]}


def schedules(client: Any, deployment: Deployment, roles: Iterable[str]) -> Found:
    """Schedules: AWS tags none, so a name counts together with a role that carries the tags."""
    known = set(roles)
    for item in _pages(client, "list_schedules", "Schedules", NamePrefix=f"{deployment.prefix}-"):
        target = client.get_schedule(Name=item["Name"], GroupName=item["GroupName"])["Target"]
        if target["RoleArn"] in known:
            yield {"id": item["Name"], "name": item["Name"], "group": item["GroupName"]}


def log_groups(client: Any, deployment: Deployment) -> Found:
    """CloudWatch's log groups."""
    prefix = f"/aws/lambda/{deployment.prefix}-"
    for item in _pages(client, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
        arn = item["arn"].removesuffix(":*")
        if deployment.has(client.list_tags_for_resource(resourceArn=arn).get("tags") or {}):
            yield {"id": item["logGroupName"], "name": item["logGroupName"]}


def zones(client: Any, deployment: Deployment) -> Found:
    """Route 53's private zones, with the records that have to go before them."""
    for item in _pages(client, "list_hosted_zones", "HostedZones"):
        identifier = item["Id"].rpartition("/")[2]
        if not item["Config"]["PrivateZone"]:
            continue
        answer = client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=identifier)
        if not deployment.has(boto3_tag_list_to_ansible_dict(answer["ResourceTagSet"]["Tags"])):
            continue
        vpcs = client.get_hosted_zone(Id=identifier)["VPCs"]
        records = _pages(client, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=identifier)
        yield {
            "id": identifier,
            "name": item["Name"].rstrip("."),
            "vpc_id": vpcs[0]["VPCId"],
            "records": [
                {"zone_id": identifier, "name": each["Name"], "type": each["Type"]}
                for each in records
                # A zone's own, which go with it.
                if each["Type"] not in ("NS", "SOA") or each["Name"] != item["Name"]
            ],
        }


def secrets(client: Any, deployment: Deployment) -> Found:
    """Secrets, also those whose deletion is scheduled."""
    names = [{"Key": "name", "Values": [deployment.secrets_prefix]}]
    for item in _pages(client, "list_secrets", "SecretList", Filters=names, IncludePlannedDeletion=True):
        if item["Name"].startswith(deployment.secrets_prefix) and deployment.has(
            boto3_tag_list_to_ansible_dict(item.get("Tags") or [])
        ):
            yield {"id": item["Name"], "name": item["Name"], "scheduled": bool(item.get("DeletedDate"))}


def buckets(client: Any, deployment: Deployment) -> Found:
    """Buckets, and whether they hold anything."""
    for item in client.list_buckets()["Buckets"]:
        if not deployment.names(item["Name"]):
            continue
        try:
            tags = boto3_tag_list_to_ansible_dict(client.get_bucket_tagging(Bucket=item["Name"])["TagSet"])
        except Exception as error:
            if error_code(error) in ("NoSuchTagSet", "NoSuchBucket", "AccessDenied"):
                continue
            raise
        if deployment.has(tags):
            held = client.list_object_versions(Bucket=item["Name"], MaxKeys=1)
            empty = not held.get("Versions") and not held.get("DeleteMarkers")
            yield {"id": item["Name"], "name": item["Name"], "empty": empty}


def _pages(client: Any, call: str, member: str, **parameters: Any) -> Iterator[Any]:
    for page in client.get_paginator(call).paginate(**parameters):
        yield from page[member]


# Service, then what finds the kind there.
READERS: dict[str, tuple[str, Callable[[Any, Deployment], Found]]] = {
    "distribution": ("cloudfront", distributions),
    "vpc_origin": ("cloudfront", vpc_origins),
    "cloudfront_function": ("cloudfront", cloudfront_functions),
    "origin_access_control": ("cloudfront", access_controls),
    "function": ("lambda", functions),
    "log_group": ("logs", log_groups),
    "iam_role": ("iam", iam_roles),
    "private_zone": ("route53", zones),
    "secret": ("secretsmanager", secrets),
    "bucket": ("s3", buckets),
}
KINDS = (*READERS, "schedule")
