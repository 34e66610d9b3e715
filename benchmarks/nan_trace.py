"""
What it costs to look for NaN: a bare step, the fast pass, the replay that looks at each operation.

    python benchmarks/nan_trace.py [--save]

Beside them stands torch's own anomaly mode. CPU time of one thread, rounds interleaved.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from measuring import report, side_by_side, timed
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel

from pipedoctor.frameworks.tracing.hunt import Given, Hunt
from pipedoctor.frameworks.tracing.replay import State, Step, clear, replay

ROUNDS = 7


def measures(model: Any, inputs: dict[str, Any]) -> dict[str, Callable[[], float]]:
    """Return what is measured of one step of a model."""
    step = Step(model, lambda m, batch: m(**batch).loss, nullcontext)
    state = State.of(model)

    def bare() -> None:
        state.put_back()
        clear(model)
        step.loss(inputs).backward()

    def fast() -> None:
        assert not Hunt(step).batches([Given(inputs)]).failed

    def located() -> None:
        assert replay(step, inputs, state) is None

    def anomaly() -> None:
        with torch.autograd.set_detect_anomaly(True):
            bare()

    each = {"bare step": bare, "fast pass": fast, "replay": located, "anomaly mode": anomaly}
    for function in each.values():
        function()
    return {name: lambda function=function: timed(function) for name, function in each.items()}


def main(arguments: list[str]) -> None:
    """Measure both models."""
    import warnings

    warnings.filterwarnings("ignore", message="Anomaly Detection has been enabled")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    bert = BertForSequenceClassification(
        BertConfig(
            hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024
        )
    ).train()
    ids = torch.randint(5, 30000, (16, 128))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids[:, 0] % 2}
    taken = side_by_side(measures(bert, inputs), ROUNDS)
    report(
        "nan trace bert: 4 layers of 256, 16 x 128", taken, "bare step", save="--save" in arguments
    )
    gpt = GPT2LMHeadModel(GPT2Config(n_layer=6, n_embd=384, n_head=6)).train()
    ids = torch.randint(50000, (2, 128))
    taken = side_by_side(measures(gpt, {"input_ids": ids, "labels": ids}), ROUNDS)
    report(
        "nan trace gpt2: 6 layers of 384, 2 x 128", taken, "bare step", save="--save" in arguments
    )


if __name__ == "__main__":
    main(sys.argv[1:])
