"""What a `torch.nn.Module` tells: its parameters, the batches it gets, its answer to the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable, unknown
from pipedoctor.facts.batch import Batch
from pipedoctor.facts.forward import Forward
from pipedoctor.facts.gradients import Gradients
from pipedoctor.facts.kept_predictions import KeptPredictions
from pipedoctor.facts.label_shift import LabelShift
from pipedoctor.facts.live_steps import LiveSteps
from pipedoctor.facts.masks import Masks
from pipedoctor.facts.memory_plan import MemoryPlan
from pipedoctor.facts.model import Model, Parameter
from pipedoctor.facts.optimizer import Optimizer
from pipedoctor.facts.overfit import Overfit
from pipedoctor.facts.range_test import RangeTest
from pipedoctor.facts.save_dry_run import SaveDryRun
from pipedoctor.facts.spoilt_labels import SpoiltLabels
from pipedoctor.facts.step import Step
from pipedoctor.facts.trace import Trace
from pipedoctor.facts.updates import Updates
from pipedoctor.facts.usual_rates import UsualRates
from pipedoctor.facts.weights import Weights
from pipedoctor.frameworks.capture.loops import watched
from pipedoctor.frameworks.data.batches import Batches, Collated, collate, describe
from pipedoctor.frameworks.data.feeding import take_pad_token
from pipedoctor.frameworks.distributing import distribution
from pipedoctor.frameworks.learnability.probes import learnability, short_runs
from pipedoctor.frameworks.learning.measure import Learned
from pipedoctor.frameworks.loading.new import untrained
from pipedoctor.frameworks.predicting import answers, predictions
from pipedoctor.frameworks.restoring.restore import evaluating, random_states
from pipedoctor.frameworks.training.adapters import adapter_targets, applied_adapter, new_tokens
from pipedoctor.frameworks.training.answering import answered, mixed_types
from pipedoctor.frameworks.training.blind_rows import blind_rows
from pipedoctor.frameworks.training.losses import row_losses
from pipedoctor.frameworks.training.memory import demand_weights
from pipedoctor.frameworks.training.mixing import mixed_batch, mixing
from pipedoctor.frameworks.training.optimizers import Built
from pipedoctor.frameworks.training.own_loss import has_own_loss, own_loss
from pipedoctor.frameworks.training.packing import packing
from pipedoctor.frameworks.training.shifting import counted, shifts
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

__all__ = [
    "adapter_targets",
    "answers",
    "applied_adapter",
    "blind_rows",
    "distribution",
    "learnability",
    "mixed_batch",
    "mixed_types",
    "mixing",
    "new_tokens",
    "packing",
    "predictions",
    "short_runs",
    "watched",
]
"""Probes that are defined elsewhere, for whatever goes into a model of torch; and what is watched."""


@probe(Model, Cost.MODEL, "model", user_code=True)
def model(pipeline: Pipeline, _split: Split) -> Model:
    """Look at a model that is no more than a module of torch."""
    if "transformers" in pipeline.parts.packages("model"):
        raise Unavailable("transformers knows more of this model")
    part = module(pipeline)
    names = label_names(part)
    return Model(
        name=type(part).__name__,
        parameters=parameters(part),
        accepts=accepted(part, names),
        new=untrained(part, part),
        label_names=names,
    )


@probe(SaveDryRun, Cost.MODEL, "model", user_code=True)
def save(pipeline: Pipeline, _split: Split) -> SaveDryRun:
    """Save the model into a temporary folder, as a checkpoint would."""
    from pipedoctor.frameworks.training.saving import dry_run

    return dry_run(pipeline, module(pipeline))


@probe(Batches, Cost.MODEL, "{data}", user_code=True)
def batches(pipeline: Pipeline, split: Split) -> Batches:
    """Collate the rows that are looked at."""
    return collate(pipeline, split)


@probe(Batch, Cost.MODEL, "{data}")
def batch(pipeline: Pipeline, split: Split) -> Batch:
    """Say what really enters the model."""
    made = pipeline.fact(Batches, split)
    known = pipeline.optional(Model)
    pad_id = known.pad_id if known is not None and known.known("pad_id") else None
    own = has_own_loss(pipeline.parts.get("trainer"))
    return describe(made, pad_id, own)


@probe(Masks, Cost.MODEL, "{data}")
def masks(pipeline: Pipeline, split: Split) -> Masks:
    """Say which positions the attention masks open."""
    from pipedoctor.frameworks.data.masks import masks as told

    return told(pipeline, split)


@probe(Updates, Cost.BACKWARD, "model", "train_data", user_code=True)
def updates(pipeline: Pipeline, _split: Split) -> Updates:
    """Take one step, to see which weights change by it."""
    from pipedoctor.frameworks.training.updates import measure

    return measure(pipeline, module(pipeline), on_device)


@probe(Forward, Cost.FORWARD, "model", "{data}", user_code=True)
def forward(pipeline: Pipeline, split: Split) -> Forward:
    """Have the model answer the first batch, without dropout, and leave no trace of it."""
    part = module(pipeline)
    first = pipeline.fact(Batches, split).made[0]
    demand_weights(part)
    import torch

    with random_states(), evaluating(part), torch.no_grad():
        if "transformers" in pipeline.parts.packages("model"):
            take_pad_token(pipeline, part)
        inputs = on_device(first.arrays, part)
        own = own_loss(pipeline.parts.get("trainer"), split)
        if own is None:
            return _told(first, answered(pipeline, part, lambda: part(**inputs)))
        loss = answered(pipeline, part, lambda: own(part, inputs))
        return Forward(first.rows, ("loss",), float(loss.detach().float().mean()), own_loss=True)


@probe(LabelShift, Cost.FORWARD, "model", "train_data")
def label_shift(pipeline: Pipeline, _split: Split) -> LabelShift:
    """Compare the labels of the batches with their tokens, and with what the loss takes."""
    made = pipeline.fact(Batches, Split.TRAIN).made
    answer = pipeline.optional(Forward, Split.TRAIN)
    known = answer is not None and answer.known("shifts")
    told = (
        answer.shifts
        if known and answer
        else unknown("how the loss takes the labels is not known")
    )
    return counted((one.arrays for one in made), told)


@probe(Gradients, Cost.BACKWARD, "model", "train_data", user_code=True)
def gradients(pipeline: Pipeline, _split: Split) -> Gradients:
    """Run the first batch forwards and backwards, as a training step would."""
    from pipedoctor.frameworks.training.backward import measure

    return measure(pipeline, module(pipeline), on_device)


@probe(SpoiltLabels, Cost.FORWARD, "model", "train_data", user_code=True)
def spoilt_labels(pipeline: Pipeline, _split: Split) -> SpoiltLabels:
    """Compute the loss of the rows whose label is not finite, if there are any."""
    from pipedoctor.frameworks.training.spoilt_labels import measure

    return measure(pipeline, module(pipeline), on_device)


@probe(Weights, Cost.FORWARD, "model", user_code=True)
def weights(pipeline: Pipeline, _split: Split) -> Weights:
    """Look for weights that are not finite before anything is trained."""
    from pipedoctor.frameworks.training.finite import measure

    return measure(module(pipeline))


@probe(Trace, Cost.BACKWARD, "model", user_code=True)
def trace(pipeline: Pipeline, _split: Split) -> Trace:
    """Find out where a value that is not finite is born, if there is one."""
    from pipedoctor.frameworks.tracing.measure import measure

    return measure(pipeline, module(pipeline), on_device)


@probe(Learned, Cost.TRAINING, "overfit", "model", "train_data", user_code=True)
def learned(pipeline: Pipeline, _split: Split) -> Learned:
    """Train on one batch, and put everything back."""
    from pipedoctor.frameworks.learning.measure import measure

    return measure(pipeline, module(pipeline), on_device)


@probe(Overfit, Cost.TRAINING, "overfit", "model", "train_data")
def overfit(pipeline: Pipeline, _split: Split) -> Overfit:
    """Say whether one batch can be learned."""
    return pipeline.fact(Learned).overfit


@probe(Step, Cost.TRAINING, "overfit", "model", "train_data")
def one_step(pipeline: Pipeline, _split: Split) -> Step:
    """Say what the first update changed."""
    step = pipeline.fact(Learned).step
    if step is None:
        raise Unavailable("no update was made")
    return step


@probe(RangeTest, Cost.TRAINING, "range_test", "model", "train_data", user_code=True)
def range_test(pipeline: Pipeline, _split: Split) -> RangeTest:
    """Try learning rates, and put everything back."""
    from pipedoctor.frameworks.rates.torch_measure import measure

    return measure(pipeline, module(pipeline), on_device)


@probe(UsualRates, Cost.MODEL, "model", user_code=True)
def usual_rates(pipeline: Pipeline, _split: Split) -> UsualRates:
    """Look up which rates are usual for such a model."""
    from pipedoctor.frameworks.rates.usual import measure

    config = getattr(module(pipeline), "config", None)
    found = pipeline.optional(Optimizer)
    return measure(
        pipeline,
        "AdamW" if found is None else found.name,
        str(getattr(config, "model_type", "") or ""),
        pretrained=bool(getattr(config, "_name_or_path", "")),
    )


@probe(MemoryPlan, Cost.MODEL, "model", "memory", user_code=True)
def memory(pipeline: Pipeline, _split: Split) -> MemoryPlan:
    """Go through a training step without values, and tell what it takes."""
    from pipedoctor.frameworks.memory.measure import measure

    return measure(pipeline, module(pipeline))


@probe(LiveSteps, Cost.TRAINING, "model", "memory", user_code=True)
def live_steps(pipeline: Pipeline, _split: Split) -> LiveSteps:
    """Run real steps of a copy of the model on the device that is here."""
    from pipedoctor.frameworks.live.steps import measure

    return measure(pipeline, module(pipeline))


@probe(KeptPredictions, Cost.MODEL, "model", "eval_data", "trainer", "memory", user_code=True)
def kept_predictions(pipeline: Pipeline, _split: Split) -> KeptPredictions:
    """Go through an evaluation step without values, and tell what is kept of it."""
    from pipedoctor.frameworks.memory.evaluation import measure

    return measure(pipeline, module(pipeline))


@probe(Built, Cost.MODEL, "model", "trainer", user_code=True)
def made(pipeline: Pipeline, _split: Split) -> Built:
    """Have a double of the trainer make its optimizer."""
    from pipedoctor.frameworks.training.optimizers import build

    return build(pipeline, module(pipeline))


@probe(Built, Cost.MODEL, "model", "optimizer")
def given(pipeline: Pipeline, _split: Split) -> Built:
    """Take the optimizer that was given."""
    from pipedoctor.frameworks.training.optimizers import build

    return build(pipeline, module(pipeline))


@probe(Optimizer, Cost.MODEL, "model")
def optimizer(pipeline: Pipeline, _split: Split) -> Optimizer:
    """Say what the optimizer updates."""
    from pipedoctor.frameworks.training.optimizers import describe as told

    return told(pipeline.fact(Built), module(pipeline))


def module(pipeline: Pipeline) -> Any:
    """Return the model, if it is one of torch."""
    import torch

    part = pipeline.part("model")
    if not isinstance(part, torch.nn.Module):
        raise Unavailable(f"the model is a {type(part).__name__}, not a module of torch")
    return part


def parameters(part: Any) -> Mapping[str, Parameter]:
    """Return the parameters by name; one that is shared stands under its first name."""
    return {
        name: Parameter(
            tuple(value.shape), str(value.dtype).removeprefix("torch."), value.requires_grad
        )
        for name, value in part.named_parameters()
    }


def label_names(part: Any) -> tuple[str, ...]:
    """Return the arguments of forward that are labels, as Trainer would find them."""
    found = [name for name in _arguments(part) if "label" in name]
    if "QuestionAnswering" in type(part).__name__:
        found += [n for n in _arguments(part) if n in {"start_positions", "end_positions"}]
    return tuple(found)


def accepted(part: Any, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the columns that Trainer would keep for this model."""
    return tuple(dict.fromkeys((*_arguments(part), "label", "label_ids", *labels)))


