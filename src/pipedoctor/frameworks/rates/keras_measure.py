"""The fact `RangeTest` of a fit of Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import takewhile

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.compiled import Compiled
from pipedoctor.facts.fit import ARRAYS, LOADER
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.range_test import RangeTest
from pipedoctor.facts.usual_rates import UsualRates
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.chance import random_states
from pipedoctor.frameworks.fitting.drawing import Drawn, at_rows, drawn, fed
from pipedoctor.frameworks.fitting.fed import Fed
from pipedoctor.frameworks.fitting.library import named, to_numpy
from pipedoctor.frameworks.fitting.untouched import untouched
from pipedoctor.frameworks.learning.keras_learner import KerasLearner, inner
from pipedoctor.frameworks.learning.keras_state import digest, without_dropout
from pipedoctor.frameworks.rates import batches, trying
from pipedoctor.frameworks.rates.batches import Sizes
from pipedoctor.frameworks.rates.keras_sweeper import KerasSweeper
from pipedoctor.frameworks.rates.planned import own, wished
from pipedoctor.frameworks.rates.sweep import Sweep
from pipedoctor.frameworks.rates.trying import Wish
from pipedoctor.frameworks.restoring.interrupts import held
from pipedoctor.pipeline import Pipeline


def measure(pipeline: Pipeline) -> RangeTest:
    """
    Try rates on batches of the data, and put everything back.

    Raises:
        Unavailable: The model is not compiled, or its step does not show what it would apply.
        Exception: What the step raises.

    """
    ready, compiled = pipeline.fact(Ready), pipeline.fact(Compiled)
    model = ready.model
    if inner(getattr(model, "optimizer", None)) is None:
        raise Unavailable("the model is compiled without an optimizer")
    known = pipeline.optional(LearningRate)
    rate = compiled.learning_rate if known is None else known.value
    usual, (steps, clock) = pipeline.optional(UsualRates), wished(pipeline)
    wish = Wish(
        compiled.optimizer,
        own(pipeline, rate),
        steps,
        None if usual is None else (usual.low, usual.high),
    )
    notes: list[str] = []
    if compiled.schedule:
        notes.append(f"the learning rate is the highest of {compiled.schedule}, unscheduled")
    made, note = _batches(pipeline, compiled, wish.rising)
    notes += [note] if note else []
    before = digest(model)
    with ExitStack() as stack:
        stack.enter_context(held())
        stack.enter_context(untouched(model))
        if stack.enter_context(without_dropout(model)):
            notes.append("dropout is off, so that the curve shows learning and no noise")
        learner = KerasLearner(
            model, ready.library, made[0], rate, own_step=compiled.own_train_step
        )
        found = trying.run(Sweep(KerasSweeper(learner, made), clock), wish)
    after = digest(model)
    return replace(
        found,
        batch_rows=made[0].size,
        by_name=compiled.optimizer if compiled.optimizer_by_name else "",
        restored=before == after,
        digest=after,
        notes=tuple(notes),
    )


def _batches(
    pipeline: Pipeline, compiled: Compiled, most: int
) -> tuple[Sequence[Drawn], str | None]:
    """Return batches for so many updates, fewer where there are not so many, or no room."""
    data = fed(pipeline, Split.TRAIN)
    gathered = _gathered(compiled.hyper)
    if data.kind in {ARRAYS, LOADER}:
        try:
            return _by_number(data, gathered, most)
        except (Unavailable, TypeError, IndexError, KeyError):  # no rows by number after all
            pass
    with random_states():
        found: list[Drawn] = []
        for one in drawn(data, most):
            found.append(one)
            if len(found) * _bytes(found[0]) > batches.MOST_BYTES:
                break
    if not found:
        raise Unavailable("the training data has no batch")
    # The last one may have fewer rows, which the step would be traced for anew.
    whole = list(takewhile(lambda one: one.size == found[0].size, found))
    rows = whole[0].size
    note = Sizes(rows * gathered, rows, rows).note
    return whole, note or "the batches are the first ones of the data, which gives batches"


def _by_number(data: Fed, gathered: int, most: int) -> tuple[Sequence[Drawn], str | None]:
    total = data.rows
    if not total:
        raise Unavailable("the training data has no row")
    sizes = Sizes.of(data.batch_size, data.batch_size * gathered)
    # The mean of the gradients of several batches is that of one that holds all their rows.
    size = min(sizes.rows, total)
    with random_states():
        chosen = batches.groups(total, size, most)
        first = at_rows(data, chosen[0])
        room = max(1, batches.MOST_BYTES // max(1, _bytes(first)))
        rest = [at_rows(data, rows) for rows in chosen[1:room]]
    return [first, *rest], sizes.note if size == sizes.rows else None


def _gathered(hyper: Mapping[str, object]) -> int:
    stated = hyper.get("gradient_accumulation_steps")
    return stated if isinstance(stated, int) and stated > 0 else 1


def _bytes(one: Drawn) -> int:
    leaves = [to_numpy(leaf) for _, leaf in named((one.x, one.y), "")]
    return sum(getattr(leaf, "nbytes", 0) for leaf in leaves)
