"""The losses and the metrics of a model: what compile was given, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipedoctor.fact import Split, Unavailable, unknown
from pipedoctor.facts.compiled import OutputLoss
from pipedoctor.finding import NOWHERE, Location
from pipedoctor.frameworks.fitting import places, second
from pipedoctor.frameworks.fitting.building import Ready, spec
from pipedoctor.frameworks.fitting.drawing import First
from pipedoctor.frameworks.fitting.library import (
    Library,
    compiled_with,
    config_of,
    is_figure,
    maker,
    named,
    of_model,
    overridden,
    own,
    plain,
)
from pipedoctor.frameworks.fitting.step import Answered
from pipedoctor.frameworks.fitting.untouched import doubles
from pipedoctor.pipeline import Pipeline, ProbeFailed

OWN_LOGS = "the model's own code decides what it logs, which shows when it runs"

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def measured(
    pipeline: Pipeline, part: Any, library: Library
) -> tuple[Any, Any, Mapping[str, str]]:
    """Return the losses, the names of the metrics and their kinds, from doubles built for it."""
    by_name = _given_by_name(compiled_with(part).get("loss"))
    if library.second:
        return _measured_of_second(pipeline, part, library, by_name)
    try:
        ready = pipeline.fact(Ready)
        batch = pipeline.fact(First, Split.TRAIN).batch
        answer = spec(ready.model, library, batch.x)
    except (Unavailable, ProbeFailed) as reason:
        why = unknown(str(reason))
        return _stated(part, pipeline), why, {}
    why = unknown(OWN_LOGS) if _logs_otherwise(part) else None
    made = doubles(part)
    loss, metrics = made.get("_compile_loss"), made.get("_compile_metrics")
    losses: tuple[OutputLoss, ...] = ()
    names = ["loss"]
    graph = [("", tensor) for tensor in getattr(part, "outputs", None) or ()]
    ends = output_names(part, graph or named(answer, ""))
    if loss is not None:
        loss.build(batch.y, answer)
        flat = loss._flat_losses or []  # noqa: SLF001 - the pairs of outputs and losses, in no public way
        losses = tuple(_loss(pipeline, one, _end(one, ends), by_name) for one in flat)
        names += [metric.name for metric in loss.metrics]
    if metrics is None:
        return losses, why or tuple(names), {}
    if batch.y is None:
        return losses, unknown("metrics are told apart by the labels, and fit is given none"), {}
    metrics.build(batch.y, answer)
    kinds = _metric_names(metrics)
    return losses, why or (*names, *kinds), kinds


def _logs_otherwise(part: Any) -> bool:
    """Whether the model's own code decides what is logged."""
    methods = ("train_step", "compute_metrics", "get_metrics_result")
    if any(overridden(part, name) for name in methods):
        return True
    held = getattr(type(part), "metrics", None)
    return own_function(getattr(held, "fget", None))


def _measured_of_second(
    pipeline: Pipeline, part: Any, library: Library, by_name: bool
) -> tuple[Any, Any, Mapping[str, str]]:
    """Return the same of a model of Keras 2, for which the model is called."""
    try:
        batch = pipeline.fact(First, Split.TRAIN).batch
        answer = pipeline.fact(Answered, Split.TRAIN).answer
    except (Unavailable, ProbeFailed) as reason:
        return (why := unknown(str(reason))), why, {}
    flat, names = second.losses(part, library, answer)
    ends = output_names(part, named(answer, ""))
    losses = tuple(_loss(pipeline, one, _end(one, ends), by_name) for one in flat)
    kinds = second.metrics(part, library, batch, answer)
    return losses, (*names, *kinds), kinds


def output_names(part: Any, found: Sequence[tuple[str, Any]]) -> list[str]:
    """Return the names of the outputs: as compile knows them, else those of their layers."""
    names = getattr(part, "output_names", None)
    if names is not None and len(names) == len(found):
        return [str(name) for name in names]
    if any(name and not name.isdecimal() for name, _ in found):
        return [name for name, _ in found]
    made = [getattr(tensor, "_keras_history", None) for _, tensor in found]
    told = [maker(history).name for history in made if history is not None]
    if len(told) == len(found) == len(set(told)) and part.name not in told:
        return told
    return ["output"] if len(found) == 1 else [f"output_{place}" for place in range(len(found))]


def _end(one: Any, ends: Sequence[str]) -> str:
    """Return the name of the output that a loss is for."""
    if len(ends) == 1:
        return ends[0]
    last = one.path[-1] if one.path else one.name
    if isinstance(last, int) and last < len(ends):
        return ends[last]
    return str(last) if str(last) in ends else str(one.name)


