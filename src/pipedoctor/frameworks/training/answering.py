"""A model's answer to a batch, where its weights are of several types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from pipedoctor.fact import Cost, Split
from pipedoctor.facts.mixed_types import MixedTypes
from pipedoctor.facts.settings import Settings
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.frameworks.restoring.restore import evaluating, random_states
from pipedoctor.frameworks.training.memory import demand_weights
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


def answered(pipeline: Pipeline, model: Any, run: Callable[[], Any]) -> Any:
    """
    Return what a model answers: exactly, or in the mixed precision of the run if it must be.

    Weights of several types meet only where autocast brings them to one. What can be computed
    without it is computed without it, for the sake of the figures.
    """
    try:
        return run()
    except RuntimeError as error:
        if "dtype" not in str(error):
            raise
        with _cast(pipeline, model):
            return run()


def _cast(pipeline: Pipeline, model: Any) -> Any:
    from pipedoctor.frameworks.training.backward import autocast

    return autocast(pipeline.parts.get("trainer"), pipeline.optional(Settings), model)()


@probe(MixedTypes, Cost.FORWARD, "model", "train_data", user_code=True)
def mixed_types(pipeline: Pipeline, _split: Split) -> MixedTypes:
    """Run a model whose weights are of several types as the training would."""
    import torch

    from pipedoctor.frameworks.torch import module, on_device

    model = module(pipeline)
    types = {n: _word(p) for n, p in model.named_parameters() if p.is_floating_point()}
    counts = Counter(types.values())
    if len(counts) < 2:
        return MixedTypes(counts)
    demand_weights(model)
    inputs: Mapping[str, Any] = on_device(
        pipeline.fact(Batches, Split.TRAIN).made[0].arrays, model
    )
    with random_states(), evaluating(model), torch.no_grad(), _cast(pipeline, model):
        device = next(model.parameters()).device.type
        cast = bool(torch.is_autocast_enabled(device))
        try:
            model(**inputs)
        except RuntimeError as error:
            if "dtype" not in str(error):
                raise
            name, inner = _raising(model, error)
            own = {_word(p) for p in inner.parameters() if p.is_floating_point()}
            text = str(error).splitlines()[0]
            return MixedTypes(counts, text, name, tuple(sorted(own)), cast)
    return MixedTypes(counts, cast=cast)


def _raising(model: Any, error: BaseException) -> tuple[str, Any]:
    """Return the innermost module that ran when an error was raised, and its name."""
    names = {id(module): name for name, module in model.named_modules()}
    found = model
    trace = error.__traceback__
    while trace is not None:
        held = trace.tb_frame.f_locals.get("self")
        if id(held) in names:
            found = held
        trace = trace.tb_next
    return names.get(id(found), ""), found


def _word(parameter: Any) -> str:
    return str(parameter.dtype).removeprefix("torch.")
