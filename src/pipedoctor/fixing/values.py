"""How a value is written, so that every reader of the dialect takes it for what it is."""

from __future__ import annotations

import json
from collections.abc import Callable

from pipedoctor.facts.settings import number
from pipedoctor.fixing import Refused


def real(value: float) -> str:
    """Return a finite number with a fraction; with an exponent, as YAML 1.1 wants it: 5.0e-5."""
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - only NaN differs from itself
        raise Refused(f"{value} is no number to write")
    short = number(value)
    if float(short) != value:
        digits, exponent, power = repr(value).partition("e")
        short = f"{digits if '.' in digits else digits + '.0'}{exponent}{power}"
    return short if set(".e") & set(short) else f"{short}.0"


def written(value: object, words: tuple[str, str, str], pair: Callable[[str, str], str]) -> str:
    """
    Return a value in a syntax of which JSON's is one.

    `words` are those for true, false and nothing, `pair` writes a key and a value of a mapping.
    """
    if value is None or isinstance(value, bool):
        return words[2 if value is None else not value]
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return real(value)
    if isinstance(value, list):
        return f"[{', '.join(written(item, words, pair) for item in value)}]"
    if isinstance(value, dict):
        pairs = (pair(str(key), written(item, words, pair)) for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise Refused(f"a {type(value).__name__} can't be written")


def json_like(value: object) -> str:
    """Return a value as JSON writes it, which YAML reads as well."""
    return written(
        value,
        ("true", "false", "null"),
        lambda key, text: f"{json.dumps(key, ensure_ascii=False)}: {text}",
    )
