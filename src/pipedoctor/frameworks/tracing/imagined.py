"""Plausible inputs for a model that comes without data, from its config or its first layer."""

from __future__ import annotations

import inspect
from typing import Any

from pipedoctor.fact import Unavailable

ROWS, LENGTH, SIDE = 4, 32, 32
"""A small batch, with one row shorter than the others; pictures have so many pixels a side."""


def inputs(model: Any) -> dict[str, Any]:
    """
    Return a batch that the model takes, with labels where it takes some.

    Raises:
        Unavailable: What it takes can't be told.

    """
    config = getattr(model, "config", None)
    if getattr(config, "vocab_size", None):
        return _tokens(model, config)
    return _of_first_layer(model)


def _tokens(model: Any, config: Any) -> dict[str, Any]:
    import torch

    names = inspect.signature(_base(model).forward).parameters
    length = min(LENGTH, getattr(config, "max_position_embeddings", LENGTH) or LENGTH)
    made: dict[str, Any] = {"input_ids": torch.randint(1, config.vocab_size, (ROWS, length))}
    if "attention_mask" in names:
        mask = torch.ones(ROWS, length, dtype=torch.long)
        mask[-1, length // 2 :] = 0
        made["attention_mask"] = mask
    kind = type(_base(model)).__name__
    if getattr(config, "is_encoder_decoder", False):
        made["labels"] = torch.randint(1, config.vocab_size, (ROWS, length))
    elif kind.endswith(("ForCausalLM", "LMHeadModel", "ForMaskedLM")):
        made["labels"] = made["input_ids"].clone()
    elif kind.endswith("ForTokenClassification"):
        made["labels"] = torch.randint(config.num_labels, (ROWS, length))
    elif kind.endswith("ForSequenceClassification"):
        several = config.num_labels > 1
        made["labels"] = torch.randint(config.num_labels, (ROWS,)) if several else torch.rand(ROWS)
    elif kind.endswith("ForQuestionAnswering"):
        made |= {
            name: torch.randint(length, (ROWS,)) for name in ("start_positions", "end_positions")
        }
    return made


def _base(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _of_first_layer(model: Any) -> dict[str, Any]:
    """Return what the first layer takes, under the name of the model's first argument."""
    import torch

    parameters = [
        parameter
        for parameter in inspect.signature(model.forward).parameters.values()
        if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
        and parameter.default is parameter.empty
    ]
    if len(parameters) != 1:
        names = ", ".join(parameter.name for parameter in parameters) or "nothing by name"
        raise Unavailable(
            f"what {type(model).__name__} takes ({names}) can't be made up; give it with --data"
        )
    name = parameters[0].name
    for layer in model.modules():
        if isinstance(layer, torch.nn.Embedding):
            return {name: torch.randint(layer.num_embeddings, (ROWS, LENGTH))}
        if isinstance(layer, torch.nn.Linear):
            return {name: torch.randn(ROWS, layer.in_features)}
        if isinstance(layer, torch.nn.Conv2d):
            return {name: torch.randn(ROWS, layer.in_channels, SIDE, SIDE)}
        if isinstance(layer, torch.nn.Conv1d):
            return {name: torch.randn(ROWS, layer.in_channels, LENGTH)}
        if isinstance(layer, (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN)):
            return {name: torch.randn(ROWS, LENGTH, layer.input_size)}
    raise Unavailable(
        f"no layer of {type(model).__name__} tells what it takes; give it with --data"
    )
