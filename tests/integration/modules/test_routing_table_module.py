"""ec2_routing_table and ec2_gateway_endpoint against the lab's API."""

from __future__ import annotations

import json

import pytest

NAME = "ec2_routing_table"
PUBLIC = {"Name": "shop-public", "Project": "shop"}
PRIVATE = {"Name": "shop-private", "Project": "shop"}
OUT = [{"destination": "0.0.0.0/0", "target": "internet_gateway"}]
S3 = "com.amazonaws.ap-northeast-2.s3"


class Network:
    def __init__(self, ec2):
        self.ec2 = ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=self.gateway)
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
            for number in range(2)
        ]
        self.nats = [self.nat(subnet) for subnet in self.subnets]

    def nat(self, subnet):
        allocation = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocation)
        return made["NatGateway"]["NatGatewayId"]

    def interface(self):
        return self.ec2.create_network_interface(SubnetId=self.subnets[0])["NetworkInterface"]["NetworkInterfaceId"]

    def tables(self):
        found = self.ec2.describe_route_tables(Filters=[{"Name": "tag:Project", "Values": ["shop"]}])["RouteTables"]
        return {tag["Value"]: table for table in found for tag in table["Tags"] if tag["Key"] == "Name"}

    def leads(self, name):
        """Where the table sends what is for nobody inside."""
        routes = self.tables()[name]["Routes"]
        route = next((each for each in routes if each.get("DestinationCidrBlock") == "0.0.0.0/0"), {})
        keys = ("GatewayId", "NatGatewayId", "NetworkInterfaceId")
        return next((route[key] for key in keys if route.get(key)), None)

    def follow(self, name):
        return [link["SubnetId"] for link in self.tables()[name]["Associations"] if link.get("SubnetId")]


@pytest.fixture
def network(ec2):
    return Network(ec2)


def to(target):
    return [{"destination": "0.0.0.0/0", "target": target}]


def test_a_table_is_made_with_its_tags_its_routes_and_its_subnets_and_then_left_alone(run_module, network):
    asked = {"vpc_id": network.vpc, "routes": OUT, "subnets": network.subnets, "tags": PUBLIC}
    planned = run_module(NAME, check=True, **asked)
    assert planned["changed"]
    assert planned["route_table_id"] == "(known after creation)"
    assert planned["diff"]["before"] == {}
    assert network.tables() == {}
    made = run_module(NAME, **asked)
    assert made["diff"]["after"] == {"routes": {"0.0.0.0/0": network.gateway}, "subnets": sorted(network.subnets)}
    assert network.leads("shop-public") == network.gateway
    assert not run_module(NAME, **asked)["changed"]


@pytest.mark.parametrize("order", [(PUBLIC, PRIVATE), (PRIVATE, PUBLIC)])
def test_a_subnet_moves_to_the_table_that_names_it_whichever_comes_first(run_module, network, order):
    routes = {"shop-public": OUT, "shop-private": to(network.nats[0])}
    one, other = network.subnets
    for where in ({"shop-public": [one], "shop-private": [other]}, {"shop-public": [], "shop-private": [one, other]},
                  {"shop-public": [one, other], "shop-private": []}):  # fmt: skip
        for tags in order:
            name = tags["Name"]
            run_module(NAME, vpc_id=network.vpc, routes=routes[name], subnets=where[name], tags=tags)
        assert {name: sorted(network.follow(name)) for name in where} == {
            name: sorted(subnets) for name, subnets in where.items()
        }


def test_a_move_whose_answer_is_lost_is_made_once(run_module, network, order):
    subnets = network.subnets[:1]
    run_module(NAME, vpc_id=network.vpc, routes=OUT, subnets=subnets, tags=PUBLIC)
    order(kind="drop_after", action="ReplaceRouteTableAssociation")
    asked = {"vpc_id": network.vpc, "routes": to(network.nats[0]), "subnets": subnets, "tags": PRIVATE}
    assert run_module(NAME, **asked)["changed"]
    assert (network.follow("shop-public"), network.follow("shop-private")) == ([], subnets)
    assert not run_module(NAME, **asked)["changed"]


def test_a_route_is_replaced_by_one_call(run_module, network, ec2):
    asked = {"vpc_id": network.vpc, "subnets": [], "tags": PRIVATE}
    run_module(NAME, routes=to(network.nats[0]), **asked)
    interface = network.interface()
    for target in (network.nats[1], interface, network.nats[0]):
        done = run_module(NAME, routes=to(target), **asked)
        assert done["changed"]
        assert network.leads("shop-private") == target
        assert not run_module(NAME, routes=to(target), **asked)["changed"]


