"""
What the flight recorder takes of a training step, by its own timer.

    python benchmarks/recorder.py [--steps 4] [--save]

The time between two runs of a Trainer differs by more than the recorder takes, so its calls are
timed inside one run (CPU time, one thread), and divided by the rest of that run's steps. Models
have random weights: BERT-small (4 layers of 512, batch 16 of 128 tokens) and BERT-base (12 layers
of 768, batch 2 of 64 and batch 8 of 128). In a loop of one's own nobody has found the norm of the
gradients, as a Trainer has; there they are looked at.
"""

from __future__ import annotations

import argparse
import functools
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
import transformers
from measuring import report

from pipedoctor import FlightRecorder, recording
from pipedoctor.recorder import recorder, tape

SHAPES = {
    "BERT-small 16x128": (
        {"hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 8},
        16,
        128,
    ),
    "BERT-base 2x64": ({}, 2, 64),
    "BERT-base 8x128": ({}, 8, 128),
}


class Timer:
    """Adds up the CPU time of the functions that it wraps."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.seconds = 0.0

    def wrap(self, owner: Any, name: str) -> None:
        """Time each call of a method."""
        original: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(original)
        def timed(*words: Any, **keywords: Any) -> Any:
            start = time.process_time()
            try:
                return original(*words, **keywords)
            finally:
                self.seconds += time.process_time() - start

        setattr(owner, name, timed)


class Steps(transformers.TrainerCallback):  # type: ignore[misc]  # transformers is Any here
    """Takes the CPU time from the second step on: the first one makes the optimizer's states."""

    def __init__(self, timer: Timer) -> None:
        """Keep the timer whose time is to be compared."""
        self.timer = timer
        self.start = self.before = 0.0

    def on_step_end(self, _args: Any, state: Any, _control: Any, **_known: Any) -> None:
        """Start after the first step."""
        if state.global_step == 1:
            self.start, self.before = time.process_time(), self.timer.seconds

    def on_train_end(self, *_words: Any, **_known: Any) -> None:
        """Stop."""
        self.whole = time.process_time() - self.start
        self.own = self.timer.seconds - self.before


TAPE = (
    (recorder.Recorder, "after_update"),
    (tape.Tape, "_before"),
    (tape.Tape, "_after"),
)


def in_loop(shape: dict[str, int], batch: int, length: int, steps: int) -> Steps:
    """Train some steps in a loop of one's own."""
    torch.manual_seed(0)
    widths = {"intermediate_size": 4 * shape["hidden_size"]} if shape else {}
    model = transformers.BertForSequenceClassification(
        transformers.BertConfig(**shape, **widths)
    ).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=True)
    ids = torch.arange(5, 5 + length).repeat(batch, 1)
    labels = torch.ones(batch, dtype=torch.long)
    timer = Timer()
    watch = Steps(timer)
    for owner, name in (*TAPE, (recorder.Recorder, "before_update")):
        timer.wrap(owner, name)
    with recording(model, optimizer):
        for step in range(steps + 1):
            model(
                input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels
            ).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if step == 0:
                watch.start, watch.before = time.process_time(), timer.seconds
    watch.on_train_end()
    return watch


def measure(shape: dict[str, int], batch: int, length: int, steps: int) -> Steps:
    """Train some steps under the recorder."""
    torch.manual_seed(0)
    widths = {"intermediate_size": 4 * shape["hidden_size"]} if shape else {}
    config = transformers.BertConfig(**shape, **widths)
    model = transformers.BertForSequenceClassification(config)
    row = {"input_ids": list(range(5, 5 + length)), "labels": 1}
    timer = Timer()
    for owner, name in (*TAPE, (FlightRecorder, "on_pre_optimizer_step")):
        timer.wrap(owner, name)
    watch = Steps(timer)
    with tempfile.TemporaryDirectory() as folder:
        transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=folder,
                max_steps=steps + 1,
                per_device_train_batch_size=batch,
                report_to="none",
                save_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
            ),
            train_dataset=[row] * batch * (steps + 1),
            callbacks=[FlightRecorder(), watch],
        ).train()
    return watch


def main() -> None:
    """Measure each shape."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--save", action="store_true")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    print(f"load {os.getloadavg()[0]:.1f}")
    for name, (shape, batch, length) in SHAPES.items():
        for where, run in (("Trainer", measure), ("loop", in_loop)):
            watch = run(shape, batch, length, wanted.steps)
            taken = {
                "step": [(watch.whole - watch.own) / wanted.steps],
                "recorder": [watch.own / wanted.steps],
            }
            report(f"recorder {where} {name}", taken, "step", save=wanted.save)


if __name__ == "__main__":
    main()
