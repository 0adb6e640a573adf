"""Security groups: what moto forgets of their rules, and what AWS refuses."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, RulesPerSecurityGroupLimitExceededError
from moto.ec2.models.security_groups import SecurityGroup as MotoGroup
from moto.ec2.models.security_groups import SecurityGroupRule as MotoRule

_MOST_RULES = 60
# How many of a group's rules AWS's own prefix lists count for.
_WEIGHTS = {"com.amazonaws.global.cloudfront.origin-facing": 55}


class SecurityGroupRule(MotoRule):  # type: ignore[misc]  # moto has no types here
    """A rule that keeps a prefix list's description, and whose description is no part of what it is."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        prefix_list = positional[7] if len(positional) > 7 else named.get("prefix_list_id")
        self.prefix_list = dict(prefix_list or {})

    @property
    def description(self) -> str | None:
        for place in (self.ip_range, self.source_group, self.prefix_list):
            if text := place.get("Description"):
                return str(text)
        return None

    def _key(self) -> tuple[Any, ...]:
        return (
            self.ip_protocol,
            self.from_port if self.ip_protocol != "-1" else None,
            self.to_port if self.ip_protocol != "-1" else None,
            self.ip_range.get("CidrIp"),
            self.ip_range.get("CidrIpv6"),
            self.source_group.get("GroupId"),
            self.prefix_list_id,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecurityGroupRule) and self._key() == other._key()

    __hash__ = MotoRule.__hash__


class SecurityGroup(MotoGroup):  # type: ignore[misc]  # moto has no types here
    """A group whose answers tell a prefix list's description."""

    def _flattened_rules(self, rules: list[Any]) -> list[Any]:
        views: list[Any] = super()._flattened_rules(rules)
        described = {
            (rule.ip_protocol, rule.from_port, rule.to_port, rule.prefix_list_id): rule.prefix_list
            for rule in rules
            if rule.prefix_list_id
        }
        for view in views:
            for item in view.prefix_list_ids:
                known = described[view.ip_protocol, view.from_port, view.to_port, item["PrefixListId"]]
                item.update({name: text for name, text in known.items() if name == "Description"})
        return views


class GroupBackend:
    """Refusals: a group that is in use, AWS's own group, and more than sixty rules."""

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> Any:
        group = self.get_security_group_by_name_or_id(group_id or name)  # type: ignore[attr-defined]  # moto's
        if group is not None:
            if getattr(group, "lab_service_managed", False):
                raise EC2ClientError("OperationNotPermitted", f"The group {group.id} is managed by a service.")
            users = [eni.id for eni in self.enis.values() if group in eni.group_set]  # type: ignore[attr-defined]
            if users or self.referring(group):
                raise EC2ClientError("DependencyViolation", f"resource {group.id} has a dependent object")
        return super().delete_security_group(name, group_id)  # type: ignore[misc]  # moto's

    def referring(self, group: Any) -> list[str]:
        """The other groups whose rules name this one."""
        return [
            other.id
            for groups in self.groups.values()  # type: ignore[attr-defined]  # moto's
            for other in groups.values()
            if other is not group
            for rule in (*other.ingress_rules, *other.egress_rules)
            if rule.source_group.get("GroupId") == group.id
        ]

    def _weight(self, prefix_list_id: str) -> int:
        known = self.managed_prefix_lists.get(prefix_list_id)  # type: ignore[attr-defined]  # moto's
        if known is None:
            raise EC2ClientError(
                "InvalidPrefixListID.NotFound", f"The prefix list ID '{prefix_list_id}' does not exist"
            )
        return _WEIGHTS.get(known.prefix_list_name, int(known.max_entries or 1))

    def _refuse_too_many(self, named: dict[str, Any], direction: str) -> None:
        lists = named.get("prefix_list_ids") or []
        added = sum(self._weight(item["PrefixListId"]) for item in lists)
        if not added:
            return
        group = self.get_security_group_by_name_or_id(named["group_name_or_id"])  # type: ignore[attr-defined]  # moto's
        rules = getattr(group, f"{direction}_rules", [])
        present = sum(self._weight(rule.prefix_list_id) if rule.prefix_list_id else 1 for rule in rules)
        if present + added > _MOST_RULES:
            raise RulesPerSecurityGroupLimitExceededError

    def authorize_security_group_ingress(self, **named: Any) -> Any:
        self._refuse_too_many(named, "ingress")
        return super().authorize_security_group_ingress(**named)  # type: ignore[misc]  # moto's

    def authorize_security_group_egress(self, **named: Any) -> Any:
        self._refuse_too_many(named, "egress")
        return super().authorize_security_group_egress(**named)  # type: ignore[misc]  # moto's

    def _sg_update_description(self, security_rule: Any, rule: Any) -> None:
        for place in ("ip_range", "source_group", "prefix_list"):
            if "Description" in getattr(security_rule, place):
                getattr(rule, place)["Description"] = getattr(security_rule, place)["Description"]


class GroupCalls:
    """Answers that name every rule, and ``Return`` where stock modules look for it."""

    ec2_backend: Any

    def authorize_security_group_ingress(self) -> ActionResult:
        return self._authorize("ingress")

    def authorize_security_group_egress(self) -> ActionResult:
        return self._authorize("egress")

    def _authorize(self, direction: str) -> ActionResult:
        self.error_on_dryrun()  # type: ignore[attr-defined]  # moto's
        act = getattr(self.ec2_backend, f"authorize_security_group_{direction}")
        added: list[Any] = []
        for named in self._process_rules_from_querystring():  # type: ignore[attr-defined]  # moto's
            rules, _ = act(**named)
            added.extend(rules)
        return ActionResult({"Return": True, "SecurityGroupRules": added})

    def update_security_group_rule_descriptions_ingress(self) -> ActionResult:
        super().update_security_group_rule_descriptions_ingress()  # type: ignore[misc]  # moto's
        return ActionResult({"Return": True})

    def update_security_group_rule_descriptions_egress(self) -> ActionResult:
        super().update_security_group_rule_descriptions_egress()  # type: ignore[misc]  # moto's
        return ActionResult({"Return": True})
