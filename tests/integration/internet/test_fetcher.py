"""The process with the uplink: apt's own transport, to the machine's own mirrors and nowhere else."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading

import pytest

from lab.internet import fetcher as fetching
from lab.internet.fetcher import FetchError
from lab.internet.sources import configured


def ask(fetcher, url, since=None):
    with fetcher.fetch(url, since) as (reply, pieces):
        return reply, b"".join(pieces) if reply.status == 200 else b""


def test_the_repositories_are_read_from_both_of_apts_formats(tmp_path, apt, mirror):
    (tmp_path / "sources.d").mkdir()
    (tmp_path / "sources.d" / "more.sources").write_text(
        "Types: deb\nURIs: https://secure.test:8443/debian\nSuites: sid\nComponents: main\nTrusted: yes\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://disabled.test/debian\nSuites: sid\nComponents: main\n"
    )
    assert sorted(base.url for base in configured()) == [f"{mirror.url}/debian", "https://secure.test:8443/debian"]


def test_a_file_of_the_mirror_arrives_with_its_length_and_date(fetcher, mirror):
    content = bytes(range(256)) * 8192
    (mirror.root / "debian" / "file").write_bytes(content)
    reply, body = ask(fetcher, f"{mirror.url}/debian/file")
    assert (reply.status, reply.length, body == content) == (200, len(content), True)
    again, body = ask(fetcher, f"{mirror.url}/debian/file", since=reply.modified)
    assert (again.status, body) == (304, b"")


def test_an_empty_file_arrives_empty(fetcher, mirror):
    (mirror.root / "debian" / "empty").touch()
    reply, body = ask(fetcher, f"{mirror.url}/debian/empty")
    assert (reply.status, body) == (200, b"")


def test_what_the_mirror_lacks_is_not_found(fetcher, mirror):
    reply, _ = ask(fetcher, f"{mirror.url}/debian/nothing")
    assert reply.status == 404


def test_a_url_outside_the_configured_repositories_is_refused_unasked(fetcher, mirror):
    (mirror.root / "secret").write_text("secret")
    for url in (f"{mirror.url}/secret", f"{mirror.url}/debian/../secret", "http://169.254.169.254/latest/meta-data/"):
        reply, _ = ask(fetcher, url)
        assert reply.status == 403
        assert "no package mirror that this machine's apt configuration names" in reply.reason
    assert not mirror.asked


@pytest.fixture
def elsewhere(tmp_path, apt, mirror):
    """The mirror under another name, which apt's configuration has too."""
    url = mirror.url.replace("127.0.0.1", "localhost")
    with (tmp_path / "sources.list").open("a") as sources:
        sources.write(f"deb [trusted=yes] {url}/other ./\n")
    return url


def test_the_mirrors_redirection_to_another_one_is_followed(elsewhere, fetcher, mirror):
    (mirror.root / "debian" / "new").write_bytes(b"moved here")
    mirror.redirects["/debian/old"] = f"{elsewhere}/debian/new"
    assert ask(fetcher, f"{mirror.url}/debian/old")[1] == b"moved here"


def test_a_redirection_into_this_machines_own_networks_is_refused_unasked(fetcher, mirror):
    (mirror.root / "secret").write_text("secret")
    mirror.redirects["/debian/old"] = f"{mirror.url.replace('127.0.0.1', 'localhost')}/secret"
    reply, _ = ask(fetcher, f"{mirror.url}/debian/old")
    assert reply.status == 502
    assert "neither a public address nor a mirror in apt's configuration" in reply.reason
    assert mirror.asked.keys() == {"/debian/old"}


def test_redirections_in_a_circle_end_in_an_error(elsewhere, fetcher, mirror):
    mirror.redirects |= {"/debian/a": f"{elsewhere}/debian/b", "/debian/b": f"{mirror.url}/debian/a"}
    assert ask(fetcher, f"{mirror.url}/debian/a")[0].status in (502, 400)


def test_a_mirror_that_is_down_gives_the_transports_own_words(tmp_path, short_path, mirror, apt):
    (tmp_path / "sources.list").write_text("deb [trusted=yes] http://127.0.0.1:1/debian ./\n")
    with fetching.start(short_path / "other.sock"):
        reply, _ = ask(fetching.Fetcher(short_path / "other.sock"), "http://127.0.0.1/debian/file")
    assert reply.status == 502
    assert "Could not connect" in reply.reason or "refused" in reply.reason


def test_the_machines_apt_proxy_is_used(tmp_path, short_path, mirror, apt):
    (mirror.root / "debian" / "file").write_bytes(b"by proxy")
    (tmp_path / "sources.list").write_text("deb [trusted=yes] http://far.test/debian ./\n")
    apt.write_text(apt.read_text() + f'Acquire::http::Proxy "{mirror.url}";\n')
    with fetching.start(short_path / "other.sock"):
        _, body = ask(fetching.Fetcher(short_path / "other.sock"), "http://far.test/debian/file")
    assert body == b"by proxy"
    assert mirror.proxied == ["http://far.test/debian/file"]


def test_many_guests_are_served_at_once(fetcher, mirror):
    contents = {f"file{number}": bytes([number]) * 300_000 for number in range(12)}
    for name, content in contents.items():
        (mirror.root / "debian" / name).write_bytes(content)
    bodies = {}

    def fetch(name):
        bodies[name] = ask(fetcher, f"{mirror.url}/debian/{name}")[1]

    threads = [threading.Thread(target=fetch, args=(name,)) for name in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert bodies == contents


def test_nobody_else_may_ask(fetcher):
    assert stat.S_IMODE(fetcher.path.stat().st_mode) == 0o600


def test_the_fetcher_ends_with_whoever_started_it(short_path, apt):
    script = (
        "import sys; from pathlib import Path; from lab.internet import fetcher\n"
        "print(fetcher.start(Path(sys.argv[1])).pid, flush=True); import os; os._exit(1)"
    )
    command = [sys.executable, "-c", script, str(short_path / "orphan.sock")]
    # The orphan shares our pipe: run() returns only once it too has ended.
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=10, check=False)
    assert done.stdout.strip().isdigit()
    with pytest.raises((ConnectionRefusedError, FetchError)), fetching.Fetcher(short_path / "orphan.sock").fetch("x"):
        pass