def _arguments(part: Any) -> list[str]:
    import inspect

    if hasattr(part, "get_base_model"):  # an adapter around a model: Trainer looks inside too
        part = part.get_base_model()
    return list(inspect.signature(part.forward).parameters)


def on_device(arrays: Mapping[str, Any], part: Any) -> dict[str, Any]:
    device = next((parameter.device for parameter in part.parameters()), None)
    return {
        name: value.to(device) if device is not None and hasattr(value, "to") else value
        for name, value in arrays.items()
    }


def _told(first: Collated, answer: Any) -> Forward:
    outputs = outputs_of(answer)
    loss, logits = outputs.get("loss"), outputs.get("logits")
    labels: Any = first.arrays.get("labels")
    known: dict[str, Any] = {
        "shifts": shifts(answer, first.arrays),
        "loss": unknown("the model returned no loss"),
        "row_losses": unknown("the losses of single rows can't be told for this model"),
    }
    if loss is not None:
        known["loss"] = float(loss.detach().float().mean().item())
        if hasattr(logits, "detach") and hasattr(labels, "detach"):
            known["row_losses"] = row_losses(logits, labels, known["loss"]) or known["row_losses"]
    if getattr(labels, "ndim", 0) == 1:
        known["labels"] = tuple(float(value) for value in labels.tolist())
    return Forward(rows=first.rows, outputs=tuple(outputs), **known)


def outputs_of(answer: Any) -> Mapping[str, Any]:
    """Return what a model answered under names; Trainer takes the first of a tuple for the loss."""
    if isinstance(answer, Mapping):
        return {str(name): value for name, value in answer.items() if value is not None}
    if isinstance(answer, tuple) and answer and getattr(answer[0], "ndim", 1) == 0:
        return {"loss": answer[0], **{f"output_{i}": v for i, v in enumerate(answer[1:], 1)}}
    return {"logits": answer} if hasattr(answer, "shape") else {}
