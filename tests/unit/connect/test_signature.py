"""The tunnel's presigned URL: made by our client, checked by our server, both held to botocore."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.connect.signature import Refused, verify

ROOT = Path(__file__).parents[3]
_spec = importlib.util.spec_from_file_location("proxy", ROOT / "plugins/connect/instance_connect_proxy.py")
proxy = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proxy)

HOST = "eice-0123456789abcdef0.4b0d1a2c.ec2-instance-connect-endpoint.ap-northeast-2.amazonaws.com"
REGION = "ap-northeast-2"
MOMENT = dt.datetime(2026, 11, 22, 20, 17, 55, tzinfo=dt.UTC)
TARGET = proxy.Target("eice-0123456789abcdef0", HOST, "10.0.11.5", 22)
CREDENTIALS = proxy.Credentials("AKIDEXAMPLE", "lab")


def signed_by_botocore(url, credentials, region, moment, expires=60, service="ec2-instance-connect"):
    """What botocore's own SigV4QueryAuth makes of ``url`` at that time."""
    request = botocore.awsrequest.AWSRequest("GET", url)
    auth = botocore.auth.SigV4QueryAuth(
        botocore.credentials.Credentials(*credentials), service, region, expires=expires
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda *_: moment.replace(tzinfo=None))
        auth.add_auth(request)
    return request.url


def bare_url(target):
    url = f"wss://{target.dns_name}/openTunnel?instanceConnectEndpointId={target.endpoint_id}"
    url += f"&remotePort={target.port}&privateIpAddress={target.host}"
    return url + (f"&maxTunnelDuration={target.duration}" if target.duration else "")


def query(url):
    return parse_qs(urlsplit(url).query, strict_parsing=True)


TEXT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=60)


@given(
    secret=TEXT,
    token=st.none() | TEXT,
    duration=st.none() | st.integers(1, 3600),
    moment=st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2036, 1, 1)),
)
def test_the_clients_signature_is_botocores(secret, token, duration, moment):
    moment = moment.replace(tzinfo=dt.UTC)
    target = TARGET._replace(duration=duration)
    credentials = proxy.Credentials("AKIDEXAMPLE", secret, token)
    ours = proxy.presign(target, credentials, REGION, moment.timestamp())
    assert query(ours) == query(signed_by_botocore(bare_url(target), credentials, REGION, moment))


def test_the_url_has_the_form_that_aws_documents():
    url = proxy.presign(TARGET, CREDENTIALS._replace(token="the/token+"), REGION, MOMENT.timestamp())
    assert urlsplit(url).path == "/openTunnel"
    given = {name: values[0] for name, values in query(url).items()}
    signature = given.pop("X-Amz-Signature")
    assert len(signature) == 64
    assert given == {
        "instanceConnectEndpointId": "eice-0123456789abcdef0",
        "remotePort": "22",
        "privateIpAddress": "10.0.11.5",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIDEXAMPLE/20261122/ap-northeast-2/ec2-instance-connect/aws4_request",
        "X-Amz-Date": "20261122T201755Z",
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Security-Token": "the/token+",
    }


def check(url, *, host=HOST, region=REGION, secret=CREDENTIALS.secret_key, now=MOMENT):
    parts = urlsplit(url)
    verify(f"{parts.path}?{parts.query}", host, region=region, secret=lambda key: secret, now=now)


@pytest.mark.parametrize("token", [None, "session/token+with=signs"])
def test_the_server_accepts_what_botocore_signs(token):
    check(signed_by_botocore(bare_url(TARGET), CREDENTIALS._replace(token=token), REGION, MOMENT))


GOOD = proxy.presign(TARGET, CREDENTIALS, REGION, MOMENT.timestamp())


def test_the_server_accepts_what_the_client_signs_for_a_minute():
    check(GOOD)
    check(GOOD, now=MOMENT + dt.timedelta(seconds=60))
    with pytest.raises(Refused, match="expired: it was signed at 20261122T201755Z for 60 seconds"):
        check(GOOD, now=MOMENT + dt.timedelta(seconds=61))


@pytest.mark.parametrize(
    ("url", "options", "reason"),
    [
        (GOOD, {"secret": "another"}, "signature does not match"),
        (GOOD, {"secret": None}, "access key AKIDEXAMPLE is not known"),
        (GOOD, {"host": "elsewhere.example"}, "signature does not match"),
        (GOOD, {"region": "us-east-1"}, "scope is 20261122/ap-northeast-2/"),
        (GOOD, {"now": MOMENT - dt.timedelta(minutes=6)}, "in the future"),
        (GOOD.replace("remotePort=22", "remotePort=3389"), {}, "signature does not match"),
        (GOOD + "&maxTunnelDuration=5", {}, "signature does not match"),
        (GOOD.replace("X-Amz-Expires=60", "X-Amz-Expires=61"), {}, "valid for 1 to 60 seconds"),
        (GOOD.replace("X-Amz-Expires=60", "X-Amz-Expires=soon"), {}, "cannot be read"),
        (GOOD.replace("ec2-instance-connect", "ec2"), {}, "scope is"),
        (GOOD.replace("SignedHeaders=host", "SignedHeaders=date"), {}, "over the header host alone"),
        (GOOD.partition("&X-Amz-Signature")[0], {}, "not signed: X-Amz-Signature is missing"),
        ("/openTunnel", {}, "not signed"),
    ],
)
def test_everything_else_is_refused_with_the_reason(url, options, reason):
    with pytest.raises(Refused, match=reason) as refused:
        check(url, **options)
    assert refused.value.status == 403
