"""Arithmetic of literals, kept within bounds: what a script writes may be anything."""

from __future__ import annotations

import ast
from typing import Any

from pipedoctor.fact import UNKNOWN

LONGEST = 10_000
"""A text that is put together grows no further than this."""


def is_number(value: object) -> bool:
    """Whether it can be reckoned with."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15


def combine(operator: ast.operator, left: Any, right: Any) -> Any:
    """Return the result of an operation, or `UNKNOWN`."""
    if isinstance(operator, ast.Add) and isinstance(left, str) and isinstance(right, str):
        return left + right if len(left) + len(right) < LONGEST else UNKNOWN
    if not is_number(left) or not is_number(right):
        return UNKNOWN
    try:
        if isinstance(operator, ast.Add):
            return left + right
        if isinstance(operator, ast.Sub):
            return left - right
        if isinstance(operator, ast.Mult):
            return left * right
        if isinstance(operator, ast.Div):
            return left / right
        if isinstance(operator, ast.FloorDiv):
            return left // right
        if isinstance(operator, ast.Pow) and abs(right) <= 20 and 0 <= left <= 1024:
            return left**right
    except ArithmeticError:
        pass
    return UNKNOWN
