"""Names in a private zone that come, go, and come back."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

RECORD = {
    "Name": "collector.shop.internal", "Type": "A", "TTL": 30, "ResourceRecords": [{"Value": "10.0.0.4"}],
}  # fmt: skip
LATER = {"Name": "db1.shop.internal", "Type": "A", "TTL": 30, "ResourceRecords": [{"Value": "10.0.0.5"}]}


def test_a_name_that_was_deleted_is_made_again_as_it_was(api: str) -> None:
    client = boto3.client("route53")
    zone = client.create_hosted_zone(Name="shop.internal", CallerReference="once")["HostedZone"]["Id"]

    def change(action: str, record: dict[str, object]) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    def names() -> set[str]:
        return {each["Name"] for each in client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]}

    change("CREATE", LATER)
    change("CREATE", RECORD)
    with pytest.raises(ClientError, match="already exists"):
        change("CREATE", RECORD)
    change("DELETE", RECORD)
    assert "collector.shop.internal." not in names()
    change("CREATE", RECORD)
    assert "collector.shop.internal." in names()
