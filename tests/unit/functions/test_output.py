"""What a function wrote before it answered is in its log, whoever reads it when."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

import pytest

from lab.functions.output import Output


@pytest.fixture
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as reading, os.fdopen(writes, "wb", buffering=0) as writing:
        yield reading, writing


def test_what_was_written_is_taken_though_no_thread_has_read_it(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    reading, writing = pipe
    output = Output(reading)
    writing.write("three\nrößler".encode())
    assert output.take() == ["three", "rößler"]
    assert output.take() == []


def test_who_writes_more_than_the_pipe_holds_does_not_wait_for_the_end(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    reading, writing = pipe
    output = Output(reading)
    output.follow()
    for _ in range(300):  # a pipe holds 64 KiB
        writing.write(b"x" * 1023 + b"\n")
    assert output.take() == ["x" * 1023] * 300
    writing.close()
    output.join(10)


def test_it_ends_with_whoever_writes(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    reading, writing = pipe
    output = Output(reading)
    output.follow()
    writing.write(b"last")
    writing.close()
    output.join(10)
    assert output.take() == ["last"]
