"""
Adapters: the only code that knows a framework.

An adapter is a module that defines probes, named by an entry point of the group
`pipedoctor.frameworks` after the package whose objects it knows. It imports that package inside
its functions only, so that listing what could be measured costs nothing. For each part the
nearest package among its base classes with an adapter wins, so a Keras model on the torch
backend is Keras's; a part of a package that nobody knows is left to the plain probes.

The adapters themselves are the modules named after a package; the rooms beside them hold what
they are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor import index, plugins
from pipedoctor.parts import FIT, Lazy, Parts
from pipedoctor.probe import Probe, listed

PLAIN = "pipedoctor.probes"
"""The probes that need no framework, and are there for all parts."""

LOOPS = "pipedoctor.frameworks.loops"
"""The probes of training loops, which are there where one was seen."""


def unpack(trainer: Any, call: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """
    Return the parts of a trainer whose training is called for with these arguments.

    Raises:
        TypeError: No adapter knows such a trainer.

    """
    adapters = plugins.frameworks()
    for package in Parts({"trainer": trainer}).packages("trainer"):
        unpacking = (
            getattr(adapters[package].load(), "unpack", None) if package in adapters else None
        )
        if unpacking is not None:
            parts: dict[str, Any] = unpacking(trainer, call)
            return parts
    raise TypeError(f"{type(trainer).__name__} is no trainer that pipedoctor knows")


def given(parts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return parts in which the arguments of `fit`, given beside a model that has it, are read.

    Raises:
        TypeError: There are such arguments, and no model that is fitted.

    """
    names = [name for name in FIT if name in parts]
    fitted = _fitting(parts.get("model"))
    if fitted is None:
        if names:
            kind = type(parts["model"]).__name__ if parts.get("model") is not None else "missing"
            raise TypeError(
                f"{names[0]!r} is an argument of fit, and the model is {kind}: none of Keras"
            )
        return dict(parts)
    rest = {name: part for name, part in parts.items() if name not in FIT}
    found: dict[str, Any] = fitted(parts["model"], {name: parts[name] for name in names}, rest)
    return found


def returned(value: Any) -> dict[str, Any]:
    """
    Return the parts that a factory's answer stands for.

    It is a mapping of parts, a trainer, a model that is fitted, or such a model first in a tuple:
    after it `(x, y)` or what else may be the first arguments of fit, and at the end a mapping of
    more of them.

    Raises:
        TypeError: It is none of these.

    """
    if isinstance(value, Mapping):
        return given(value)
    if isinstance(value, (tuple, list)) and value and _fitting(value[0]) is not None:
        first, *rest = value
        named = rest.pop() if rest and _are_options(rest[-1]) else {}
        if len(rest) == 1 and isinstance(rest[0], tuple):
            data = dict(zip(("x", "y", "sample_weight"), rest[0], strict=False))
        else:
            data = dict(zip(FIT, rest, strict=False))
        return given({"model": first, **data, **named})
    if _fitting(value) is not None:
        return given({"model": value})
    return unpack(value)


def _are_options(value: Any) -> bool:
    """Whether it is a mapping of arguments of fit; inputs under names of their own are none."""
    return isinstance(value, Mapping) and {*value} <= {*FIT}


def is_fitted(model: Any) -> bool:
    """Whether a model has a `fit` that pipedoctor knows."""
    return _fitting(model) is not None


def _fitting(model: Any) -> Any:
    """Return what reads the arguments of fit for a model, None where nothing knows its fit."""
    if model is None or isinstance(model, Lazy):
        return None
    adapters = plugins.frameworks()
    nearest = next((p for p in Parts({"model": model}).packages("model") if p in adapters), None)
    if nearest is None:
        return None
    try:
        return getattr(adapters[nearest].load(), "fitted", None)
    except Exception:  # noqa: BLE001 - a broken plugin; `probes` tells of it
        return None


def probes(parts: Parts, problems: list[str] | None = None) -> list[Probe]:
    """
    Return how to measure each fact that could be measured on these parts.

    An adapter that can't be loaded hides no other; a line about it is added to `problems`.
    """
    adapters = plugins.frameworks()
    chosen = {PLAIN: "the plain probes"}
    for name in parts:
        nearest = next((p for p in parts.packages(name) if p in adapters), None)
        if nearest is not None:
            chosen[adapters[nearest].module] = nearest
    if "loop" in parts or "loads" in parts:
        chosen[LOOPS] = "the probes of loops"
    found: list[Probe] = []
    for package, name in chosen.items():
        try:
            modules = index.modules(package)
        except Exception as error:
            if package == PLAIN:  # no report could be relied on without these
                raise
            if problems is not None:
                problems.append(f"adapter {name}: {type(error).__name__}: {error}")
            continue
        found += [
            listed(module, function, row)
            for module, held in modules.items()
            for function, row in held.get("probes", {}).items()
        ]
    return found
