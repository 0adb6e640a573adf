from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import urllib3

from lab.functions.runtime_api import Invocation, RuntimeApi

PATH = "/2018-06-01/runtime"


@pytest.fixture
def served() -> Iterator[tuple[RuntimeApi, str]]:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}"
    api = RuntimeApi(listening)
    try:
        yield api, url
    finally:
        api.close()


def test_a_client_gets_its_event_and_tells_the_result(served: tuple[RuntimeApi, str]) -> None:
    api, url = served
    event = Invocation("0a-1", b'{"a": 1}', "arn:of:it", 1234)
    api.give(event)
    answer = urllib3.request("GET", f"{url}/invocation/next", timeout=5)
    assert answer.data == b'{"a": 1}'
    assert answer.headers["Lambda-Runtime-Aws-Request-Id"] == "0a-1"
    assert answer.headers["Lambda-Runtime-Deadline-Ms"] == "1234"
    assert api.ready.is_set()
    assert urllib3.request("POST", f"{url}/invocation/0a-1/response", body=b'"done"', timeout=5).status == 202
    assert event.done.wait(5)
    assert (event.result, event.failed) == (b'"done"', False)


def test_an_error_of_the_function_is_its_result(served: tuple[RuntimeApi, str]) -> None:
    api, url = served
    event = Invocation("0a-2", b"{}", "arn:of:it", 1234)
    api.give(event)
    urllib3.request("POST", f"{url}/invocation/0a-2/error", body=b'{"errorType": "ValueError"}', timeout=5)
    assert event.done.wait(5) and event.failed


def test_a_result_that_nobody_waits_for_is_refused(served: tuple[RuntimeApi, str]) -> None:
    _, url = served
    assert urllib3.request("POST", f"{url}/invocation/0a-3/response", body=b"1", timeout=5).status == 400
    assert urllib3.request("GET", f"{url}/elsewhere", timeout=5).status == 404


def test_an_error_before_the_first_event_is_kept(served: tuple[RuntimeApi, str]) -> None:
    api, url = served
    urllib3.request("POST", f"{url}/init/error", body=b'{"errorType": "Runtime.ImportModuleError"}', timeout=5)
    assert api.ready.is_set()
    assert b"ImportModuleError" in api.init_error
