"""The values of options, read from their words; what is none is refused in one sentence."""

from __future__ import annotations

import argparse

MOST_ROWS = 64
"""More rows than this make no batch to look at."""

MOST_ROOM = 10**18
"""No disk has so many bytes."""

LEAST_MEMORY = 2**20
"""No device that trains has less."""

MOST_TRAIN_ROWS = 10**15
"""No data has so many rows."""


def codes(text: str) -> list[str]:
    """Return codes, or beginnings of codes: LAB001,CKP."""
    return [code.strip().upper() for code in text.split(",") if code.strip()]


def version(text: str) -> tuple[str, str]:
    """Return a package and the version that is asked about."""
    name, _, version = text.partition("=")
    if not name.strip() or not version.strip("= ")[:1].isdecimal():
        raise argparse.ArgumentTypeError(
            f"{text!r} is no package and version such as transformers=4.57"
        )
    return name.strip().lower(), version.strip("= ")


def row_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of rows to show."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isdecimal() for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of row numbers such as 3,17")
    rows = tuple(dict.fromkeys(map(int, words)))
    if len(rows) > MOST_ROWS:
        raise argparse.ArgumentTypeError(f"at most {MOST_ROWS} rows can be shown")
    return rows


def number_of_rows(text: str) -> int:
    """Return how many rows there are."""
    return _number_of(text, "rows such as 104743")


def number_of_gpus(text: str) -> int:
    """Return how many GPUs there are."""
    return _number_of(text, "GPUs such as 8")


def number_of_tokens(text: str) -> int:
    """Return how many tokens a row has."""
    return _number_of(text, "tokens such as 512")


def _number_of(text: str, things: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    if not digits.isdecimal() or not 0 < int(digits) <= MOST_TRAIN_ROWS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of {things}")
    return int(digits)


LEAST_MEMORY = 1_000_000
"""No device has less: whoever states it has left out the unit."""


def size(text: str) -> int:
    """Return bytes: 50GB, 24GiB."""
    number = text.rstrip("BbIi").upper()
    binary = "i" in text.lower()
    power = "KMGT".find(number[-1:]) + 1 if number[-1:].isalpha() else 0
    try:
        number_of = (
            float(number[: len(number) - bool(power)]) * (1024 if binary else 1000) ** power
        )
        return int(number_of) if 0 <= number_of <= MOST_ROOM else int("")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 50GB") from None


def memory(text: str) -> int:
    """Return the bytes of a device's memory: 24GiB."""
    found = size(text)
    if found >= LEAST_MEMORY:
        return found
    meant = (
        f"--memory {text.strip()}GiB" if found and text.strip().isdecimal() else "--memory 24GiB"
    )
    raise argparse.ArgumentTypeError(f"{text!r} is {found:,} bytes, which no device has: {meant}")


def setting(text: str) -> tuple[str, object]:
    """Return the name and the value of a training argument: bf16=true, optim=adafactor."""
    import json

    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is no argument such as bf16=true")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, {"True": True, "False": False, "None": None}.get(value, value)


def count(text: str) -> int:
    """Return a number, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number, 0 or more")
    return int(text)


def seconds(text: str) -> float:
    """Return seconds, more than 0."""
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError("the time must be above 0 seconds")
    return seconds
