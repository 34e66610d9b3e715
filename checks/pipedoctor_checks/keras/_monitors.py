"""Callbacks that wait for a metric which the text of a Keras script does not produce."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pipedoctor.facts import Call, Script, Value
from pipedoctor.finding import Finding
from pipedoctor_checks.keras._models import Compiled, keras, of

CALLBACKS = {"EarlyStopping": 0, "ReduceLROnPlateau": 0, "ModelCheckpoint": 1}
"""Callbacks that look at one name of the logs, and the position of that name."""
ALWAYS = frozenset({"loss", "lr", "learning_rate"})
CONSEQUENCE = {
    "EarlyStopping": "it never stops the training",
    "ReduceLROnPlateau": "it never lowers the rate",
    "ModelCheckpoint": "it can't tell the best model",
}
UNKNOWN_NAME = "Keras 3 stops with ValueError after the first epoch"
"""What a name that is none of the metrics leads to, where `mode` is left to be found out."""


class _Watch(NamedTuple):
    """A callback of a training, what it looks at, and what the training yields."""

    fit: Call
    callback: Call
    kind: str
    monitor: str
    model: Compiled


def in_text(script: Script) -> Iterator[Finding]:
    """Find callbacks that look at a name which the training does not log."""
    for one in _watches(script):
        base = one.monitor.removeprefix("val_")
        names = _metrics(script, one.model)
        validated = _validated(one.fit)
        produced = None if names is None else sorted({"loss", *names})
        if produced is not None and validated:
            produced += [f"val_{name}" for name in produced]
        if one.monitor.startswith("val_") and not validated:
            why = f"fit() in line {one.fit.line} gets no validation data"
            remedy = f"fit(…, validation_split=0.1) in line {one.fit.line}, or validation_data=…"
        elif produced is not None and base not in {*ALWAYS, *produced}:
            why = f"the training produces {', '.join(produced)}"
            best = similar(base, names or set())
            remedy = f'monitor="{one.monitor[: -len(base)]}{best}"'
        else:
            continue
        automatic = one.callback.argument("mode") is None and base not in {
            *ALWAYS,
            *(names or ()),
        }
        stops = automatic and names is not None
        yield Finding(
            message=f"{one.kind} watches {one.monitor}, and {why}: "
            + (
                f"{UNKNOWN_NAME}; before, {CONSEQUENCE[one.kind]}"
                if stops
                else CONSEQUENCE[one.kind]
            ),
            where=one.callback.where,
            evidence={"monitor": one.monitor, "produced": produced, "validated": validated},
            remedy=remedy,
        )


def _watches(script: Script) -> Iterator[_Watch]:
    for fit in script.trainings:
        model, given = of(script, fit), fit.argument("callbacks", 5)
        if model is None or given is None or fit.open:
            continue
        for element in given.elements:
            made = script.makers(element)
            if len(made) != 1:
                continue
            kind = next((kind for kind in CALLBACKS if keras(made[0], kind)), None)
            monitor = _monitor(made[0], kind) if kind else None
            if kind and monitor:
                yield _Watch(fit, made[0], kind, monitor, model)


def _monitor(call: Call, kind: str) -> str | None:
    """Return what a callback watches; None if that can't be told, or does not matter."""
    if call.open or call.name.startswith("__main__."):
        return None
    best = call.argument("save_best_only", 3)
    if kind == "ModelCheckpoint" and (best is None or not best.get()):
        return None
    given = call.argument("monitor", CALLBACKS[kind])
    held = "val_loss" if given is None else given.get()
    return held if isinstance(held, str) else None


def _validated(fit: Call) -> bool:
    data, share = fit.argument("validation_data", 7), fit.argument("validation_split", 6)
    given = data is not None and not (data.known and data.get() is None)
    return given or (share is not None and not (share.known and not share.get()))


def _metrics(script: Script, model: Compiled) -> set[str] | None:
    """Return the names of the metrics of a model with one output, None if they can't be told."""
    given = model.compile.argument("metrics")
    weighted = model.compile.argument("weighted_metrics")
    if model.compile.open or weighted is not None or model.last is None:
        return None
    if given is None:
        return set()
    if given.known:
        held = given.get()
        texts = isinstance(held, list) and all(isinstance(name, str) for name in held)
        return set(held) if texts else None
    names = [_name(script, element) for element in given.elements]
    return {name for name in names if name} if names and all(names) else None


def _name(script: Script, element: Value) -> str | None:
    held, made = element.get(), script.makers(element)
    if isinstance(held, str):
        return held
    if len(made) != 1 or not any(".metrics." in name for name in made[0].names) or made[0].open:
        return None
    given = made[0].argument("name")
    if given is not None:
        return given.get() if isinstance(given.get(), str) else None
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", made[0].name.rpartition(".")[2])
    return words.lower()


def similar(base: str, names: set[str]) -> str:
    """Return the metric that was probably meant, else the loss."""
    return next((name for name in sorted(names) if name.startswith(base) or base in name), "loss")
