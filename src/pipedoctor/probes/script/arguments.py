"""Which expression a call gives to a parameter of the function that it calls."""

from __future__ import annotations

import ast


def spreads(call: ast.Call) -> bool:
    """Whether a call hands on a sequence or a mapping, so that its arguments can't be told."""
    starred = any(isinstance(argument, ast.Starred) for argument in call.args)
    return starred or any(keyword.arg is None for keyword in call.keywords)


def given(parameters: ast.arguments, name: str, call: ast.Call) -> ast.expr | None:
    """Return what a call that spreads nothing gives to a parameter; None if it leaves it out."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = _positional(parameters)
    if name in names and names.index(name) < len(call.args):
        return call.args[names.index(name)]
    return None


def default(parameters: ast.arguments, name: str) -> ast.expr | None:
    """Return the default of a parameter, None if it has none."""
    found: dict[str, ast.expr | None] = {}
    if parameters.defaults:
        last = _positional(parameters)[-len(parameters.defaults) :]
        found |= dict(zip(last, parameters.defaults, strict=True))
    found |= {
        one.arg: value
        for one, value in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
    }
    return found.get(name)


def _positional(parameters: ast.arguments) -> list[str]:
    return [one.arg for one in (*parameters.posonlyargs, *parameters.args)]
