"""The model's answers to the rows that are looked at, and whether they depend on the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Fact, Split
from pipedoctor.facts.head import Head
from pipedoctor.facts.labels import IGNORED
from pipedoctor.facts.predictions import Predictions
from pipedoctor.frameworks.data.batches import Collated
from pipedoctor.frameworks.restoring.restore import evaluating, random_states
from pipedoctor.frameworks.training.memory import demand_weights
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.preview.arrays import to_numpy
from pipedoctor.probes.preview.labels import PER_ROW, PER_TOKEN, Reading, read
from pipedoctor.probes.preview.rows import groups

MOST_VALUES = 8
"""So many values of one answer are told."""


@dataclass(frozen=True)
class Answer:
    """What the model said to one batch: an array of logits, the loss, the losses of the rows."""

    logits: Any = None
    loss: float | None = None
    row_losses: tuple[float, ...] | None = None


@dataclass(frozen=True, repr=False, eq=False)
class Answers(Fact):
    """The answers to the batches themselves; not for checks."""

    doing = "Running the model on the rows that are shown"
    per_split = True

    given: tuple[Answer, ...]


@probe(Answers, Cost.FORWARD, "model", "{data}", user_code=True)
def answers(pipeline: Pipeline, split: Split) -> Answers:
    """Have the model answer each batch, without dropout, and leave no trace of it."""
    import torch

    from pipedoctor.frameworks.data.feeding import take_pad_token
    from pipedoctor.frameworks.torch import module

    part, made = module(pipeline), groups(pipeline, split)
    demand_weights(part)
    with random_states(), evaluating(part), torch.no_grad():
        if "transformers" in pipeline.parts.packages("model"):
            take_pad_token(pipeline, part)
        return Answers(tuple(_ask(pipeline, part, group) for group in made))


@probe(Predictions, Cost.FORWARD, "model", "{data}")
def predictions(pipeline: Pipeline, split: Split) -> Predictions:
    """Say what the answers mean, and whether they are all the same."""
    made, given = groups(pipeline, split), pipeline.fact(Answers, split).given
    head, reading = pipeline.optional(Head), read(pipeline, split, made[0].arrays)
    untrained = head.new if head is not None and head.known("new") else UNKNOWN
    return meant(made, given, reading, untrained)


def meant(
    made: Sequence[Collated], given: Sequence[Answer], reading: Reading, untrained: Any = UNKNOWN
) -> Predictions:
    """Return what answers to these batches mean, where their labels are to be read so."""
    told = tuple(
        tuple(_row(answer, place, reading) for place in range(_count(group)))
        for group, answer in zip(made, given, strict=True)
    )
    unit = "token" if reading.form == PER_TOKEN else "row"
    logits = [_each(group, answer, reading) for group, answer in zip(made, given, strict=True)]
    return Predictions(
        groups=told,
        losses=tuple(answer.loss for answer in given),
        unit=unit,
        untrained=untrained,
        **_together([found for found in logits if found is not None], reading),
    )


def _ask(pipeline: Pipeline, part: Any, group: Collated) -> Answer:
    from pipedoctor.frameworks.double import double
    from pipedoctor.frameworks.torch import on_device, outputs_of
    from pipedoctor.frameworks.training.answering import answered
    from pipedoctor.frameworks.training.losses import row_losses
    from pipedoctor.frameworks.training.own_loss import own_loss

    inputs = on_device(group.arrays, part)
    trainer = pipeline.parts.get("trainer")
    if own_loss(trainer) is not None:
        twin = double(trainer)
        loss, answer = answered(
            pipeline, part, lambda: twin.compute_loss(part, dict(inputs), return_outputs=True)
        )
        outputs = {**outputs_of(answer), "loss": loss}
    else:
        outputs = dict(outputs_of(answered(pipeline, part, lambda: part(**inputs))))
    loss, logits = outputs.get("loss"), outputs.get("logits", outputs.get("output_1"))
    if not hasattr(logits, "detach"):
        logits = None
    number = None if loss is None else float(loss.detach().float().mean())
    labels = group.arrays.get("labels")
    losses = None
    if number is not None and logits is not None and hasattr(labels, "detach"):
        losses = row_losses(logits, labels, number)
    return Answer(to_numpy(logits) if logits is not None else None, number, losses)


def _count(group: Collated) -> int:
    sizes = [len(v) for v in group.arrays.values() if getattr(v, "ndim", 0)]
    return Counter(sizes).most_common(1)[0][0] if sizes else 0


def _row(answer: Answer, place: int, reading: Reading) -> Mapping[str, object]:
    told: dict[str, object] = {"kind": "none"}
    logits = answer.logits
    if logits is not None and logits.ndim and place < len(logits):
        told = _meaning(logits[place], reading)
    if answer.row_losses is not None and place < len(answer.row_losses):
        told["loss"] = answer.row_losses[place]
    return told


def _meaning(logits: Any, reading: Reading) -> dict[str, object]:
    """Return what the logits of one row say."""
    import numpy as np

    if not np.isfinite(logits).all():
        return {"kind": "none", "not_finite": int((~np.isfinite(logits)).sum())}
    if logits.ndim == 2 and reading.form == PER_TOKEN:
        return {"kind": "tokens", "classes": [int(n) for n in logits.argmax(1)]}
    if reading.form != PER_ROW or logits.ndim > 1:
        return {"kind": "none"}
    if logits.ndim == 0 or logits.size == 1:
        return {"kind": "value", "values": [float(logits.reshape(-1)[0])]}
    if reading.multi:
        shares = 1 / (1 + np.exp(-logits.astype("float64")))
        active = [int(n) for n in (shares > 0.5).nonzero()[0]]
        return {"kind": "labels", "active": active} | _named(active, reading)
    if reading.name is not None and reading.regression:
        return {"kind": "value", "values": [float(n) for n in logits[:MOST_VALUES]]}
    best = int(logits.argmax())
    powers = np.exp(logits.astype("float64") - logits.max())
    share = float(powers[best] / powers.sum())
    name = {"name": reading.names[best]} if best in reading.names else {}
    return {"kind": "class", "class": best, "probability": share} | name


def _named(active: Sequence[int], reading: Reading) -> dict[str, object]:
    return {"names": [reading.names.get(n, str(n)) for n in active]} if reading.names else {}


def _each(group: Collated, answer: Answer, reading: Reading) -> Any:
    """Return the logits of each row, or of each token that has a label, as one table."""
    import numpy as np

    logits = answer.logits
    if logits is None or not logits.ndim or not np.isfinite(logits).all():
        return None
    if reading.form == PER_TOKEN and logits.ndim == 3:
        labels = to_numpy(group.arrays[reading.name]) if reading.name is not None else None
        if labels is not None and labels.shape == logits.shape[:2]:
            return logits[labels != IGNORED]
        return logits.reshape(-1, logits.shape[-1])
    if reading.form == PER_ROW and logits.ndim <= 2:
        return logits.reshape(len(logits), -1)
    return None


def _together(logits: Sequence[Any], reading: Reading) -> dict[str, Any]:
    """Return how the answers differ between rows."""
    import numpy as np

    table = np.concatenate(logits).astype("float64") if logits else np.zeros((0, 0))
    if not table.size:
        return {}
    told: dict[str, Any] = {
        "answers": len(table),
        "spread": float((table.max(0) - table.min(0)).max()),
        "scale": float(np.abs(table).max()),
    }
    if table.shape[1] > 1 and not reading.multi and not reading.regression:
        counts = Counter(int(n) for n in table.argmax(1))
        told["classes"] = {str(n): counts[n] for n in sorted(counts)}
        powers = np.exp(table - table.max(1, keepdims=True))
        told["certainty"] = float((powers.max(1) / powers.sum(1)).mean())
    return told
