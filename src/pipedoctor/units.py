"""Numbers as people read them."""

from __future__ import annotations

from typing import Any


def count(number: Any) -> str:
    """Return a count with separators: 104,743."""
    return f"{number:,}"


def size(number: Any) -> str:
    """Return bytes in decimal units, as disks are sold: 1.30 GB."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(value) < 1000 or unit == "TB":
            break
        value /= 1000
    if unit == "B":
        return f"{int(value)} B"
    return f"{value:.2f} {unit}" if value < 10 else f"{value:.1f} {unit}"


def millions(number: Any) -> str:
    """Return a number of parameters: 108.3 M, 7.2 B, 336.6 k."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.1f} {unit}"
    return str(number)


def rate(number: Any) -> str:
    """Return a learning rate as people write it: 2e-5, 0.001, 0.1."""
    value = float(number)
    if value and not 1e-3 <= abs(value) < 1e3:
        digits, _, exponent = f"{value:.1e}".partition("e")
        return f"{digits.removesuffix('.0')}e{int(exponent)}"
    return f"{value:g}"


def plural(number: Any, noun: str) -> str:
    """Return "1 error", "2 errors"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def gib(number: Any) -> str:
    """Return bytes as GPUs are told: 39.6 GiB, 120 MiB."""
    for unit, power in (("GiB", 2**30), ("MiB", 2**20)):
        if abs(number) >= power * 0.9995 or unit == "MiB":
            value = number / power
            return f"{value:,.2f} {unit}" if abs(value) < 9.995 else f"{value:,.1f} {unit}"
    raise AssertionError
