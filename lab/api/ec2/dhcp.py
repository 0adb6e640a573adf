"""DHCP options that are tagged when they are created, and listed in AWS's order."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.dhcp_options import DHCPOptionsSet as MotoOptions


class DhcpOptions(MotoOptions):  # type: ignore[misc]  # moto has no types here
    """A set whose options stand sorted by their keys, which stock modules compare as a list."""

    @property
    def dhcp_configurations(self) -> list[dict[str, Any]]:
        return sorted(super().dhcp_configurations, key=lambda option: str(option["Key"]))


class DhcpCalls:
    """The call that moto answers without its tags."""

    def create_dhcp_options(self) -> Any:
        answer = super().create_dhcp_options()  # type: ignore[misc]  # moto's
        tags = self._parse_tag_specification().get("dhcp-options", {})  # type: ignore[attr-defined]  # moto's
        answer.result["DhcpOptions"].add_tags(tags)
        return answer
