"""A Lambda function that takes its time, and stands in a VPC by network interfaces of its own."""

from __future__ import annotations

import copy
import secrets
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaFunction as MotoFunction

from lab.api import ec2, permissions
from lab.api.ec2.interfaces import create_service_interface
from lab.api.settling import Settling
from lab.api.world import world

_CREATE_INTERFACE = "ec2:CreateNetworkInterface"


class Function(Settling, MotoFunction):  # type: ignore[misc]  # moto has no types here
    """``state`` is Pending until its interfaces are there, then Active; an update is InProgress, then Successful."""

    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        self.interface_ids: tuple[str, ...] = ()
        self.update_status = "Successful"
        self.revision = secrets.token_hex(8)
        _check_role(spec["Role"], spec.get("VpcConfig"))
        super().__init__(account_id, spec, region, version)
        self.version = "$LATEST"
        self.state = "Pending"
        self._take_interfaces()

    def __deepcopy__(self, _memo: Any) -> Function:
        """Moto makes a published version so, for its answer alone."""
        return copy.copy(self)

    @property
    def unsettled(self) -> bool:
        return bool(self.state == "Pending" or self.update_status == "InProgress")

    def settle(self) -> None:
        self.state, self.update_status = "Active", "Successful"

    @property
    def vpc_config(self) -> dict[str, Any] | None:
        given = self._vpc_config
        if not given or not given.get("SubnetIds"):
            return None
        subnet = ec2.backend(self.region).get_subnet(given["SubnetIds"][0])
        return {**given, "VpcId": subnet.vpc_id, "Ipv6AllowedForDualStack": False}

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        configuration: dict[str, Any] = super().get_configuration(on_create)
        configuration["RevisionId"] = self.revision
        if not on_create:
            configuration["LastUpdateStatus"] = self.update_status
        return configuration

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        vpc = config_updates.get("VpcConfig", self._vpc_config)
        _check_role(str(config_updates.get("Role", self.role)), vpc)
        super().update_configuration(config_updates)
        if "VpcConfig" in config_updates:
            self.release_interfaces()
            self._take_interfaces()
        self._changed()
        return self.get_configuration()

    def update_function_code(self, updated_spec: dict[str, Any]) -> dict[str, Any]:
        super().update_function_code(updated_spec)
        self._changed()
        return self.get_configuration()

    def release_interfaces(self) -> None:
        """Give its interfaces back: they go once nothing runs there any more."""
        enis = ec2.backend(self.region).enis
        for identifier in self.interface_ids:
            enis[identifier].lab_owner = ""
            if not world.confirmed_by_lab:
                del enis[identifier]
        self.interface_ids = ()

    def _changed(self) -> None:
        self.revision = secrets.token_hex(8)
        self.update_status = "InProgress"
        self.unsettle()

    def _take_interfaces(self) -> None:
        given = self._vpc_config or {}
        backend = ec2.backend(self.region)
        self.interface_ids = tuple(
            create_service_interface(
                backend,
                subnet,
                "lambda",
                self.function_name,
                f"AWS Lambda VPC ENI-{self.function_name}-{secrets.token_hex(4)}",
                given["SecurityGroupIds"],
            ).id
            for subnet in given.get("SubnetIds", ())
        )


def _check_role(arn: str, vpc: Any) -> None:
    if not permissions.assumable(arn, "lambda.amazonaws.com"):
        raise InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")
    if vpc and vpc.get("SubnetIds") and not permissions.permits(arn, _CREATE_INTERFACE, "*"):
        raise InvalidParameterValueException(
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"
        )