def _stated(part: Any, pipeline: Pipeline) -> Any:
    """Return the loss where one for all outputs is stated, without data to tell these apart."""
    given = compiled_with(part).get("loss")
    if given is None:
        return ()
    names = getattr(part, "output_names", None) or ["output"]
    if len(names) != 1 or isinstance(given, (dict, list, tuple)):
        return unknown("which output has which loss shows with the first batch")
    library = of_model(part)
    if library.second:
        return unknown("the loss of each output shows with the first batch")
    get = library.module("trainers.compile_utils").get_loss
    if str(given).lower() in {"crossentropy", "ce"}:
        return unknown("which cross-entropy it is shows with the first batch")
    held = _Flat(get(given, None, None))
    return (_loss(pipeline, held, str(names[0]), _given_by_name(given)),)


class _Flat:
    """A loss in the form in which Keras keeps the losses of all outputs."""

    def __init__(self, loss: Any) -> None:
        self.loss, self.loss_weights = loss, None


def _given_by_name(given: Any) -> bool:
    if isinstance(given, dict):
        return all(isinstance(one, str) for one in given.values())
    if isinstance(given, (list, tuple)):
        return all(isinstance(one, str) for one in given)
    return isinstance(given, str)


def _loss(pipeline: Pipeline, one: Any, output: str, by_name: bool) -> OutputLoss:
    """Say what is known of the loss of one output."""
    loss = one.loss
    function = getattr(loss, "fn", None)
    kind = type(loss)
    wrapped = kind.__name__ == "LossFunctionWrapper" and function is not None
    config = config_of(loss)
    parameters = {**getattr(loss, "_fn_kwargs", {})}
    parameters |= {
        n: v for n, v in config.items() if n not in {"name", "reduction", "dtype", "fn"}
    }
    if function is not None and not own_function(function):
        name, mine = function.__name__, False
    elif wrapped:
        name, mine = getattr(function, "__name__", type(function).__name__), True
    else:
        name, mine = _WORD.sub("_", kind.__name__).lower(), own(kind)
    logits = parameters.pop("from_logits", None)
    if logits is None and name in LOGITS:
        logits = False
    weight = plain(one.loss_weights)
    site = places.made(pipeline, loss)
    return OutputLoss(
        output=output,
        name=name,
        from_logits=None if logits is None else bool(logits),
        reduction=str(getattr(loss, "reduction", "") or ""),
        by_name=by_name,
        own=mine,
        weight=1.0 if weight is None else float(weight),
        parameters={n: v for n, v in parameters.items() if is_figure(v)},
        where=site.where("from_logits") if site is not None else _stated_at(pipeline),
    )


LOGITS = frozenset(
    {
        "binary_crossentropy",
        "binary_focal_crossentropy",
        "categorical_crossentropy",
        "categorical_focal_crossentropy",
        "sparse_categorical_crossentropy",
    }
)
"""The losses that take probabilities or logits, whichever they are told."""


def own_function(function: Any) -> bool:
    """Whether a function is of no Keras."""
    return (getattr(function, "__module__", "") or "").partition(".")[0] not in {
        "keras",
        "tf_keras",
        "tensorflow",
    }


def _stated_at(pipeline: Pipeline) -> Location:
    site = places.site(pipeline, "compile")
    return NOWHERE if site is None else site.where("loss")


def _metric_names(metrics: Any) -> dict[str, str]:
    """Return the names under which the metrics are logged, with what each is."""
    found: dict[str, str] = {}
    groups = (
        (metrics._flat_metrics, False),  # noqa: SLF001 - the names of outputs are kept nowhere else
        (metrics._flat_weighted_metrics, True),  # noqa: SLF001 - likewise
    )
    for group, weighted in groups:
        for held in group:
            for metric in getattr(held, "metrics", ()) if held is not None else ():
                prefix = f"{held.output_name}_" if held.output_name else ""
                name = prefix + metric.name
                if name in found and weighted:
                    name = f"{prefix}weighted_{metric.name}"
                plain_name, number = name, 1
                while name in found:
                    name, number = f"{plain_name}_{number}", number + 1
                function = getattr(metric, "_fn", None)
                kind = type(metric).__name__
                if kind == "MeanMetricWrapper" and function is not None:
                    kind = getattr(function, "__name__", kind)
                found[name] = kind
    return found
