"""The package front, as apt in a guest meets it."""

from __future__ import annotations

import http.client
import os
import subprocess
from urllib.parse import urlsplit

import pytest


def get(front, path, method="GET", host="127.0.0.1", **headers):
    """The mirror's host name is 127.0.0.1 here, so that is what a guest would call it."""
    connection = http.client.HTTPConnection(urlsplit(front).netloc, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Host": host, **named})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


@pytest.fixture
def deb(mirror):
    content = os.urandom(700_000)
    (mirror.root / "debian" / "pool").mkdir()
    (mirror.root / "debian" / "pool" / "a_1_all.deb").write_bytes(content)
    return content


PATH = "/debian/pool/a_1_all.deb"


def test_a_package_comes_whole_and_the_mirror_is_asked_once(front, mirror, deb):
    for _ in range(3):
        response, body = get(front, PATH)
        assert response.status == 200
        assert body == deb
    assert mirror.asked[PATH] == 1


def test_a_package_comes_from_disk_when_the_mirror_has_lost_it(front, mirror, deb):
    get(front, PATH)
    (mirror.root / "debian" / "pool" / "a_1_all.deb").unlink()
    assert get(front, PATH)[1] == deb


def test_an_interrupted_guest_gets_the_rest(front, deb):
    stamp = get(front, PATH, "HEAD")[0].headers["Last-Modified"]
    response, body = get(front, PATH, Range="bytes=650000-", If_Range=stamp)
    assert (response.status, body == deb[650000:]) == (206, True)
    assert response.headers["Content-Range"] == "bytes 650000-699999/700000"
    response, body = get(front, PATH, Range="bytes=650000-", If_Range="Sun, 22 Nov 2020 20:00:00 GMT")
    assert (response.status, len(body)) == (200, 700_000)
    assert get(front, PATH, Range="bytes=700000-")[0].status == 416


def test_a_guest_that_has_the_file_is_told_so(front, deb):
    stamp = get(front, PATH, "HEAD")[0].headers["Last-Modified"]
    assert get(front, PATH, If_Modified_Since=stamp)[0].status == 304


def test_head_has_the_length_and_no_body(front, deb):
    response, body = get(front, PATH, "HEAD")
    assert (response.headers["Content-Length"], body) == ("700000", b"")


def test_what_no_mirror_has_is_404_and_another_host_is_refused_with_a_reason(front, mirror):
    assert get(front, "/debian/pool/none.deb")[0].status == 404
    response, body = get(front, PATH, host="elsewhere.example")
    assert response.status == 403
    assert b"http://elsewhere.example/debian/pool/a_1_all.deb belongs to no package mirror" in body


def test_nothing_but_reading_is_answered(front):
    assert get(front, PATH, "POST")[0].status == 501


def test_apt_itself_updates_and_downloads_through_the_front(front, mirror, publish, tmp_path):
    publish(os.urandom(3_000_000))
    guest = tmp_path / "guest"
    for directory in ("lists/partial", "cache/archives/partial", "download"):
        (guest / directory).mkdir(parents=True)
    (guest / "sources.list").write_text("deb [trusted=yes] http://127.0.0.1/debian ./\n")
    (guest / "status").touch()
    (guest / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{guest}/sources.list"; Dir::Etc::sourceparts "-"; Dir::State::lists "{guest}/lists";\n'
        f'Dir::Cache "{guest}/cache"; Dir::State::status "{guest}/status"; APT::Sandbox::User "root";\n'
        # Its name server would lead the guest to the front; here, a proxy setting does.
        f'Acquire::http::Proxy "{front}";\n'
    )
    environment = {**os.environ, "APT_CONFIG": str(guest / "apt.conf")}
    for command in (["update"], ["update"], ["download", "lab-test"]):
        done = subprocess.run(
            ["apt-get", *command], cwd=guest / "download", env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    files = [path.read_bytes() for path in (guest / "download").iterdir()]
    assert files == [(mirror.root / "debian" / "pool" / "lab-test_1.0_all.deb").read_bytes()]
    assert mirror.asked["/debian/./Release"] == 1  # the second update found it fresh