def test_without_replacing_only_what_is_missing_is_made_and_the_rest_is_told(run_module, network):
    one, other = network.subnets
    run_module(NAME, vpc_id=network.vpc, routes=to(network.nats[0]), subnets=[one], tags=PRIVATE)
    held = run_module(NAME, vpc_id=network.vpc, routes=to(network.nats[1]), subnets=[one], tags=PRIVATE, replace=False)
    assert not held["changed"]
    assert held["held"] == [f"0.0.0.0/0 leads to {network.nats[0]}, and will to {network.nats[1]}"]
    copy = {**PRIVATE, "Name": "shop-private-c"}
    made = run_module(
        NAME, vpc_id=network.vpc, routes=to(network.nats[1]), subnets=[one, other], tags=copy, replace=False
    )
    assert network.leads("shop-private-c") == network.nats[1]
    assert network.follow("shop-private-c") == [other]
    assert len(made["held"]) == 1
    assert set(made["others"]) == {"shop-private"}


def test_what_somebody_added_is_taken_away(run_module, network, ec2):
    made = run_module(NAME, vpc_id=network.vpc, routes=OUT, tags=PUBLIC)
    ec2.create_route(
        RouteTableId=made["route_table_id"], DestinationCidrBlock="192.168.0.0/16", GatewayId=network.gateway
    )
    planned = run_module(NAME, check=True, vpc_id=network.vpc, routes=OUT, tags=PUBLIC)
    assert planned["diff"]["before"]["routes"]["192.168.0.0/16"] == network.gateway
    assert run_module(NAME, vpc_id=network.vpc, routes=OUT, tags=PUBLIC)["changed"]
    assert not run_module(NAME, vpc_id=network.vpc, routes=OUT, tags=PUBLIC)["changed"]


def test_a_gateway_endpoint_follows_the_tables(run_module, network, ec2):
    made = [
        run_module(NAME, vpc_id=network.vpc, routes=OUT, tags={**PUBLIC, "Name": name})["route_table_id"]
        for name in ("shop-one", "shop-two")
    ]

    def with_route():
        found = network.tables()
        return sorted(
            name for name, table in found.items()
            if any(route.get("GatewayId", "").startswith("vpce-") for route in table["Routes"])
        )  # fmt: skip

    asked = {"vpc_id": network.vpc, "service": S3, "tags": {"Name": "shop-s3", "Project": "shop"}}
    assert run_module("ec2_gateway_endpoint", check=True, route_table_ids=made, **asked)["changed"]
    for tables, names in ((made[:1], ["shop-one"]), (made, ["shop-one", "shop-two"]), (made[1:], ["shop-two"])):
        assert run_module("ec2_gateway_endpoint", route_table_ids=tables, **asked)["changed"]
        assert with_route() == names
        assert not run_module("ec2_gateway_endpoint", route_table_ids=tables, **asked)["changed"]
    # The routes of the endpoint are not those of the table's own task.
    assert not run_module(NAME, vpc_id=network.vpc, routes=OUT, tags={**PUBLIC, "Name": "shop-two"})["changed"]


def test_a_gateway_endpoint_whose_policy_or_tags_somebody_changed_is_put_right(run_module, network, ec2):
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    asked = {"vpc_id": network.vpc, "service": S3, "tags": {"Name": "shop-s3"}, "route_table_ids": [table]}
    identifier = run_module("ec2_gateway_endpoint", **asked)["vpc_endpoint_id"]
    made = ec2.describe_vpc_endpoints()["VpcEndpoints"][0]
    mine = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
    ec2.modify_vpc_endpoint(VpcEndpointId=identifier, PolicyDocument=json.dumps(mine))
    ec2.create_tags(Resources=[identifier], Tags=[{"Key": "Owner", "Value": "somebody"}])
    for check in (True, False):
        found = run_module("ec2_gateway_endpoint", check=check, **asked)
        assert found["changed"]
        assert found["diff"]["before"]["policy"] == mine
        assert found["diff"]["before"]["tags"] == {"Name": "shop-s3", "Owner": "somebody"}
    assert not run_module("ec2_gateway_endpoint", **asked)["changed"]
    put_right = ec2.describe_vpc_endpoints()["VpcEndpoints"][0]
    assert json.loads(put_right["PolicyDocument"]) == json.loads(made["PolicyDocument"])
    assert put_right["Tags"] == [{"Key": "Name", "Value": "shop-s3"}]
