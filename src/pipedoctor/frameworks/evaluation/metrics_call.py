"""Calling a metrics function as the end of an evaluation does, and finding out what it minds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from pipedoctor.facts.labels import IGNORED
from pipedoctor.frameworks.evaluation.prediction_steps import Step

Compute = Callable[..., Any]

LARGEST = 64 << 20
"""Arrays are repeated up to the number of all rows as long as they take no more bytes."""


@dataclass(frozen=True)
class Call:
    """The steps of an evaluation, and the settings that say what the function gets of them."""

    steps: tuple[Step, ...]
    rows: int | None = None
    """How many rows the whole evaluation data has."""
    include: tuple[str, ...] = ()
    main_input: str = "input_ids"
    in_batches: bool = False
    """Whether the function is called for each batch (`batch_eval_metrics`)."""
    joined: bool = True
    """Whether the batches are put together (`eval_do_concat_batches`)."""
    fill: int = 0
    """A token that stands for nothing."""


def call(compute: Compute, asked: Call) -> Mapping[str, Any]:
    """Call the function with what these steps gave; what it raises is passed on."""
    result = _in_batches(compute, asked) if asked.in_batches else compute(prediction(asked))
    if not isinstance(result, Mapping):
        raise TypeError(
            f"compute_metrics returned {type(result).__name__}; Trainer needs a dict of numbers"
        )
    return result


def prediction(asked: Call) -> Any:
    """Return what Trainer hands to the function: all batches together, as arrays of numpy."""
    from transformers import EvalPrediction

    steps = asked.steps
    more: dict[str, Any] = {}
    if "inputs" in asked.include:
        more["inputs"] = _together([s.inputs[asked.main_input] for s in steps], asked.joined)
    if "loss" in asked.include:
        more["losses"] = _together([s.loss.repeat(len(s.rows)) for s in steps], asked.joined)
    return EvalPrediction(
        predictions=_together([step.logits for step in steps], asked.joined),
        label_ids=_together([step.labels for step in steps], asked.joined),
        **more,
    )


def _in_batches(compute: Compute, asked: Call) -> Any:
    from transformers import EvalPrediction

    result: Any = None
    for number, step in enumerate(asked.steps, 1):
        more = {
            "losses": step.loss.repeat(len(step.rows)) if "loss" in asked.include else None,
            "inputs": step.inputs if "inputs" in asked.include else None,
        }
        told = EvalPrediction(predictions=step.logits, label_ids=step.labels, **more)
        result = compute(told, compute_result=number == len(asked.steps))
    return result


def _together(parts: Sequence[Any], joined: bool) -> Any:
    from transformers.trainer_pt_utils import nested_concat, nested_numpify

    if not joined:
        return [nested_numpify(part) for part in parts]
    whole = parts[0]
    for part in parts[1:]:
        whole = nested_concat(whole, part, padding_index=IGNORED)
    return nested_numpify(whole)


def cures(compute: Compute, asked: Call) -> tuple[str, Mapping[str, Any]] | None:
    """
    Return the fewest changes of its arguments with which a function that raised returns.

    "more rows" says that nothing is wrong with it: it wants as many rows as the data has. The
    others are those of `Rehearsal.cure`, and several of them are needed if none helps alone.
    """
    for names in _attempts(asked):
        changed, function = asked, compute
        try:
            for name in names:
                changed, function = CHANGES[name](changed, function)
            return " ".join(names), call(function, changed)
        except Exception:  # noqa: BLE001, S112 - it raises with this change too: it is no cure
            continue
    return None


def ignored(asked: Call) -> dict[str, int]:
    """Count -100 in what the function gets; nothing where that can't be put together."""
    try:
        told = prediction(asked)
    except Exception:  # noqa: BLE001 - what raises here raised before, and was told
        return {}
    held = {"labels": told.label_ids, "predictions": told.predictions}
    return {
        name: sum(int((part == IGNORED).sum()) for part in _parts(v)) for name, v in held.items()
    }


