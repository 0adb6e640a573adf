"""What counts as an interruption of the way out, in what the end-to-end tests' hosts say."""

from __future__ import annotations

import pytest

from tests.e2e.nat_watch import read

OLD, NEW = '{"address": "198.18.64.1"}', '{"address": "198.18.64.2"}'


def said(*lines: tuple[float, float, str]) -> list[list[str]]:
    return [f"{begun:.2f} {ended:.2f} {seen}".split(maxsplit=2) for begun, ended, seen in lines]


@pytest.mark.parametrize(
    ("lines", "gaps"),
    [
        ([(0.0, 0.1, OLD), (0.2, 0.3, OLD), (0.4, 0.5, NEW)], []),
        # Slow answers, of which none is long after another.
        ([(0.0, 0.1, OLD), (0.2, 1.0, OLD), (0.4, 1.9, OLD), (0.6, 2.7, OLD)], []),
        ([(0.0, 0.1, OLD), (0.2, 2.5, OLD), (0.4, 0.6, OLD), (1.2, 1.4, NEW), (2.2, 2.3, NEW)], []),
        # A lost one between others that arrive interrupts nobody.
        ([(0.0, 0.1, OLD), (0.2, 3.2, ""), (0.4, 0.5, NEW), (0.9, 1.0, NEW)], []),
        ([(0.0, 0.1, OLD), (0.2, 3.2, ""), (2.2, 2.3, NEW)], [2.2]),
        ([(0.0, 0.1, OLD), (2.0, 2.1, NEW), (2.2, 2.3, NEW), (4.0, 4.1, NEW)], [2.0, 1.8]),
        # Nothing before the first answer, and nothing after the last.
        ([(0.0, 3.0, ""), (1.4, 1.5, OLD), (1.6, 4.6, ""), (3.6, 6.6, "")], [1.5, 2.1]),
    ],
)
def test_silence_is_an_interruption_and_slowness_is_none(
    lines: list[tuple[float, float, str]], gaps: list[float]
) -> None:
    assert read(said(*lines))[0] == gaps


def test_each_address_is_named_once_in_its_order() -> None:
    lines = said((0.0, 0.1, OLD), (0.2, 0.9, OLD), (0.4, 0.5, NEW), (0.6, 0.7, NEW))
    assert read(lines)[1] == ["198.18.64.1", "198.18.64.2"]


def test_a_host_that_never_got_out_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no host ever got out"):
        read(said((0.0, 3.0, "")))
