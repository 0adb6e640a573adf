"""Instances that take their time: pending, running, stopping, stopped, shutting-down, terminated."""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.instances import Instance as MotoInstance
from moto.ec2.models.instances import InstanceState

from lab.api.settling import Settling

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


class Instance(Settling, MotoInstance):  # type: ignore[misc]  # moto has no types here
    """An instance; what moto does at once happens when it settles."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        self.reboots = 0
        self._enter("pending")

    def _enter(self, state: str) -> None:
        self._state = InstanceState(state, _CODES[state])
        self.unsettle()

    @property
    def unsettled(self) -> bool:
        return self._state.name in ("pending", "stopping", "shutting-down")

    def settle(self) -> None:
        match self._state.name:
            case "pending":
                self._enter("running")
            case "stopping":
                super().stop()
            case "shutting-down":
                for interface in self.nics.values():
                    if elastic := interface.elastic:
                        self.ec2_backend.disassociate_address(address=elastic.public_ip)
                super().terminate()

    def prep_nics(self, nic_spec: list[dict[str, Any]], *rest: Any, **named: Any) -> None:
        kept = {int(nic["DeviceIndex"]) for nic in nic_spec if nic.get("DeleteOnTermination") is False}
        existing = {nic.get("NetworkInterfaceId") for nic in nic_spec}
        super().prep_nics(nic_spec, *rest, **named)
        for index, interface in self.nics.items():
            # AWS deletes what it created with the instance, unless told otherwise.
            if index not in kept and interface.id not in existing:
                interface.delete_on_termination = True
        if 0 in self.nics and not getattr(self, "security_groups", None):
            self.security_groups: list[Any] = list(self.nics[0]._group_set)

    def start(self) -> InstanceState:
        previous = copy.copy(self._state)
        if previous.name == "stopped":
            super().start()
            self._enter("pending")
        return previous

    def stop(self) -> InstanceState:
        previous = copy.copy(self._state)
        if previous.name in ("pending", "running"):
            self._enter("stopping")
        return previous

    def terminate(self) -> InstanceState:
        previous = copy.copy(self._state)
        if previous.name not in ("shutting-down", "terminated"):
            self._enter("shutting-down")
        return previous

    def reboot(self) -> None:
        """A running instance stays running while its machine reboots, which the runner sees by the count."""
        self.reboots += 1


class InstanceBackend:
    """Idempotent launches, and groups and checks that reach the interface."""

    def __init__(self) -> None:
        self.launches: dict[str, Any] = {}

    def run_instances(self, image_id: str, count: int, user_data: Any, security_group_names: Any, **named: Any) -> Any:
        token = named.get("client_token")
        if token and token in self.launches:
            return self.launches[token]
        (image,) = self.describe_images(  # type: ignore[attr-defined]  # moto's; refuses an unknown image
            ami_ids=[image_id]
        )
        devices = named.get("block_device_mappings")
        if devices and image.root_device_name not in {device["DeviceName"] for device in devices}:
            # What is asked for comes beside the image's own volume, which is as the image has it: not encrypted.
            named["block_device_mappings"] = [
                {"DeviceName": image.root_device_name, "Ebs": {"VolumeSize": 8, "DeleteOnTermination": True}},
                *devices,
            ]
        if key_name := named.get("key_name"):
            self.describe_key_pairs(key_names=[key_name])  # type: ignore[attr-defined]  # moto's; refuses unknown keys
        reservation = super().run_instances(  # type: ignore[misc]  # moto's
            image_id, count, user_data, security_group_names, **named
        )
        if token and token != "ABCDE":  # noqa: S105 - what moto puts where the client sent none
            self.launches[token] = copy.copy(reservation)
        return reservation

    def create_volume(self, *positional: Any, **named: Any) -> Any:
        """A volume that comes from no snapshot says so, as AWS's do: ec2_vol_info reads it."""
        volume = super().create_volume(*positional, **named)  # type: ignore[misc]  # moto's
        volume.snapshot_id = volume.snapshot_id or ""
        return volume

    def modify_instance_security_groups(self, instance_id: str, new_group_id_list: list[str]) -> Any:
        instance = super().modify_instance_security_groups(  # type: ignore[misc]  # moto's
            instance_id, new_group_id_list
        )
        if 0 in instance.nics:
            instance.nics[0]._group_set = list(instance.security_groups)
        return instance

    def modify_instance_attribute(self, instance_id: str, key: str, value: Any) -> Any:
        instance = super().modify_instance_attribute(instance_id, key, value)  # type: ignore[misc]  # moto's
        if key == "source_dest_check":
            for interface in instance.nics.values():
                interface.source_dest_check = value
        return instance

    def modify_instance_metadata_options(self, instance_id: str, **named: Any) -> Any:
        """Change what was given and keep the rest, as AWS does."""
        options = self.get_instance(instance_id).metadata_options  # type: ignore[attr-defined]  # moto's
        given = {
            "http_tokens": named.get("http_tokens"),
            "http_put_response_hop_limit": named.get("hop_limit"),
            "http_endpoint": named.get("http_endpoint"),
            "http_protocol_ipv6": named.get("http_protocol"),
            "instance_metadata_tags": named.get("metadata_tags"),
        }
        for name, value in given.items():
            if value is not None:
                setattr(options, name, value)
        return options


class InstanceCalls:
    """Each answer about instances is a look at them."""

    def describe_instances(self) -> ActionResult:
        self._look_at_instances()
        result: ActionResult = super().describe_instances()  # type: ignore[misc]  # moto's
        return result

    def describe_instance_status(self) -> ActionResult:
        self._look_at_instances()
        result: ActionResult = super().describe_instance_status()  # type: ignore[misc]  # moto's
        return result

    def _look_at_instances(self) -> None:
        asked_for = self._get_param("InstanceIds", [])  # type: ignore[attr-defined]  # moto's
        for instance in self.ec2_backend.all_instances():  # type: ignore[attr-defined]  # moto's
            if not asked_for or instance.id in asked_for:
                instance.look()
