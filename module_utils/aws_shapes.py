"""AWS structures as comparable data, and back.

CloudFront writes every list as ``{"Quantity": n, "Items": [...]}``. The *plain* form here drops ``Quantity``, always
has ``Items``, and sorts what has no order, so that two plain values are equal exactly when they mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What identifies an item of a list of structures.
IDENTITY = ("PathPattern", "Id", "ErrorCode", "EventType", "HeaderName", "KeyValueStoreARN", "OriginId")

# Lists whose order means something: the first cache behaviour that matches wins, the first member is the primary.
ORDERED = frozenset({"CacheBehaviors", "Members"})

# Of each group at most one may be set: what is asked displaces its rivals of before.
RIVALS = (
    frozenset({"S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig"}),
    frozenset({"CachePolicyId", "ForwardedValues"}),
    frozenset({"CachePolicyId", "MinTTL"}),
    frozenset({"CachePolicyId", "DefaultTTL"}),
    frozenset({"CachePolicyId", "MaxTTL"}),
)

# Structures that are replaced whole: half of an old certificate is worse than none.
WHOLE = frozenset({"ViewerCertificate"})


def identity(item: Any) -> Any:
    """The value of the identifying member of a list's item; the item itself when it is a scalar."""
    if isinstance(item, Mapping):
        return next((item[key] for key in IDENTITY if key in item), repr(sorted(item.items())))
    return item


def plain(value: Any, name: str = "") -> Any:
    """An API answer in plain form. ``name`` is the member that held the value."""
    if isinstance(value, Mapping):
        result = {key: plain(member, key) for key, member in value.items() if key != "Quantity" and member is not None}
        if "Quantity" in value or "Items" in value:
            items = [plain(item) for item in value.get("Items") or []]
            result["Items"] = items if name in ORDERED else sorted(items, key=lambda item: str(identity(item)))
        return result
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def sendable(value: Any) -> Any:
    """The inverse of ``plain``: ``Quantity`` beside all ``Items``, and no ``Items`` where there are none."""
    if isinstance(value, Mapping):
        result = {key: sendable(member) for key, member in value.items()}
        if "Items" in value:
            result["Quantity"] = len(value["Items"])
            if not value["Items"]:
                del result["Items"]
        return result
    if isinstance(value, (list, tuple)):
        return [sendable(item) for item in value]
    return value


def overlay(current: Any, desired: Any) -> Any:
    """``desired`` over ``current``, both plain: members that only AWS filled in stay, lists become what is asked.

    A list's items are matched by their identity, so that AWS's defaults inside an origin or a behaviour survive.
    """
    if not isinstance(current, Mapping) or not isinstance(desired, Mapping):
        return desired
    displaced = {rival for group in RIVALS for rival in group if group & desired.keys() and rival not in desired}
    merged = {key: value for key, value in current.items() if key not in displaced}
    for key, value in desired.items():
        if key in WHOLE:
            merged[key] = value
        elif key == "Items":
            known = {identity(item): item for item in current.get("Items", [])}
            merged[key] = [overlay(known.get(identity(item)), item) for item in value]
        else:
            merged[key] = overlay(current.get(key), value)
    return merged


def item_list(items: Any) -> dict[str, Any]:
    """A list in the plain form of CloudFront's quantity lists."""
    return {"Items": list(items)}
