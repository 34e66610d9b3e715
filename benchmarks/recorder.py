"""
What the flight recorder takes of a training step, by its own timer.

    python benchmarks/recorder.py [--steps 4] [--save]

The time between two runs of a Trainer differs by more than the recorder takes, so its calls are
timed inside one run (CPU time, one thread), and divided by the rest of that run's steps. Models
have random weights: BERT-small (4 layers of 512, batch 16 of 128 tokens) and BERT-base (12 layers
of 768, batch 2 of 64 and batch 8 of 128).
"""

from __future__ import annotations

import argparse
import functools
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
import transformers
from measuring import report

from pipedoctor import FlightRecorder
from pipedoctor.recorder import stop, tape

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


def measure(shape: dict[str, int], batch: int, length: int, steps: int) -> Steps:
    """Train some steps under the recorder."""
    torch.manual_seed(0)
    widths = {"intermediate_size": 4 * shape["hidden_size"]} if shape else {}
    config = transformers.BertConfig(**shape, **widths)
    model = transformers.BertForSequenceClassification(config)
    row = {"input_ids": list(range(5, 5 + length)), "labels": 1}
    timer = Timer()
    for owner, name in (
        (stop.Recorder, "before_update"),
        (stop.Recorder, "after_update"),
        (tape.Tape, "_before"),
        (tape.Tape, "_after"),
    ):
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
    for name, (shape, batch, length) in SHAPES.items():
        watch = measure(shape, batch, length, wanted.steps)
        taken = {
            "step": [(watch.whole - watch.own) / wanted.steps],
            "recorder": [watch.own / wanted.steps],
        }
        report(f"recorder {name}", taken, "step", save=wanted.save)


if __name__ == "__main__":
    main()
