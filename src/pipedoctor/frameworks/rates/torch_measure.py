"""The fact `RangeTest` of a pipeline of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.range_test import RangeTest
from pipedoctor.facts.rows import Rows
from pipedoctor.facts.settings import Settings
from pipedoctor.facts.usual_rates import UsualRates
from pipedoctor.frameworks.data.batches import Batches, Collated, of_groups, of_stream
from pipedoctor.frameworks.learning import setting
from pipedoctor.frameworks.learning.torch_learner import peak
from pipedoctor.frameworks.rates import batches, trying
from pipedoctor.frameworks.rates.batches import Sizes
from pipedoctor.frameworks.rates.planned import own, wished
from pipedoctor.frameworks.rates.sweep import Sweep
from pipedoctor.frameworks.rates.torch_sweeper import TorchSweeper
from pipedoctor.frameworks.rates.trying import Wish
from pipedoctor.frameworks.restoring.digests import digest
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.feeding import DEFAULT_BATCH

OnDevice = Callable[[Mapping[str, Any], Any], dict[str, Any]]

REFUSED = {
    "prodigy": "finds its rate itself; the rate that is stated multiplies it",
    "dadapt": "finds its rate itself; the rate that is stated multiplies it",
}
"""Parts of the names of optimizers whose rate is not one, and why."""


def measure(
    pipeline: Pipeline,
    model: Any,
    on_device: OnDevice,
    given: Sequence[Collated] = (),
) -> RangeTest:
    """Try rates on batches of the data, or on those given, and put everything back."""
    setting.alone(model)
    notes: list[str] = []
    optimizer = setting.optimizer(pipeline, model, notes)
    name = type(optimizer).__name__
    rate = _rate(optimizer, name)
    steps, clock = wished(pipeline)
    wish = Wish(name, own(pipeline, rate), steps, _usual(pipeline))
    before = digest(model, optimizer)
    if given:
        collated, sizes = given, Sizes.of(len(given[0].rows), len(given[0].rows))
    else:
        collated, sizes = _batches(pipeline, wish.rising, notes)
    updates = [
        [on_device(collated[place].arrays, model) for place in gathered]
        for gathered in batches.updates(range(len(collated)), sizes.gathered)
    ]
    rows = sum(len(collated[place].rows) for place in range(min(len(collated), sizes.gathered)))
    notes += [sizes.note] if sizes.note and rows >= sizes.rows else []
    with setting.learning(pipeline, model, optimizer, updates[0][0], notes) as learner:
        found = trying.run(Sweep(TorchSweeper(learner, updates), clock), wish)
    after = digest(model, optimizer)
    return replace(
        found, batch_rows=rows, restored=before == after, digest=after, notes=tuple(notes)
    )


def _rate(optimizer: Any, name: str) -> float:
    why = next((why for part, why in REFUSED.items() if part in name.lower()), None)
    if why is not None:
        raise Unavailable(f"{name} {why}")
    groups = optimizer.param_groups
    if any(group.get("lr") is None for group in groups):
        raise Unavailable(f"{name} makes its rate itself: none is stated")
    return max((float(peak(group)) for group in groups), default=0.0)


def _usual(pipeline: Pipeline) -> tuple[float, float] | None:
    usual = pipeline.optional(UsualRates)
    return None if usual is None else (usual.low, usual.high)


def _batches(pipeline: Pipeline, most: int, notes: list[str]) -> tuple[Sequence[Collated], Sizes]:
    """Return batches for so many updates, fewer where there are not so many, or no room."""
    settings = pipeline.optional(Settings)
    stated = _number(settings, "per_device_train_batch_size") or DEFAULT_BATCH
    gathered = _number(settings, "gradient_accumulation_steps") or 1
    sizes = Sizes.of(stated, stated * gathered)
    try:
        return _many(pipeline, sizes, most * sizes.gathered), sizes
    except (
        Unavailable,
        TypeError,
        IndexError,
        KeyError,
    ):  # as when a batch is chosen to be learned
        first = pipeline.fact(Batches, Split.TRAIN).made[0]
        notes.append("the only batch is the first one of the data: others can't be had by number")
        return (first,), sizes


def _many(pipeline: Pipeline, sizes: Sizes, wanted: int) -> Sequence[Collated]:
    rows = pipeline.optional(Rows, Split.TRAIN)
    total = rows.used if rows is not None and rows.known("used") else None
    if total is None:
        return of_stream(pipeline, Split.TRAIN, wanted, sizes.batch)
    if not total:
        raise Unavailable("the training data has no rows")
    chosen = batches.groups(total, sizes.batch, wanted)
    first = of_groups(pipeline, Split.TRAIN, chosen[:1])
    room = max(1, batches.MOST_BYTES // max(1, _bytes(first[0])))
    return (*first, *of_groups(pipeline, Split.TRAIN, chosen[1:room]))


def _bytes(one: Collated) -> int:
    return sum(
        value.numel() * value.element_size()
        for value in one.arrays.values()
        if hasattr(value, "element_size")
    )


def _number(settings: Settings | None, name: str) -> int | None:
    value = None if settings is None else settings.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
