"""Route 53: a deleted name may be made again as it was. moto finds its first creation in a journal and refuses."""

from __future__ import annotations

from typing import Any

import moto.route53.models as moto_models
import moto.route53.urls as moto_urls


class Backend(moto_models.Route53Backend):  # type: ignore[misc]  # moto has no types here
    """One account's Route 53."""

    _url_module = moto_urls

    def change_resource_record_sets(self, zoneid: str, change_list: list[dict[str, Any]]) -> None:
        gone = {_named(change) for change in change_list if change["Action"] == "DELETE"}
        super().change_resource_record_sets(zoneid, change_list)
        journal = self.get_hosted_zone(zoneid).rr_changes
        journal[:] = [change for change in journal if change["Action"] != "CREATE" or _named(change) not in gone]


def _named(change: dict[str, Any]) -> tuple[str, str]:
    record = change["ResourceRecordSet"]
    return record["Name"].strip("."), record["Type"]


def install() -> None:
    """Put it where moto looks for its own."""
    moto_models.route53_backends.backend = Backend
