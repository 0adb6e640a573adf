"""The client over TLS, as to AWS itself: the certificate decides."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading

import pytest
import websockets.sync.server

from lab import kernel


@pytest.fixture
def certificate(tmp_path):
    """A certificate for endpoint.test that signed itself; the file holds its key too."""
    path = tmp_path / "certificate.pem"
    kernel.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "2", "-subj", "/CN=endpoint.test", "-addext", "subjectAltName=DNS:endpoint.test"),
            *("-keyout", str(tmp_path / "key.pem"), "-out", str(path)),
        ]
    )
    return path


@pytest.fixture
def echoing(certificate, tmp_path):
    """The URL of a TLS WebSocket server that sends everything back."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")

    def handle(connection):
        for message in connection:
            connection.send(message)

    with websockets.sync.server.serve(handle, "127.0.0.1", 0, ssl=context, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"wss://127.0.0.1:{server.socket.getsockname()[1]}"


def start(proxy, url, name="endpoint.test", **environment):
    return subprocess.Popen(
        [
            *(sys.executable, proxy.__file__, "--endpoint-id", "eice-1", "--dns-name", name),
            *("--region", "ap-northeast-2", "--endpoint-url", url, "--host", "10.0.0.1"),
        ],
        env={"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_large_data_passes_both_ways_under_a_trusted_certificate(proxy, echoing, certificate):
    data = os.urandom(10_000_000)
    with start(proxy, echoing, AWS_CA_BUNDLE=str(certificate)) as process:
        feeding = threading.Thread(target=lambda: (process.stdin.write(data), process.stdin.flush()))
        feeding.start()
        received = process.stdout.read(len(data))
        feeding.join()
        process.stdin.close()
        assert received == data
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize("trusted", [False, True])
def test_a_certificate_that_is_not_trusted_or_not_the_endpoints_is_refused(proxy, echoing, certificate, trusted):
    bundle = {"AWS_CA_BUNDLE": str(certificate)} if trusted else {}
    with start(proxy, echoing, name="another.test" if trusted else "endpoint.test", **bundle) as process:
        out, err = process.communicate(timeout=30)
    assert (out, process.returncode) == (b"", 1)
    assert b"certificate verify failed" in err
    assert err.count(b"\n") == 1
