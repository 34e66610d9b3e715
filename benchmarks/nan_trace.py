"""
What it costs to look for NaN: a bare step, the fast pass, the replay that looks at each operation.

    python benchmarks/nan_trace.py [--save]

Beside them stand torch's own anomaly mode and the DebugUnderflowOverflow of transformers, which
has a copy of the model to itself, since its hooks stay. CPU time of one thread, rounds interleaved.
"""

from __future__ import annotations

import contextlib
import copy
import io
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from measuring import report, side_by_side, timed
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel
from transformers.debug_utils import DebugUnderflowOverflow

from pipedoctor.frameworks.tracing.hunt import Given, Hunt
from pipedoctor.frameworks.tracing.replay import State, Step, clear, replay

ROUNDS = 7

SMALL = BertConfig(
    hidden_size=512, num_hidden_layers=4, num_attention_heads=8, intermediate_size=2048
)
SHAPES = (
    ("BERT-small", SMALL, 16, 128),
    ("BERT-base", BertConfig(), 2, 64),
    ("GPT-2", GPT2Config(), 2, 64),
)
"""The models have random weights; the bare step has no optimizer."""


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

    watched = copy.deepcopy(model)
    with contextlib.redirect_stdout(io.StringIO()):
        DebugUnderflowOverflow(watched)

    def debugger() -> None:
        state.put_back()
        clear(watched)
        watched(**inputs).loss.backward()

    each = {
        "bare step": bare,
        "fast pass": fast,
        "replay": located,
        "anomaly mode": anomaly,
        "DebugUnderflowOverflow": debugger,
    }
    for function in each.values():
        function()
    return {name: lambda function=function: timed(function) for name, function in each.items()}


def main(arguments: list[str]) -> None:
    """Measure each model."""
    import warnings

    warnings.filterwarnings("ignore", message="Anomaly Detection has been enabled")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for name, config, rows, length in SHAPES:
        causal = isinstance(config, GPT2Config)
        made = GPT2LMHeadModel(config) if causal else BertForSequenceClassification(config)
        ids = torch.randint(5, config.vocab_size, (rows, length))
        inputs = {"input_ids": ids, "labels": ids if causal else ids[:, 0] % 2}
        if not causal:
            inputs["attention_mask"] = torch.ones_like(ids)
        taken = side_by_side(measures(made.train(), inputs), ROUNDS)
        report(
            f"nan trace {name}: {rows} x {length}", taken, "bare step", save="--save" in arguments
        )


if __name__ == "__main__":
    main(sys.argv[1:])
