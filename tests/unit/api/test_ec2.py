"""EC2 over its wire protocol, as boto3 sees it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

POOL = ipaddress.ip_network("198.18.64.0/18")


def error_code(failure: pytest.ExceptionInfo[ClientError]) -> str:
    return str(failure.value.response["Error"]["Code"])


@pytest.fixture
def vpc(api: str) -> dict[str, str]:
    """A VPC with a public and a private subnet."""
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    public = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/28")["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=public, MapPublicIpOnLaunch={"Value": True})
    private = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    return {"vpc": vpc, "public": public, "private": private, "gateway": gateway}


def image() -> str:
    ssm = boto3.client("ssm")
    return str(ssm.get_parameter(Name="/aws/service/debian/release/13/latest/amd64")["Parameter"]["Value"])


def launch(subnet: str, **more: Any) -> dict[str, Any]:
    ec2 = boto3.client("ec2")
    wanted = {"ImageId": image(), "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    instance: dict[str, Any] = ec2.run_instances(**{**wanted, **more})["Instances"][0]
    return instance


def describe(instance: dict[str, Any]) -> dict[str, Any]:
    found = boto3.client("ec2").describe_instances(InstanceIds=[instance["InstanceId"]])
    described: dict[str, Any] = found["Reservations"][0]["Instances"][0]
    return described


def test_an_instance_is_pending_then_running_then_stopping_then_stopped(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    instance = launch(vpc["private"])
    assert instance["State"]["Name"] == "pending"
    assert [describe(instance)["State"]["Name"] for _ in range(2)] == ["pending", "running"]
    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    assert [describe(instance)["State"]["Name"] for _ in range(2)] == ["stopping", "stopped"]
    ec2.start_instances(InstanceIds=[instance["InstanceId"]])
    assert [describe(instance)["State"]["Name"] for _ in range(2)] == ["pending", "running"]


def test_a_terminated_instance_takes_its_interface_along_only_when_it_is_down(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    instance = launch(vpc["private"])
    interface = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    with pytest.raises(ClientError) as failure:
        ec2.delete_subnet(SubnetId=vpc["private"])
    assert error_code(failure) == "DependencyViolation"
    assert [describe(instance)["State"]["Name"] for _ in range(2)] == ["shutting-down", "terminated"]
    with pytest.raises(ClientError) as failure:
        ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])
    assert error_code(failure) == "InvalidNetworkInterfaceID.NotFound"
    ec2.delete_subnet(SubnetId=vpc["private"])


def test_private_addresses_are_in_the_subnet_unique_and_not_the_reserved_ones(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    addresses = [launch(vpc["public"])["PrivateIpAddress"] for _ in range(6)]
    interface = ec2.create_network_interface(SubnetId=vpc["public"])["NetworkInterface"]
    addresses.append(interface["PrivateIpAddress"])
    addresses += [launch(vpc["public"])["PrivateIpAddress"] for _ in range(4)]
    assert addresses == [f"10.20.0.{last}" for last in range(4, 15)]
    with pytest.raises(ClientError) as failure:
        launch(vpc["public"])
    assert error_code(failure) == "InsufficientFreeAddressesInSubnet"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.20.1.3", "InvalidParameterValue"),
        ("10.20.1.255", "InvalidParameterValue"),
        ("10.20.9.9", "InvalidParameterValue"),
        ("10.20.1.20", "InvalidIPAddress.InUse"),
    ],
)
def test_a_private_address_that_cannot_be_given_is_refused(vpc: dict[str, str], address: str, code: str) -> None:
    assert launch(vpc["private"], PrivateIpAddress="10.20.1.20")["PrivateIpAddress"] == "10.20.1.20"
    with pytest.raises(ClientError) as failure:
        launch(vpc["private"], PrivateIpAddress=address)
    assert error_code(failure) == code


def test_public_addresses_come_from_the_simulated_internet(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    elastic = [ec2.allocate_address(Domain="vpc")["PublicIp"] for _ in range(3)]
    public = describe(launch(vpc["public"]))["PublicIpAddress"]
    assert len({*elastic, public}) == 4
    assert all(ipaddress.ip_address(address) in POOL for address in [*elastic, public])
    assert "PublicIpAddress" not in describe(launch(vpc["private"]))


def test_the_interface_of_an_instance_keeps_its_mac_and_says_its_private_name(vpc: dict[str, str]) -> None:
    instance = launch(vpc["private"])
    assert instance["PrivateDnsName"] == "ip-10-20-1-4.ap-northeast-2.compute.internal"
    macs = {describe(instance)["NetworkInterfaces"][0]["MacAddress"] for _ in range(2)}
    assert macs == {instance["NetworkInterfaces"][0]["MacAddress"]}


def test_the_same_client_token_launches_one_instance(vpc: dict[str, str]) -> None:
    first, second = (launch(vpc["private"], ClientToken="backend-1") for _ in range(2))
    assert first["InstanceId"] == second["InstanceId"]


def test_an_instance_remembers_metadata_options_encryption_and_the_check(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    instance = launch(
        vpc["private"],
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "VolumeSize": 12}}],
    )
    seen = describe(instance)
    assert (seen["MetadataOptions"]["HttpTokens"], seen["MetadataOptions"]["HttpPutResponseHopLimit"]) == (
        "required",
        2,
    )
    ec2.modify_instance_metadata_options(InstanceId=instance["InstanceId"], HttpPutResponseHopLimit=1)
    assert describe(instance)["MetadataOptions"]["HttpTokens"] == "required"
    volume = seen["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    (known,) = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    assert (known["Encrypted"], known["Size"]) == (True, 12)
    ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], SourceDestCheck={"Value": False})
    assert describe(instance)["SourceDestCheck"] is False
    assert describe(instance)["NetworkInterfaces"][0]["SourceDestCheck"] is False


def test_a_volume_that_is_not_the_images_root_device_comes_beside_it(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    (ubuntu, *_) = ec2.describe_images(Filters=[{"Name": "root-device-name", "Values": ["/dev/sda1"]}])["Images"]
    wanted = [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "VolumeSize": 12}}]
    seen = describe(launch(vpc["private"], ImageId=ubuntu["ImageId"], BlockDeviceMappings=wanted))
    volumes = {each["DeviceName"]: each["Ebs"]["VolumeId"] for each in seen["BlockDeviceMappings"]}
    known = {each["VolumeId"]: each for each in ec2.describe_volumes(VolumeIds=[*volumes.values()])["Volumes"]}
    assert {name: known[each]["Encrypted"] for name, each in volumes.items()} == {"/dev/sda1": False, "/dev/xvda": True}


def test_changing_an_instances_groups_changes_its_interfaces(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    one, two = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc["vpc"])["GroupId"] for name in ("a", "b")
    )
    instance = launch(vpc["private"], SecurityGroupIds=[one])
    ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], Groups=[two])
    seen = describe(instance)
    assert [group["GroupId"] for group in seen["SecurityGroups"]] == [two]
    assert [group["GroupId"] for group in seen["NetworkInterfaces"][0]["Groups"]] == [two]
    ec2.delete_security_group(GroupId=one)
    with pytest.raises(ClientError) as failure:
        ec2.delete_security_group(GroupId=two)
    assert error_code(failure) == "DependencyViolation"


def test_a_nat_gateway_is_pending_first_and_holds_its_address_until_it_is_deleted(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    elastic = ec2.allocate_address(Domain="vpc")
    wanted = {"SubnetId": vpc["public"], "AllocationId": elastic["AllocationId"], "ClientToken": "nat-1"}
    tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "Name", "Value": "nat"}]}]
    made = ec2.create_nat_gateway(**wanted, TagSpecifications=tags)["NatGateway"]
    assert ec2.create_nat_gateway(**wanted)["NatGateway"]["NatGatewayId"] == made["NatGatewayId"]
    assert made["State"] == "pending"

    def state() -> str:
        return str(ec2.describe_nat_gateways(NatGatewayIds=[made["NatGatewayId"]])["NatGateways"][0]["State"])

    assert [state(), state()] == ["pending", "available"]
    by_tag = ec2.describe_nat_gateways(Filters=[{"Name": "tag:Name", "Values": ["nat"]}])["NatGateways"]
    assert [item["NatGatewayId"] for item in by_tag] == [made["NatGatewayId"]]
    assert ec2.describe_nat_gateways(Filters=[{"Name": "tag:Name", "Values": ["other"]}])["NatGateways"] == []
    by_type = [{"Name": "resource-type", "Values": ["natgateway"]}]
    assert ec2.describe_tags(Filters=by_type)["Tags"][0]["ResourceType"] == "natgateway"
    address = made["NatGatewayAddresses"][0]
    assert (address["PublicIp"], address["PrivateIp"]) == (elastic["PublicIp"], "10.20.0.4")

    table = ec2.create_route_table(VpcId=vpc["vpc"])["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=made["NatGatewayId"])
    ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
    assert state() == "deleting"
    assert "AssociationId" in ec2.describe_addresses()["Addresses"][0]
    assert state() == "deleted"
    assert not ec2.describe_addresses()["Addresses"][0].get("AssociationId")
    (known,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    assert {route["DestinationCidrBlock"]: route["State"] for route in known["Routes"]} == {
        "10.20.0.0/16": "active",
        "0.0.0.0/0": "blackhole",
    }


def test_a_nat_gateway_needs_an_internet_gateway_and_a_free_address(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    elastic = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.detach_internet_gateway(InternetGatewayId=vpc["gateway"], VpcId=vpc["vpc"])
    with pytest.raises(ClientError) as failure:
        ec2.create_nat_gateway(SubnetId=vpc["public"], AllocationId=elastic)
    assert error_code(failure) == "Gateway.NotAttached"
    ec2.attach_internet_gateway(InternetGatewayId=vpc["gateway"], VpcId=vpc["vpc"])
    ec2.create_nat_gateway(SubnetId=vpc["public"], AllocationId=elastic)
    with pytest.raises(ClientError) as failure:
        ec2.create_nat_gateway(SubnetId=vpc["public"], AllocationId=elastic)
    assert error_code(failure) == "Resource.AlreadyAssociated"
    with pytest.raises(ClientError) as failure:
        ec2.detach_internet_gateway(InternetGatewayId=vpc["gateway"], VpcId=vpc["vpc"])
    assert error_code(failure) == "DependencyViolation"


def test_an_instance_connect_endpoint_comes_and_goes_with_its_interface(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    tags = [{"ResourceType": "instance-connect-endpoint", "Tags": [{"Key": "Project", "Value": "shop"}]}]
    made = ec2.create_instance_connect_endpoint(SubnetId=vpc["private"], TagSpecifications=tags)
    endpoint = made["InstanceConnectEndpoint"]
    assert (endpoint["State"], endpoint["VpcId"]) == ("create-in-progress", vpc["vpc"])
    assert endpoint["DnsName"].startswith(f"{endpoint['InstanceConnectEndpointId']}.")
    with pytest.raises(ClientError) as failure:
        ec2.create_instance_connect_endpoint(SubnetId=vpc["public"])
    assert error_code(failure) == "InstanceConnectEndpointLimitExceeded"

    def seen() -> list[dict[str, Any]]:
        by_tag = [{"Name": "tag:Project", "Values": ["shop"]}]
        answers: list[dict[str, Any]] = ec2.describe_instance_connect_endpoints(Filters=by_tag)[
            "InstanceConnectEndpoints"
        ]
        return answers

    assert [seen()[0]["State"] for _ in range(2)] == ["create-in-progress", "create-complete"]
    assert seen()[0]["Tags"] == [{"Key": "Project", "Value": "shop"}]
    (interface,) = ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])[
        "NetworkInterfaces"
    ]
    assert interface["SubnetId"] == vpc["private"]
    ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=endpoint["InstanceConnectEndpointId"])
    assert [seen()[0]["State"] for _ in range(2)] == ["delete-in-progress", "delete-complete"]
    assert seen() == []
    ec2.delete_subnet(SubnetId=vpc["private"])


def test_a_groups_prefix_list_rule_keeps_its_description_and_its_weight(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    by_name = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}]
    (prefix_list,) = ec2.describe_managed_prefix_lists(Filters=by_name)["PrefixLists"]
    entry = {"PrefixListId": prefix_list["PrefixListId"], "Description": "CloudFront"}
    group = ec2.create_security_group(GroupName="backend", Description="b", VpcId=vpc["vpc"])["GroupId"]

    def permission(port: int, text: str = "CloudFront") -> list[dict[str, Any]]:
        lists = [{**entry, "Description": text}]
        return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "PrefixListIds": lists}]

    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission(8000))
    with pytest.raises(ClientError) as failure:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission(8001))
    assert error_code(failure) == "RulesPerSecurityGroupLimitExceeded"
    answer = ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=permission(8000, "edge"))
    assert answer["Return"] is True
    (known,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert known["IpPermissions"][0]["PrefixListIds"] == [{**entry, "Description": "edge"}]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=permission(8000, "whatever it says"))
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"] == []


def test_an_s3_endpoint_puts_its_route_into_the_tables(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    table = ec2.create_route_table(VpcId=vpc["vpc"])["RouteTable"]["RouteTableId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc["vpc"], ServiceName="com.amazonaws.ap-northeast-2.s3", RouteTableIds=[table]
    )["VpcEndpoint"]["VpcEndpointId"]

    def targets() -> list[str]:
        (known,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        return [route["GatewayId"] for route in known["Routes"]]

    assert targets() == ["local", endpoint]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert targets() == ["local"]


def test_key_pairs_keep_their_public_key(api: str) -> None:
    ec2 = boto3.client("ec2")
    made = ec2.create_key_pair(KeyName="made", KeyType="ed25519")
    assert "PRIVATE KEY" in made["KeyMaterial"]
    public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJEU8vCXGvX4mRWnJvJ6kTMtGt0ULjF4CdwK5cPmxKv2 team@example"
    ec2.import_key_pair(KeyName="ours", PublicKeyMaterial=public.encode())
    known = {
        pair["KeyName"]: pair["PublicKey"].strip() for pair in ec2.describe_key_pairs(IncludePublicKey=True)["KeyPairs"]
    }
    assert known["ours"] == public
    assert known["made"].startswith("ssh-ed25519 ")


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("/aws/service/debian/release/13/latest/arm64", "arm64"),
        ("/aws/service/canonical/ubuntu/server/26.04/stable/current/amd64/hvm/ebs-gp3/ami-id", "x86_64"),
        ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "x86_64"),
        ("/lab/image/amd64", "x86_64"),
    ],
)
def test_public_image_parameters_name_images_that_exist(api: str, name: str, architecture: str) -> None:
    identifier = boto3.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    (known,) = boto3.client("ec2").describe_images(ImageIds=[identifier])["Images"]
    assert (known["Architecture"], known["State"]) == (architecture, "available")


def test_an_unknown_image_is_refused(vpc: dict[str, str]) -> None:
    with pytest.raises(ClientError) as failure:
        launch(vpc["private"], ImageId="ami-00000000000000000")
    assert error_code(failure) == "InvalidAMIID.NotFound"


def test_a_group_of_another_vpc_is_refused(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="other", Description="other", VpcId=other)["GroupId"]
    with pytest.raises(ClientError) as failure:
        launch(vpc["private"], SecurityGroupIds=[group])
    assert error_code(failure) == "InvalidGroup.NotFound"
    assert boto3.client("ec2").describe_network_interfaces()["NetworkInterfaces"] == []


def test_an_endpoint_can_be_tagged_later(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    made = ec2.create_instance_connect_endpoint(SubnetId=vpc["private"])["InstanceConnectEndpoint"]
    ec2.create_tags(Resources=[made["InstanceConnectEndpointId"]], Tags=[{"Key": "Name", "Value": "way-in"}])
    (seen,) = ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
    assert seen["Tags"] == [{"Key": "Name", "Value": "way-in"}]


def test_many_clients_at_once_get_addresses_of_their_own(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    wanted = {"ImageId": image(), "MinCount": 1, "MaxCount": 1, "SubnetId": vpc["private"]}
    with ThreadPoolExecutor(8) as pool:
        launched = pool.map(lambda _: ec2.run_instances(**wanted)["Instances"][0]["PrivateIpAddress"], range(24))
    assert sorted(launched, key=ipaddress.ip_address) == [f"10.20.1.{last}" for last in range(4, 28)]


def test_a_vpc_goes_when_its_parts_are_gone_and_not_before(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc["vpc"])["GroupId"]
    steps: list[Callable[[], object]] = [
        lambda: ec2.delete_subnet(SubnetId=vpc["public"]),
        lambda: ec2.delete_subnet(SubnetId=vpc["private"]),
        lambda: ec2.detach_internet_gateway(InternetGatewayId=vpc["gateway"], VpcId=vpc["vpc"]),
        lambda: ec2.delete_security_group(GroupId=group),
    ]
    for step in steps:
        with pytest.raises(ClientError) as failure:
            ec2.delete_vpc(VpcId=vpc["vpc"])
        assert error_code(failure) == "DependencyViolation"
        step()
    ec2.delete_vpc(VpcId=vpc["vpc"])


def test_a_vpc_takes_its_own_network_acl_along_and_leaves_the_dhcp_options(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    inside = [{"Name": "vpc-id", "Values": [vpc["vpc"]]}]
    wanted = [{"Key": "domain-name", "Values": ["shop.internal"]}]
    options = ec2.create_dhcp_options(DhcpConfigurations=wanted)["DhcpOptions"]["DhcpOptionsId"]
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc["vpc"])
    acl = ec2.create_network_acl(VpcId=vpc["vpc"])["NetworkAcl"]["NetworkAclId"]
    for subnet in (vpc["public"], vpc["private"]):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.detach_internet_gateway(InternetGatewayId=vpc["gateway"], VpcId=vpc["vpc"])
    with pytest.raises(ClientError) as failure:
        ec2.delete_vpc(VpcId=vpc["vpc"])
    assert error_code(failure) == "DependencyViolation"
    with pytest.raises(ClientError) as failure:
        ec2.delete_dhcp_options(DhcpOptionsId=options)
    assert error_code(failure) == "DependencyViolation"
    ec2.delete_network_acl(NetworkAclId=acl)
    ec2.delete_vpc(VpcId=vpc["vpc"])
    assert ec2.describe_network_acls(Filters=inside)["NetworkAcls"] == []
    ec2.delete_dhcp_options(DhcpOptionsId=options)


def test_an_address_in_use_is_not_released(vpc: dict[str, str]) -> None:
    ec2 = boto3.client("ec2")
    elastic = ec2.allocate_address(Domain="vpc")["AllocationId"]
    interface = ec2.create_network_interface(SubnetId=vpc["public"])["NetworkInterface"]["NetworkInterfaceId"]
    held = ec2.associate_address(AllocationId=elastic, NetworkInterfaceId=interface)["AssociationId"]
    with pytest.raises(ClientError) as failure:
        ec2.release_address(AllocationId=elastic)
    assert error_code(failure) == "InvalidIPAddress.InUse"
    ec2.disassociate_address(AssociationId=held)
    ec2.release_address(AllocationId=elastic)
    assert ec2.describe_addresses()["Addresses"] == []
