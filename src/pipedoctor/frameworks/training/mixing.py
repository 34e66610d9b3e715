"""Whether the answer to a row depends on the rows beside it: one is replaced, the others watched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.mixing import Layer, MixedBatch, Mixing
from pipedoctor.frameworks.data.batches import Batches, Collated, of_rows
from pipedoctor.frameworks.data.feeding import take_pad_token
from pipedoctor.frameworks.restoring.restore import evaluating, random_states, seeded
from pipedoctor.frameworks.rows_apart import HALF, MOST, ROUNDING, differing
from pipedoctor.frameworks.training.answering import answered
from pipedoctor.frameworks.training.memory import demand_weights
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
"""Settings of models whose experts have room for so many tokens of a batch, which is meant."""

SEED = 20_231


@probe(Mixing, Cost.FORWARD, "model", "train_data", user_code=True)
def mixing(pipeline: Pipeline, _split: Split) -> Mixing:
    """Run a few rows of the first batch twice, the second time with one of them replaced."""
    import torch

    model = pipeline.part("model")
    if not isinstance(model, torch.nn.Module):
        raise Unavailable("the model is no module of torch")
    demand_weights(model)
    refuse(model)
    first = pipeline.fact(Batches, Split.TRAIN).made[0]
    rows = len(first.rows)
    inputs = _on_device(first.arrays, model)
    by_row = {n for n, v in inputs.items() if getattr(v, "ndim", 0) and len(v) == rows}
    if (
        rows < 2
        or not by_row
        or any(getattr(inputs[n], "ndim", 0) for n in inputs.keys() - by_row)
    ):
        raise Unavailable("the batch does not have one place for each row")
    few = min(rows, MOST)
    kept = {n: v[:few] if n in by_row else v for n, v in inputs.items()}
    with random_states(), evaluating(model), torch.no_grad():
        if "transformers" in pipeline.parts.packages("model"):
            take_pad_token(pipeline, model)
        tried: Mixing = answered(pipeline, model, lambda: _tried(model, kept, by_row, few))
        return tried


def refuse(model: Any) -> None:
    """
    Raise `Unavailable` where rows are meant to influence each other, also in evaluation.

    Raises:
        Unavailable: The reason.

    """
    import torch

    config: Any = getattr(model, "config", None)
    if getattr(model, "hf_quantizer", None) is not None or getattr(model, "is_quantized", False):
        raise Unavailable("the model is quantised, which may take the range of a whole batch")
    if any(getattr(config, name, None) for name in EXPERTS):
        raise Unavailable("the experts of the model have room for a part of the batch's tokens")
    norms = torch.nn.modules.batchnorm._NormBase  # noqa: SLF001 - the base of all kinds
    for name, module in model.named_modules():
        batch = isinstance(module, norms) and not isinstance(
            module,
            torch.nn.modules.instancenorm._InstanceNorm,  # noqa: SLF001 - likewise
        )
        if batch and not module.track_running_stats:
            raise Unavailable(f"{name} takes the statistics of each batch, in evaluation too")


def _tried(model: Any, inputs: Mapping[str, Any], by_row: set[str], rows: int) -> Mixing:
    """Replace the last row, and then the first: what goes from row to row goes one way only."""
    base, again = _answer(model, inputs), _answer(model, inputs)
    if base.ndim < 2 or len(base) != rows:
        raise Unavailable("the model does not answer each row by itself")
    if not bool(base.isfinite().all()) or not _close(base, again):
        raise Unavailable("the answers to the same batch differ from time to time")
    fewer = _answer(model, {n: v[: rows - 1] if n in by_row else v for n, v in inputs.items()})
    if rows > 2 and fewer.shape[1:] != base.shape[1:]:
        raise Unavailable("the model compares the rows with each other, and answers with pairs")
    told: list[Mixing] = []
    scale = float(base.abs().max())
    rounding = _rounding(model)
    for place, other in ((rows - 1, 0), (0, rows - 1)):
        changed = _replaced(inputs, by_row, place, other)
        if changed is None:
            continue
        apart = (_answer(model, changed) - base).abs().reshape(rows, -1).amax(1)
        own = float(apart[place])
        apart[place] = 0.0
        touched = tuple(n for n in range(rows) if float(apart[n]) > rounding * scale)
        told.append(
            Mixing(rows, place, float(apart.max()), own, scale, rounding, touched, library="torch")
        )
    if not told:
        raise Unavailable("the rows of the batch are all the same")
    if not any(one.own > rounding * scale for one in told):
        raise Unavailable("the answers do not depend on the rows yet")
    worst = max(told, key=lambda one: one.change)
    if not worst.mixed:
        return worst
    place = worst.replaced
    changed = _replaced(inputs, by_row, place, rows - 1 - place)
    layer = _first_layer(model, inputs, changed or {}, place, rows)
    return replace(worst, layer=layer)


def _rounding(model: Any) -> float:
    """Return the share of an answer that rounding may change on its way through all layers."""
    import torch

    short = {torch.float16, torch.bfloat16}
    return HALF if any(p.dtype in short for p in model.parameters()) else ROUNDING


def _replaced(
    inputs: Mapping[str, Any], by_row: set[str], place: int, other: int
) -> dict[str, Any] | None:
    """Return the batch with the content of another row at a place; None where they are the same."""
    import torch

    told = dict(inputs)
    same = True
    for name in by_row:
        value = inputs[name].clone()
        same = same and torch.equal(value[place], value[other])
        value[place] = value[other]
        told[name] = value
    return None if same else told


def _answer(model: Any, inputs: Mapping[str, Any]) -> Any:
    from pipedoctor.frameworks.torch import outputs_of

    outputs = outputs_of(model(**inputs))
    logits = outputs.get("logits", outputs.get("output_1", outputs.get("last_hidden_state")))
    if not hasattr(logits, "detach"):
        raise Unavailable("the model returns no logits")
    return logits.detach().float().cpu()


def _close(one: Any, other: Any) -> bool:
    return one.shape == other.shape and bool(
        (one - other).abs().max() <= ROUNDING * one.abs().max().clamp(min=1e-6)
    )


def _on_device(arrays: Mapping[str, Any], model: Any) -> dict[str, Any]:
    from pipedoctor.frameworks.torch import on_device

    return on_device(arrays, model)


# Which layer it is ------------------------------------------------------------------------------


@dataclass
class _Call:
    """A call of a layer: what went in and came out, as far as it has a place for each row."""

    name: str
    module: Any
    given: list[Any] = field(default_factory=list)
    made: list[Any] = field(default_factory=list)


def _first_layer(
    model: Any, inputs: Mapping[str, Any], changed: Mapping[str, Any], place: int, rows: int
) -> Layer | None:
    """Return the first layer into which one row went that differs, and out of which others came."""
    with _calls(model, rows) as before:
        model(**inputs)
    with _calls(model, rows) as after:
        model(**changed)
    if [c.name for c in before] != [c.name for c in after]:
        return None
    for one, other in zip(before, after, strict=True):
        given, made = differing(one.given, other.given), differing(one.made, other.made)
        if given is not None and made is not None and given <= {place} and made - {place}:
            setting = getattr(one.module, "batch_first", None)
            return Layer(
                one.name,
                type(one.module).__name__,
                setting if isinstance(setting, bool) else None,
            )
    return None


@contextmanager
def _calls(model: Any, rows: int) -> Iterator[list[_Call]]:
    """Keep what goes into each layer, and what comes out; the innermost stand first."""
    found: list[_Call] = []
    handles = []
    for name, module in model.named_modules():
        if not name:
            continue

        def keep(one: Any, words: Any, named: Any, out: Any, name: str = name) -> None:
            given = [*_held(words, rows), *_held(named, rows)]
            found.append(_Call(name, one, given, list(_held(out, rows))))

        handles.append(module.register_forward_hook(keep, with_kwargs=True))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _held(value: Any, rows: int) -> Iterator[Any]:
    if hasattr(value, "detach"):
        if value.ndim and len(value) == rows:
            yield value.detach().float().cpu().numpy()
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _held(held, rows)
    elif isinstance(value, (list, tuple)):
        for held in value:
            yield from _held(held, rows)


# The batch itself -------------------------------------------------------------------------------


@probe(MixedBatch, Cost.MODEL, "train_data", user_code=True)
def mixed_batch(pipeline: Pipeline, split: Split) -> MixedBatch:
    """Make a few rows into a batch twice, the second time with one of them replaced."""
    first = pipeline.fact(Batches, split).made[0]
    few = first.rows[: MOST + 1]
    if len(few) < 3:
        raise Unavailable("the batch has fewer than 3 rows")
    base = of_rows(pipeline, split, few)
    with seeded(SEED):  # what is drawn at random would change with the row, in the others too
        again = of_rows(pipeline, split, few)
    rows = len(few)
    looked = [n for n, v in base.arrays.items() if getattr(v, "ndim", 0) and len(v) == rows]
    steady = [n for n in looked if _changes(base, again, n) == ()]
    if not steady:
        raise Unavailable("the same rows make another batch each time")
    for place in reversed(range(rows)):
        other = of_rows(pipeline, split, _with(few, place))
        told = {n: _changes(base, other, n) for n in steady}
        if any(found is None for found in told.values()):
            continue  # it was the longest one, and all others are padded otherwise
        mixed = {n: tuple(p for p in found or () if p != place) for n, found in told.items()}
        return MixedBatch(
            rows, place, len(steady), {n: found for n, found in mixed.items() if found}
        )
    raise Unavailable("each row that is replaced changes the length of the batch")


def _with(rows: Sequence[int], place: int) -> tuple[int, ...]:
    """Return the rows with another one of them at a place, a neighbour of it."""
    told = list(rows)
    told[place] = rows[place - 1]
    return tuple(told)


def _changes(one: Collated, other: Collated, name: str) -> tuple[int, ...] | None:
    """Return the places of the rows of an array that differ; None where its shape does."""
    ours: Any = one.arrays[name]
    theirs: Any = other.arrays.get(name)
    if ours.shape != getattr(theirs, "shape", None):
        return None
    apart = [ours[place] != theirs[place] for place in range(len(ours))]
    return tuple(n for n, found in enumerate(apart) if bool(found.any()))
