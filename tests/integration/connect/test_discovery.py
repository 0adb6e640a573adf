"""Finding the endpoint of a host's VPC by the API, when no ids are given."""

from __future__ import annotations

import boto3
import pytest


@pytest.fixture
def ec2(api):
    return boto3.client("ec2")


def network(ec2, cidr):
    vpc_id = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    return vpc_id, ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr)["Subnet"]["SubnetId"]


def endpoint(ec2, subnet_id):
    """An endpoint that is ready."""
    created = ec2.create_instance_connect_endpoint(SubnetId=subnet_id)["InstanceConnectEndpoint"]
    ids = [created["InstanceConnectEndpointId"]]
    while created["State"] != "create-complete":
        created = ec2.describe_instance_connect_endpoints(InstanceConnectEndpointIds=ids)["InstanceConnectEndpoints"][0]
    return created["InstanceConnectEndpointId"], created["DnsName"]


def test_the_endpoint_of_the_hosts_own_vpc_is_found(ec2, proxy):
    for cidr, address in (("10.1.0.0/24", "10.1.0.9"), ("10.2.0.0/24", "10.2.0.9")):
        _, subnet_id = network(ec2, cidr)
        ec2.create_network_interface(SubnetId=subnet_id, PrivateIpAddress=address)
        expected = endpoint(ec2, subnet_id)
        assert proxy.Account(None, None).endpoint(None, address) == expected


def test_an_endpoints_dns_name_is_found_by_its_id(ec2, proxy):
    endpoint_id, dns_name = endpoint(ec2, network(ec2, "10.1.0.0/24")[1])
    assert proxy.Account(None, None).endpoint(endpoint_id, "10.1.0.9") == (endpoint_id, dns_name)


def test_an_address_that_two_vpcs_have_needs_the_vpcs_id(ec2, proxy):
    for _ in range(2):
        _, subnet_id = network(ec2, "10.1.0.0/24")
        ec2.create_network_interface(SubnetId=subnet_id, PrivateIpAddress="10.1.0.9")
    vpc_id, subnet_id = network(ec2, "10.1.0.0/24")
    expected = endpoint(ec2, subnet_id)
    assert proxy.Account(None, None).endpoint(None, "10.1.0.9", vpc_id) == expected
    with pytest.raises(proxy.ProxyError, match=r"hosts in 2 VPCs .* with the address 10\.1\.0\.9: give --vpc-id"):
        proxy.Account(None, None).endpoint(None, "10.1.0.9")


def test_an_unknown_address_and_a_vpc_without_endpoint_are_said(ec2, proxy):
    with pytest.raises(proxy.ProxyError, match="no host in ap-northeast-2 with the address"):
        proxy.Account(None, None).endpoint(None, "10.1.0.9")
    _, subnet_id = network(ec2, "10.1.0.0/24")
    ec2.create_network_interface(SubnetId=subnet_id, PrivateIpAddress="10.1.0.9")
    with pytest.raises(proxy.ProxyError, match="no instance connect endpoint is ready"):
        proxy.Account(None, None).endpoint(None, "10.1.0.9")
