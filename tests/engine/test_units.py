from __future__ import annotations

import pytest

from pipedoctor.units import count, millions, plural, size


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_300_000_000, "1.30 GB"),
        (102_700_000_000, "102.7 GB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_size(number: float, text: str) -> None:
    assert size(number) == text


def test_other_numbers() -> None:
    assert count(104743) == "104,743"
    assert [millions(n) for n in (108_310_272, 7_241_000_000, 336_578, 12)] == [
        "108.3 M",
        "7.2 B",
        "336.6 k",
        "12",
    ]
    assert [plural(n, "error") for n in (0, 1, 2)] == ["0 errors", "1 error", "2 errors"]
