"""What the front makes of apt's headers, and which failures of the transport mean what."""

from __future__ import annotations

import pytest

from lab.internet.apt_method import Message, parse
from lab.internet.fetcher import failure
from lab.internet.packages import byte_range, unchanged


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", (0, 9)),
        ("bytes=4-", (4, 9)),
        ("bytes=4-6", (4, 6)),
        ("bytes=4-60", (4, 9)),
        ("bytes=-3", None),
        ("bytes=1-2,4-5", None),
        ("lines=1-2", None),
    ],
)
def test_a_range_is_bounded_by_the_file_and_what_is_not_understood_means_the_whole(header, expected):
    assert byte_range(header, 10) == expected


def test_a_range_beyond_the_end_is_not_satisfiable():
    first, last = byte_range("bytes=10-", 10)
    assert first > last


def test_a_file_is_unchanged_when_it_is_no_newer_than_what_the_guest_has():
    assert unchanged("Sun, 22 Nov 2026 20:00:00 GMT", 1795377600.9)
    assert not unchanged("Sun, 22 Nov 2026 20:00:00 GMT", 1795377601.0)
    assert not unchanged("nonsense", 0.0)
    assert not unchanged(None, 0.0)


def test_a_message_of_apts_transport_is_read_field_by_field():
    text = "400 URI Failure\nFailReason: HttpError404\nMessage: 404  Not Found [IP: 198.18.0.80 80]\nURI: http://m/x"
    message = parse(text)
    assert message.code == 400
    assert message.fields["Message"] == "404  Not Found [IP: 198.18.0.80 80]"


@pytest.mark.parametrize(
    ("reason", "status"), [("HttpError404", 404), ("HttpError503", 503), ("ConnectionRefused", 502), ("", 502)]
)
def test_the_mirrors_own_status_is_passed_on_and_silence_is_a_bad_gateway(reason, status):
    assert failure(Message(400, {"FailReason": reason, "Message": "why"})).status == status
