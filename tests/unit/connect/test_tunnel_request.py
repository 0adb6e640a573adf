"""What may be asked of an instance connect endpoint."""

from __future__ import annotations

import pytest

from lab.connect.signature import Refused
from lab.connect.tunnel import Wanted, parse

GOOD = "/openTunnel?instanceConnectEndpointId=eice-1&remotePort=22&privateIpAddress=10.0.11.5"


def test_a_tunnel_lasts_an_hour_unless_less_is_asked_for():
    assert parse(GOOD) == Wanted("eice-1", "10.0.11.5", 22, 3600)
    assert parse(GOOD + "&maxTunnelDuration=60").duration == 60


@pytest.mark.parametrize(
    ("target", "status", "reason"),
    [
        (GOOD.replace("openTunnel", "closeTunnel"), 404, "tunnels are opened at /openTunnel"),
        (GOOD.replace("eice-1", "i-1"), 400, "instanceConnectEndpointId is 'i-1'"),
        (GOOD.replace("=22", "=80"), 400, "only 22 and 3389"),
        (GOOD.replace("=22", "=ssh"), 400, "remotePort is 'ssh'; it must be a number"),
        (GOOD.replace("=22", "=²"), 400, "must be a number"),
        (GOOD.replace("10.0.11.5", "db1"), 400, "privateIpAddress is 'db1'"),
        (GOOD.replace("10.0.11.5", "127.0.0.1"), 400, "must be an address of the VPC"),
        (GOOD.replace("10.0.11.5", "169.254.169.254"), 400, "must be an address of the VPC"),
        (GOOD + "&maxTunnelDuration=3601", 400, "must be 1 to 3600"),
        (GOOD + "&maxTunnelDuration=0", 400, "must be 1 to 3600"),
    ],
)
def test_what_may_not_be_asked_is_refused_with_the_reason(target, status, reason):
    with pytest.raises(Refused, match=reason) as refused:
        parse(target)
    assert refused.value.status == status
