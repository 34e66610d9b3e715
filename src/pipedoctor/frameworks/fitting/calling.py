"""What the call of `fit` says: how long, on what, with whom looking on."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import UNKNOWN, Split, Unavailable, unknown
from pipedoctor.facts.compiled import Compiled
from pipedoctor.facts.fit import ARRAYS, DATASET, GENERATOR, PYDATASET, Fit, FitCallback
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.schedule import Marks, Schedule
from pipedoctor.finding import NOWHERE
from pipedoctor.frameworks.fitting import places
from pipedoctor.frameworks.fitting.building import model
from pipedoctor.frameworks.fitting.drawing import First
from pipedoctor.frameworks.fitting.fed import Fed
from pipedoctor.frameworks.fitting.library import figure, own, plain
from pipedoctor.frameworks.fitting.scanning import Scan
from pipedoctor.pipeline import Pipeline


def describe(pipeline: Pipeline) -> Fit:
    """
    Say how fit is called.

    Raises:
        Unavailable: Nobody calls it: there is no data.

    """
    model(pipeline)
    options = pipeline.parts.get("call") or {}
    train = pipeline.parts.get("train_data")
    if not isinstance(train, Fed):
        raise Unavailable("no data is given to fit: state x, or call fit")
    held = pipeline.parts.get("eval_data")
    validation = held if isinstance(held, Fed) else None
    share = options.get("validation_split") or 0.0
    size, batches = _size(pipeline, train), _batches(pipeline, train, Split.TRAIN)
    stated = options.get("steps_per_epoch")
    site = places.site(pipeline, "fit")
    return Fit(
        epochs=int(options.get("epochs", 1)),
        initial_epoch=int(options.get("initial_epoch", 0)),
        data=train.kind,
        rows=_rows(train),
        batches=batches,
        batch_size=size,
        steps=_steps(batches, stated, train),
        steps_per_epoch=stated,
        shuffle=train.kind in {ARRAYS, PYDATASET} and bool(options.get("shuffle", True)),
        validation=_kind(validation, share),
        validation_split=float(share),
        validation_rows=_rows(validation) if validation is not None else 0,
        validation_batches=(
            _batches(pipeline, validation, Split.EVAL) if validation is not None else 0
        ),
        validation_steps=options.get("validation_steps"),
        validation_freq=options.get("validation_freq", 1),
        class_weight=_class_weight(options),
        weighted_names=_names(options.get("class_weight")),
        sample_weight=_weighted(pipeline, train),
        callbacks=callbacks(pipeline, options),
        reread=train.kind != GENERATOR,
        where=site.place if site is not None else NOWHERE,
        places=site.keywords if site is not None else {},
    )


def _kind(validation: Fed | None, share: Any) -> str | None:
    if validation is None:
        return None
    return "split" if share and validation.start else validation.kind


def _rows(data: Fed) -> Any:
    try:
        return data.rows
    except Unavailable as reason:
        return unknown(reason)


def _batches(pipeline: Pipeline, data: Fed, split: Split) -> Any:
    """Return the number of batches: as the data says, or as they were counted when it was read."""
    try:
        return data.batches
    except Unavailable as reason:
        scan = pipeline.optional(Scan, split)
        return scan.batches if scan is not None and scan.batches else unknown(reason)


def _size(pipeline: Pipeline, data: Fed) -> Any:
    try:
        return data.batch_size
    except Unavailable as reason:
        first = pipeline.optional(First, Split.TRAIN)
        return first.batch.size if first is not None else unknown(reason)


def _steps(batches: Any, stated: Any, train: Fed) -> Any:
    if stated:
        # Keras 3 ends an epoch with its data, whatever is stated, and begins the next one anew.
        short = train.kind in {ARRAYS, DATASET} and not train.library.second
        return min(int(stated), batches) if short and isinstance(batches, int) else int(stated)
    if batches is None:
        return unknown("the data has no end, and no steps_per_epoch is stated")
    return batches


def _class_weight(options: Mapping[str, Any]) -> dict[int, float] | None:
    given = options.get("class_weight")
    if not isinstance(given, Mapping):
        return None
    pairs = ((plain(key), plain(value)) for key, value in given.items())
    return {
        int(key): float(value)
        for key, value in pairs
        if isinstance(key, (int, float)) and isinstance(value, (int, float))
    }


def _names(weights: Any) -> dict[str, object]:
    """Return the weights whose keys are no numbers."""
    if not isinstance(weights, Mapping):
        return {}
    named = {key: plain(value) for key, value in weights.items()}
    return {str(k): value for k, value in named.items() if not isinstance(plain(k), (int, float))}


def _weighted(pipeline: Pipeline, data: Fed) -> Any:
    if data.kind == ARRAYS:
        return data.sample_weight is not None
    scan = pipeline.optional(Scan, Split.TRAIN)
    if scan is None:
        return UNKNOWN
    return scan.weighted and not data.options.get("class_weight")


def callbacks(pipeline: Pipeline, options: Mapping[str, Any]) -> tuple[FitCallback, ...]:
    """Say who looks on, with the figures of each."""
    given = options.get("callbacks")
    if given is None:
        return ()
    held = getattr(given, "callbacks", given)
    found = held if isinstance(held, (list, tuple)) else [held]
    return tuple(
        FitCallback(
            kind=type(one).__name__,
            parameters=_parameters(one),
            own=own(type(one)),
            where=places.at(pipeline, one, "monitor", "filepath"),
        )
        for one in found
        if one is not None
    )


def _parameters(callback: Any) -> dict[str, object]:
    """Return the figures that a callback keeps under the names of its constructor's arguments."""
    made = [vars(base).get("__init__") for base in type(callback).__mro__[:-1]]
    names = {name for one in made if one is not None for name in inspect.signature(one).parameters}
    held = {name: vars(callback)[name] for name in names if name in vars(callback)}
    figures = {name: (value, plain(value)) for name, value in sorted(held.items())}
    return {n: told for n, (value, told) in figures.items() if told is not None or value is None}


