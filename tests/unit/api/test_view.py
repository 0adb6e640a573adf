"""What the reconciler reads of the API, and what it confirms to it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from lab.api import ready, view
from lab.edge.model import S3Origin, VpcOrigin
from lab.network.model import Route, Rule

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJEU8vCXGvX4mRWnJvJ6kTMtGt0ULjF4CdwK5cPmxKv2 team@example"


@pytest.fixture
def built(inside: Any) -> dict[str, Any]:
    """A VPC with a public and a private subnet, a NAT gateway, and a backend."""
    ec2, ssm = boto3.client("ec2"), boto3.client("ssm")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    public = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/24", AvailabilityZone="ap-northeast-2a")["Subnet"]
    private = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24", AvailabilityZone="ap-northeast-2c")["Subnet"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    tables = {}
    for name, subnet in (("public", public), ("private", private)):
        tables[name] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=tables[name], SubnetId=subnet["SubnetId"])
    ec2.create_route(RouteTableId=tables["public"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    elastic = ec2.allocate_address(Domain="vpc")
    nat = ec2.create_nat_gateway(SubnetId=public["SubnetId"], AllocationId=elastic["AllocationId"])["NatGateway"]
    ec2.create_route(RouteTableId=tables["private"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat["NatGatewayId"])
    group = ec2.create_security_group(GroupName="backend", Description="backend", VpcId=vpc)["GroupId"]
    ec2.import_key_pair(KeyName="team", PublicKeyMaterial=KEY.encode())
    image = ssm.get_parameter(Name="/lab/image/amd64")["Parameter"]["Value"]
    instance = ec2.run_instances(
        ImageId=image,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=private["SubnetId"],
        SecurityGroupIds=[group],
        KeyName="team",
        UserData="#cloud-config\n",
        MetadataOptions={"HttpTokens": "required"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "backend"}]}],
    )["Instances"][0]
    return {
        "vpc": vpc,
        "public": public["SubnetId"],
        "private": private["SubnetId"],
        "gateway": gateway,
        "tables": tables,
        "elastic": elastic["PublicIp"],
        "nat": nat["NatGatewayId"],
        "group": group,
        "image": image,
        "instance": instance,
    }


def instance_state(instance: dict[str, Any]) -> str:
    found = boto3.client("ec2").describe_instances(InstanceIds=[instance["InstanceId"]])
    return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


def test_the_network_is_seen_with_its_tables_gateways_and_interfaces(built: dict[str, Any]) -> None:
    state = view.network_state()
    (vpc,) = state.vpcs
    assert (vpc.id, vpc.cidrs, vpc.internet_gateway_id) == (built["vpc"], ("10.20.0.0/16",), built["gateway"])
    tables = {table.id: table.routes for table in state.route_tables}
    local = Route("10.20.0.0/16", "local")
    assert tables[built["tables"]["public"]] == (local, Route("0.0.0.0/0", built["gateway"]))
    assert tables[built["tables"]["private"]] == (local, Route("0.0.0.0/0", built["nat"]))
    subnets = {subnet.id: subnet for subnet in state.subnets}
    assert subnets[built["private"]].route_table_id == built["tables"]["private"]
    assert subnets[built["private"]].availability_zone == "ap-northeast-2c"
    (nat,) = state.nat_gateways
    assert (nat.id, nat.public_ip, nat.subnet_id) == (built["nat"], built["elastic"], built["public"])
    kinds = {interface.kind: interface for interface in state.interfaces}
    assert set(kinds) == {"nat_gateway", "instance"}
    assert kinds["nat_gateway"].id == nat.interface_id
    assert kinds["nat_gateway"].public_ip == built["elastic"]
    backend = kinds["instance"]
    assert (backend.owner_id, backend.private_ip) == (built["instance"]["InstanceId"], "10.20.1.4")
    assert (backend.groups, backend.public_ip) == (frozenset({built["group"]}), None)


def test_a_subnet_without_an_association_has_the_vpcs_main_table(built: dict[str, Any]) -> None:
    ec2 = boto3.client("ec2")
    subnet = ec2.create_subnet(VpcId=built["vpc"], CidrBlock="10.20.2.0/24")["Subnet"]["SubnetId"]
    by_main = [{"Name": "association.main", "Values": ["true"]}, {"Name": "vpc-id", "Values": [built["vpc"]]}]
    (main,) = ec2.describe_route_tables(Filters=by_main)["RouteTables"]
    seen = {item.id: item.route_table_id for item in view.network_state().subnets}
    assert seen[subnet] == main["RouteTableId"]


def test_the_rules_of_a_group_are_seen_one_by_one(built: dict[str, Any]) -> None:
    ec2 = boto3.client("ec2")
    group = built["group"]
    lists = ec2.describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}]
    )["PrefixLists"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 8000,
                "ToPort": 8001,
                "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "10.20.0.9/32"}],
                "UserIdGroupPairs": [{"GroupId": group}],
                "PrefixListIds": [{"PrefixListId": lists[0]["PrefixListId"]}],
            },
            {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "10.20.0.0/16"}]},
        ],
    )
    seen = {item.id: item for item in view.network_state().security_groups}[group]
    assert set(seen.rules) == {
        Rule("ingress", "tcp", 8000, 8001, cidr="10.0.0.0/8"),
        Rule("ingress", "tcp", 8000, 8001, cidr="10.20.0.9/32"),
        Rule("ingress", "tcp", 8000, 8001, group_id=group),
        Rule("ingress", "tcp", 8000, 8001, prefix_list_id=lists[0]["PrefixListId"]),
        Rule("ingress", "icmp", cidr="10.20.0.0/16"),
        Rule("egress", "-1", cidr="0.0.0.0/0"),
    }


def test_a_machine_is_seen_with_all_that_it_needs_to_boot(built: dict[str, Any]) -> None:
    (machine,) = view.machines()
    assert (machine.name, machine.desired, machine.vpc_id) == ("backend", "running", built["vpc"])
    assert machine.hostname == "ip-10-20-1-4.ap-northeast-2.compute.internal"
    assert machine.user_data == b"#cloud-config\n"
    assert machine.public_keys == (("team", KEY),)
    assert machine.metadata_tokens_required
    assert (machine.security_groups, machine.tags) == (("backend",), (("Name", "backend"),))
    assert machine.interface_id == built["instance"]["NetworkInterfaces"][0]["NetworkInterfaceId"]
    assert machine.mac == built["instance"]["NetworkInterfaces"][0]["MacAddress"]


def test_a_machine_searches_the_domain_of_its_vpcs_dhcp_options(built: dict[str, Any]) -> None:
    ec2 = boto3.client("ec2")
    assert view.machines()[0].domain_name == ""
    wanted = [{"Key": "domain-name", "Values": ["shop.internal"]}]
    options = ec2.create_dhcp_options(DhcpConfigurations=wanted)["DhcpOptions"]["DhcpOptionsId"]
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=built["vpc"])
    assert view.machines()[0].domain_name == "shop.internal"


def test_an_instance_waits_for_the_lab_at_every_step(built: dict[str, Any]) -> None:
    ec2, instance = boto3.client("ec2"), built["instance"]
    identifier = instance["InstanceId"]
    assert [instance_state(instance) for _ in range(3)] == ["pending"] * 3
    ready.instance_terminated(identifier)
    assert instance_state(instance) == "pending"
    ready.instance_running(identifier)
    assert instance_state(instance) == "running"
    ec2.stop_instances(InstanceIds=[identifier])
    assert view.machines()[0].desired == "stopped"
    ready.instance_stopped(identifier)
    assert instance_state(instance) == "stopped"
    ec2.terminate_instances(InstanceIds=[identifier])
    assert view.machines()[0].desired == "terminated"
    assert instance_state(instance) == "shutting-down"
    ready.instance_terminated(identifier)
    assert (instance_state(instance), view.machines()) == ("terminated", ())
    assert [item.kind for item in view.network_state().interfaces] == ["nat_gateway"]


def test_an_instance_that_is_asked_to_reboot_keeps_running_and_is_seen_with_the_count(built: dict[str, Any]) -> None:
    ec2, identifier = boto3.client("ec2"), built["instance"]["InstanceId"]
    ready.instance_running(identifier)
    assert view.machines()[0].reboots == 0
    for _ in range(2):
        ec2.reboot_instances(InstanceIds=[identifier])
    assert (instance_state(built["instance"]), view.machines()[0].reboots) == ("running", 2)


def test_what_waits_is_listed_until_the_lab_confirms_it(built: dict[str, Any]) -> None:
    ec2 = boto3.client("ec2")
    endpoint = ec2.create_instance_connect_endpoint(SubnetId=built["private"])["InstanceConnectEndpoint"]
    waiting = {(item.kind, item.id): item.state for item in view.waiting()}
    assert waiting == {
        ("instance", built["instance"]["InstanceId"]): "pending",
        ("nat_gateway", built["nat"]): "pending",
        ("connect_endpoint", endpoint["InstanceConnectEndpointId"]): "create-in-progress",
    }
    ready.instance_running(built["instance"]["InstanceId"])
    ready.nat_gateway_available(built["nat"])
    ready.endpoint_ready(endpoint["InstanceConnectEndpointId"])
    assert view.waiting() == ()
    ec2.delete_nat_gateway(NatGatewayId=built["nat"])
    ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=endpoint["InstanceConnectEndpointId"])
    # What is being deleted is gone from the network before the API says so.
    assert [item.kind for item in view.network_state().interfaces] == ["instance"]
    assert view.network_state().nat_gateways == ()
    ready.nat_gateway_deleted(built["nat"])
    ready.endpoint_deleted(endpoint["InstanceConnectEndpointId"])
    assert view.waiting() == ()
    assert ec2.describe_nat_gateways(NatGatewayIds=[built["nat"]])["NatGateways"][0]["State"] == "deleted"


def test_a_distribution_is_seen_with_its_origins_functions_and_policies(built: dict[str, Any]) -> None:
    cloudfront = boto3.client("cloudfront")
    origin = cloudfront.create_vpc_origin(
        VpcOriginEndpointConfig={
            "Name": "backend",
            "Arn": f"arn:aws:ec2:ap-northeast-2:123456789012:instance/{built['instance']['InstanceId']}",
            "HTTPPort": 8000,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
        }
    )["VpcOrigin"]
    assert origin["Status"] == "Deploying"
    ready.vpc_origin_deployed(origin["Id"])
    interface = next(item for item in view.network_state().interfaces if item.kind == "vpc_origin")
    assert (interface.subnet_id, interface.owner_id) == (built["private"], origin["Id"])
    admitted = {item.name: item.cidrs for item in view.network_state().prefix_lists}
    assert f"{interface.private_ip}/32" in admitted["com.amazonaws.global.cloudfront.origin-facing"]

    control = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": "shop",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]
    made = cloudfront.create_function(
        Name="spa",
        FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"},
        FunctionCode=b"function handler(event) { return event.request; }",
    )
    cloudfront.publish_function(Name="spa", IfMatch=made["ETag"])
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    created = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "one",
            "Comment": "",
            "Enabled": True,
            "DefaultRootObject": "index.html",
            "Origins": {
                "Quantity": 2,
                "Items": [
                    {
                        "Id": "site",
                        "DomainName": "shop.s3.ap-northeast-2.amazonaws.com",
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                        "OriginAccessControlId": control,
                    },
                    {
                        "Id": "backend",
                        "DomainName": built["instance"]["PrivateDnsName"],
                        "VpcOriginConfig": {"VpcOriginId": origin["Id"], "OriginReadTimeout": 20},
                    },
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "site",
                "ViewerProtocolPolicy": "redirect-to-https",
                "CachePolicyId": OPTIMIZED,
                "ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03",
                "Compress": True,
                "FunctionAssociations": {
                    "Quantity": 1,
                    "Items": [{"FunctionARN": arn, "EventType": "viewer-request"}],
                },
            },
            "CacheBehaviors": {
                "Quantity": 1,
                "Items": [
                    {
                        "PathPattern": "/api/*",
                        "TargetOriginId": "backend",
                        "ViewerProtocolPolicy": "https-only",
                        "CachePolicyId": DISABLED,
                        "OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
                    }
                ],
            },
        }
    )
    (seen,) = view.distributions()
    assert seen.etag == created["ETag"]
    site, backend = seen.origins
    assert site.target == S3Origin("shop", "ap-northeast-2", signed=True)
    assert backend.target == VpcOrigin(origin["Id"], interface.id, "10.20.1.4", 8000, 443, "http-only")
    assert backend.read_timeout == 20
    api, default = seen.behaviours
    assert (api.path_pattern, default.path_pattern) == ("/api/*", "*")
    assert (api.cache_policy.max_ttl, default.cache_policy.min_ttl) == (0, 1)
    assert api.origin_request_policy is not None
    assert (api.origin_request_policy.headers, api.origin_request_policy.header_names) == ("allExcept", ("Host",))
    assert default.viewer_request is not None
    assert "handler" in default.viewer_request.code
    assert ("X-Frame-Options", "SAMEORIGIN") in default.response_headers

    identifier = created["Distribution"]["Id"]
    ready.distribution_deployed(identifier, "EOLDER")
    assert cloudfront.get_distribution(Id=identifier)["Distribution"]["Status"] == "InProgress"
    ready.distribution_deployed(identifier, created["ETag"])
    assert cloudfront.get_distribution(Id=identifier)["Distribution"]["Status"] == "Deployed"

    batch = {"CallerReference": "r", "Paths": {"Quantity": 1, "Items": ["/index.html"]}}
    asked = cloudfront.create_invalidation(DistributionId=identifier, InvalidationBatch=batch)["Invalidation"]
    (pending,) = view.pending_invalidations()
    assert (pending.id, pending.paths) == (asked["Id"], ("/index.html",))
    ready.invalidation_completed(identifier, asked["Id"])
    assert view.pending_invalidations() == ()


def test_private_zones_and_private_names_are_seen(built: dict[str, Any]) -> None:
    route53 = boto3.client("route53")
    zone = route53.create_hosted_zone(
        Name="shop.internal",
        CallerReference="z",
        VPC={"VPCRegion": "ap-northeast-2", "VPCId": built["vpc"]},
        HostedZoneConfig={"PrivateZone": True},
    )["HostedZone"]["Id"]
    record = {"Name": "db1.shop.internal", "Type": "A", "TTL": 30, "ResourceRecords": [{"Value": "10.20.1.9"}]}
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    )
    zones = {item.name: item for item in view.zones()}
    assert zones["shop.internal"].vpc_ids == frozenset({built["vpc"]})
    records = {(item.name, item.type): item for item in zones["shop.internal"].records}
    assert all(isinstance(value, str) for item in zones["shop.internal"].records for value in item.values)
    assert (records["db1.shop.internal", "A"].values, records["db1.shop.internal", "A"].ttl) == (("10.20.1.9",), 30)
    names = {item.name: item.values for item in zones["ap-northeast-2.compute.internal"].records}
    assert names["ip-10-20-1-4.ap-northeast-2.compute.internal"] == ("10.20.1.4",)


def test_a_change_is_told_once_it_is_done_and_a_look_is_no_change(inside: Any) -> None:
    ec2 = boto3.client("ec2")
    ec2.describe_vpcs()
    assert inside.changes == []
    ec2.create_vpc(CidrBlock="10.20.0.0/16")
    assert inside.changes == ["changed"]
    with pytest.raises(ec2.exceptions.ClientError):
        ec2.delete_vpc(VpcId="vpc-00000000000000000")
    assert inside.changes == ["changed"]


def test_the_log_has_a_line_a_call_and_no_parameters(inside: Any) -> None:
    boto3.client("secretsmanager").create_secret(Name="db", SecretString="hunter2")
    line = (inside.settings.state / "api.log").read_text().splitlines()[-1]
    assert line.split()[1:] == ["secretsmanager", "CreateSecret", "LABLABLABLABLABLABLA", "200"]
