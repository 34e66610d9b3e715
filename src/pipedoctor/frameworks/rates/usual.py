"""What is usual for a model as it stands in memory, by the table of sources."""

from __future__ import annotations

from pipedoctor import usual_rates
from pipedoctor.fact import Unavailable
from pipedoctor.facts.model import Model
from pipedoctor.facts.schedule import Schedule
from pipedoctor.facts.usual_rates import UsualRates
from pipedoctor.pipeline import Pipeline
from pipedoctor.units import millions
from pipedoctor.usual_rates import FULL, LORA, SCRATCH, Subject, Usual

WHOLE = 0.5
"""Where less than this share of the weights is trained, and no LoRA, no source is known."""

ARRAYS_OF_CONVOLUTION = 4
"""The weights of a convolution over pictures have so many dimensions."""


def measure(
    pipeline: Pipeline, optimizer: str, model_type: str, *, pretrained: bool
) -> UsualRates:
    """
    Return what is usual.

    Raises:
        Unavailable: No source is known.

    """
    model = pipeline.fact(Model)
    subject = Subject(
        model_type=model_type,
        parameters=model.size,
        method=_method(model, pretrained=pretrained),
        optimizer=optimizer,
        batch=_batch(pipeline),
        convolutions=_convolutions(model),
    )
    found = usual_rates.lookup(subject)
    if found is None:
        what = f"{model_type or model.name} ({millions(model.size)} parameters)"
        raise Unavailable(
            f"no source of usual rates is known for {subject.method} of {what} with {optimizer}"
        )
    return _told(found, subject)


def _told(found: Usual, subject: Subject) -> UsualRates:
    return UsualRates(
        kind=found.kind,
        method=found.method,
        optimizer=found.optimizer,
        low=found.low,
        high=found.high,
        first=found.first,
        source=found.source,
        parameters=subject.parameters,
        batch=subject.batch,
        scaled=found.scaled,
    )


def _method(model: Model, *, pretrained: bool) -> str:
    trained = [name for name, parameter in model.parameters.items() if parameter.trainable]
    few = model.trainable < WHOLE * model.size
    if few and any("lora_" in name for name in trained):
        return LORA
    if few:
        raise Unavailable("less than half of the weights are trained: no source is known for that")
    return FULL if pretrained else SCRATCH


def _convolutions(model: Model) -> bool:
    parameters = model.parameters.values()
    held = sum(p.size for p in parameters if len(p.shape) == ARRAYS_OF_CONVOLUTION)
    return 2 * held > model.size


def _batch(pipeline: Pipeline) -> int | None:
    schedule = pipeline.optional(Schedule)
    known = schedule is not None and schedule.known("batch_size")
    return schedule.batch_size if schedule is not None and known else None