def schedule(pipeline: Pipeline) -> Schedule:
    """
    Say how many updates the run makes.

    Raises:
        Unavailable: The data does not tell how long an epoch is.

    """
    fit = pipeline.fact(Fit)
    epochs = max(0, fit.epochs - fit.initial_epoch)
    compiled = pipeline.optional(Compiled)
    held = compiled.hyper.get("gradient_accumulation_steps") if compiled is not None else None
    every = held if isinstance(held, int) and held > 0 else 1
    steps = fit.steps * epochs
    evaluated = fit.validation is not None and isinstance(fit.validation_freq, int)
    return Schedule(
        total_steps=math.ceil(steps / every),
        steps_per_epoch=math.ceil(fit.steps / every),
        epochs=float(epochs),
        batch_size=fit.batch_size * every if fit.known("batch_size") else UNKNOWN,
        evaluations=(
            Marks(fit.steps * int(str(fit.validation_freq)), steps) if evaluated else UNKNOWN
        ),
        batches_per_epoch=fit.steps,
        origin=fit.at("epochs"),
    )


def learning_rate(pipeline: Pipeline) -> LearningRate:
    """
    Say which rate each update is made with, as far as compile decides it.

    Raises:
        Unavailable: A callback changes it on the way.

    """
    from pipedoctor.frameworks.fitting.compiling import rate_of

    fit, compiled = pipeline.fact(Fit), pipeline.fact(Compiled)
    changing = {"LearningRateScheduler", "ReduceLROnPlateau"}
    held = next((one.kind for one in fit.callbacks if one.kind in changing or one.own), None)
    if held is not None:
        raise Unavailable(f"the callback {held} may change the learning rate while fit runs")
    steps = pipeline.fact(Schedule).total_steps
    part, _ = model(pipeline)
    optimizer = getattr(part.optimizer, "inner_optimizer", part.optimizer)
    rate = rate_of(optimizer)
    value = compiled.learning_rate
    if not compiled.schedule:
        return LearningRate(
            value, "constant", steps, 0, lambda _: 1.0, compiled.at("learning_rate")
        )
    highest = max((figure(rate(step)) or 0.0 for step in _some(steps)), default=0.0)

    def factor(step: int) -> float:
        return (figure(rate(step)) or 0.0) / highest if highest else 0.0

    return LearningRate(highest, compiled.schedule, steps, 0, factor, compiled.at("learning_rate"))


def _some(steps: int) -> list[int]:
    """Return some steps of the run, the first and the last among them."""
    return sorted({*range(0, steps, max(1, steps // 64)), max(0, steps - 1)})
