"""The loss of rows that are chosen: a batch of them is run, without dropout or gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.frameworks.data.batches import of_rows
from pipedoctor.frameworks.restoring.restore import evaluating, random_states
from pipedoctor.frameworks.training.answering import answered
from pipedoctor.frameworks.training.memory import demand_weights
from pipedoctor.frameworks.training.own_loss import training_loss
from pipedoctor.pipeline import Pipeline

OnDevice = Callable[[Mapping[str, Any], Any], dict[str, Any]]
"""Puts a batch where the model is."""


def loss_of(pipeline: Pipeline, model: Any, on_device: OnDevice, rows: tuple[int, ...]) -> float:
    """
    Return the loss of a batch of these training rows.

    Raises:
        Unavailable: The model computes none.
        Exception: Whatever the collator or the model raises, which are the user's own.

    """
    import torch

    demand_weights(model)
    trainer = pipeline.parts.get("trainer")
    inputs = on_device(of_rows(pipeline, Split.TRAIN, rows).arrays, model)
    with random_states(), evaluating(model), torch.no_grad():
        if trainer is not None:
            compute = training_loss(trainer)
            loss = answered(pipeline, model, lambda: compute(model, inputs))
        else:
            from pipedoctor.frameworks.torch import outputs_of

            loss = outputs_of(answered(pipeline, model, lambda: model(**inputs))).get("loss")
    if loss is None:
        raise Unavailable("the model returned no loss")
    return float(loss.float().mean())
