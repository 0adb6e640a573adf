from __future__ import annotations

import socket
from dataclasses import replace

import pytest
import urllib3

from lab.machines import metadata
from lab.machines.metadata import TOKEN, TOKEN_TTL, Metadata, Response
from lab.machines.model import Machine


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Service:
    """A metadata service that knows ``machine`` and its neighbour at 10.0.1.6."""

    def __init__(self, machine: Machine) -> None:
        self.clock = Clock()
        neighbour = replace(machine, id="i-0def", private_ip="10.0.1.6")
        known = {each.private_ip: each for each in (machine, neighbour)}
        self.metadata = Metadata(known.get, clock=self.clock)

    def get(self, path: str, token: str | None = None, source: str = "10.0.1.5") -> Response:
        headers = {} if token is None else {TOKEN.lower(): token}
        return self.metadata.answer("GET", path, headers, source)

    def put(self, ttl: str | None = "60", path: str = "/latest/api/token", **headers: str) -> Response:
        wanted = {name.replace("_", "-"): value for name, value in headers.items()}
        if ttl is not None:
            wanted[TOKEN_TTL.lower()] = ttl
        return self.metadata.answer("PUT", path, wanted, "10.0.1.5")


@pytest.fixture
def service(machine: Machine) -> Service:
    return Service(machine)


PATH = "/latest/meta-data/instance-id"


def test_a_request_with_a_token_is_answered(service: Service) -> None:
    issued = service.put("60")
    assert (issued.status, issued.headers[TOKEN_TTL]) == (200, "60")
    assert service.get(PATH, issued.body.decode()) == Response(200, b"i-0abc")


@pytest.mark.parametrize("token", [None, "", "bm9uc2Vuc2U=", "not base64 \N{SNOWMAN}"])
def test_a_request_without_a_genuine_token_is_refused(service: Service, token: str | None) -> None:
    assert service.get(PATH, token).status == 401


def test_a_token_ends_with_its_time(service: Service) -> None:
    token = service.put("60").body.decode()
    service.clock.now += 59
    assert service.get(PATH, token).status == 200
    service.clock.now += 1
    assert service.get(PATH, token).status == 401


def test_a_token_is_of_no_use_to_another_instance(service: Service) -> None:
    token = service.put().body.decode()
    assert service.get(PATH, token, source="10.0.1.6").status == 401


def test_an_instance_that_does_not_require_tokens_is_answered_without_but_not_with_a_wrong_one(
    machine: Machine,
) -> None:
    service = Service(replace(machine, metadata_tokens_required=False))
    assert service.get(PATH) == Response(200, b"i-0abc")
    assert service.get(PATH, "wrong").status == 401


def test_an_unknown_address_learns_nothing(service: Service) -> None:
    assert service.get(PATH, source="10.0.9.9").status == 404
    assert service.metadata.answer("PUT", "/latest/api/token", {TOKEN_TTL.lower(): "60"}, "10.0.9.9").status == 404


@pytest.mark.parametrize("ttl", [None, "0", "21601", "-1", "soon"])
def test_a_token_needs_a_time_of_one_second_to_six_hours(service: Service, ttl: str | None) -> None:
    assert service.put(ttl).status == 400


def test_a_token_is_refused_to_a_proxy(service: Service) -> None:
    assert service.put(x_forwarded_for="10.0.1.5").status == 403


def test_nothing_but_tokens_can_be_put(service: Service) -> None:
    assert service.put(path="/latest/user-data").status == 405


def test_what_is_not_there_is_404(service: Service) -> None:
    assert service.get("/latest/meta-data/iam/", service.put().body.decode()).status == 404


def test_the_service_answers_over_http_on_a_socket_that_listens_already(machine: Machine) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    host, port = listener.getsockname()
    server = metadata.serve(listener, {"127.0.0.1": machine}.get)
    try:
        with urllib3.HTTPConnectionPool(host, port, maxsize=1) as pool:
            token = pool.request("PUT", "/latest/api/token", headers={TOKEN_TTL: "60"})
            answer = pool.request("GET", PATH, headers={TOKEN: token.data.decode()})
            assert (answer.status, answer.data) == (200, b"i-0abc")
            assert pool.request("GET", PATH).status == 401
            assert pool.num_connections == 1  # kept alive over all of them, as cloud-init's forty requests are
    finally:
        server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), timeout=1)