def _attempts(asked: Call) -> Iterator[tuple[str, ...]]:
    if asked.joined and not asked.in_batches and asked.rows:
        yield (MORE,)
    nested = _nested(asked)
    inner = _first(asked, lambda: None)[0] if nested else asked
    # A function that takes a tuple apart is cured by what it lacks besides, which is tried before.
    useful = [("classes", _scores(inner)), ("filled", _ignored(asked)), ("first", nested)]
    names = [name for name, use in useful if use]
    for count in range(1, len(names) + 1):
        yield from combinations(names, count)


def _nested(asked: Call) -> bool:
    return all(isinstance(step.logits, (tuple, list)) and step.logits for step in asked.steps)


def _ignored(asked: Call) -> bool:
    """Whether there may be a -100 somewhere: in the labels, or where batches differ in length."""
    shapes = {tuple(getattr(step.logits, "shape", ()))[1:] for step in asked.steps}
    held = (bool((part == IGNORED).any()) for step in asked.steps for part in _parts(step.labels))
    return len(shapes) > 1 or any(held)


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from _parts(part)
    elif hasattr(value, "shape"):
        yield value


def _scores(asked: Call) -> bool:
    """Whether the predictions are a score for each class, of which the labels are numbers."""
    return all(
        getattr(step.logits, "ndim", 0) >= 2
        and step.logits.is_floating_point()
        and step.logits.shape[-1] >= 2
        and hasattr(step.labels, "is_floating_point")
        and not step.labels.is_floating_point()
        and step.labels.shape == step.logits.shape[:-1]
        for step in asked.steps
    )


def _each(asked: Call, change: Callable[[Any], Any]) -> Call:
    steps = tuple(replace(step, logits=change(step.logits)) for step in asked.steps)
    return replace(asked, steps=steps)


def _first(asked: Call, compute: Compute) -> tuple[Call, Compute]:
    return _each(asked, lambda logits: logits[0]), compute


def _classes(asked: Call, compute: Compute) -> tuple[Call, Compute]:
    def chosen(logits: Any) -> Any:
        if isinstance(logits, (tuple, list)):
            return type(logits)([logits[0].argmax(-1), *logits[1:]])
        return logits.argmax(-1)

    return _each(asked, chosen), compute


def _filled(asked: Call, compute: Compute) -> tuple[Call, Compute]:
    """Have the function get a token for each -100, those between the batches too."""

    def fill(array: Any) -> Any:
        if "int" not in str(array.dtype):
            return array
        copy = array.copy() if hasattr(array, "copy") else array.clone()
        copy[copy == IGNORED] = asked.fill
        return copy

    return asked, _changed(compute, fill)


def _repeated(asked: Call, compute: Compute) -> tuple[Call, Compute]:
    """Have the function get as many rows as the whole data has: these, over and over."""
    import numpy as np

    total = asked.rows or 0

    def repeat(array: Any) -> Any:
        if array.nbytes // len(array) * total > LARGEST:
            raise MemoryError(f"{total} rows are too many to hand over for a try")
        return array[np.arange(total) % len(array)]

    return asked, _changed(compute, repeat)


def _changed(compute: Compute, change: Callable[[Any], Any]) -> Compute:
    """Return a function that gets its arrays changed."""
    from transformers import EvalPrediction

    def everywhere(value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            return type(value)(everywhere(part) for part in value)
        return change(value) if hasattr(value, "dtype") else value

    def changed(told: Any, **words: Any) -> Any:
        more = {
            n: everywhere(v)
            for n in ("inputs", "losses")
            if (v := getattr(told, n, None)) is not None
        }
        arrays = everywhere(told.predictions), everywhere(told.label_ids)
        return compute(EvalPrediction(*arrays, **more), **words)

    return changed


MORE = "more rows"

CHANGES: Mapping[str, Callable[[Call, Compute], tuple[Call, Compute]]] = {
    MORE: _repeated,
    "first": _first,
    "classes": _classes,
    "filled": _filled,
}
