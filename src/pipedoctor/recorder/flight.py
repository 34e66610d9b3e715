"""A callback that watches a Trainer's training and stops it before an update would spoil it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import Any

from transformers import TrainerCallback

from pipedoctor.recorder.recorder import Poisoned, Recorder, Wishes
from pipedoctor.recorder.rows import Indices
from pipedoctor.recorder.surroundings import Beginnings, here, source_of_loss
from pipedoctor.recorder.trends import Trends


class FlightRecorder(TrainerCallback):  # type: ignore[misc]  # transformers is Any to the type checker
    """
    Looks at all gradients once before each update, and stops the training before a bad one.

        trainer.add_callback(pipedoctor.FlightRecorder())

    Where a gradient or a weight is NaN or infinite, the update is not made, what is needed to run
    the step again is written to a capsule in `folder` (by default the run's `output_dir`), and
    `Poisoned` is raised: the weights are still those of the step before. `pipedoctor replay
    CAPSULE` finds the origin. With `stop=False` that one update is left out and training goes on.

    With `wait=False` nothing waits for the device: the optimizer is told on the device to leave
    the update out, and the training stops one step later. Only the fused optimizers of torch can
    do so; others are waited for.

    A capsule holds the batch and the weights: it is as confidential as the data. None is written
    that would take more than `largest` bytes (2 GiB).
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        stop: bool = True,
        wait: bool = True,
        largest: int = 2 << 30,
    ) -> None:
        """Keep the wishes; recording begins when the training does."""
        self._wishes = Wishes("" if folder is None else os.fspath(folder), stop, wait, largest)
        self._recorder: Recorder | None = None
        self._indices: Indices | None = None
        self._beginnings: Beginnings | None = None
        self._trends = Trends(_tell)

    @property
    def capsule(self) -> str | None:
        """The folder of the capsule that was written; None as long as there was no trouble."""
        return None if self._recorder is None else self._recorder.capsule

    def on_train_begin(
        self, args: Any, state: Any, _control: Any, *, model: Any, **known: Any
    ) -> None:
        """Begin to record."""
        self._leave()  # an earlier training may have ended by an error
        if self._recorder is not None:
            self._recorder.close()
        around = here()
        own = None if around is None else source_of_loss(around.trainer)
        self._beginnings = None if own is None else Beginnings(own)
        loader = known.get("train_dataloader")
        self._indices = None if loader is None else Indices(loader)
        self._recorder = Recorder(
            model,
            replace(self._wishes, folder=self._wishes.folder or args.output_dir),
            half="bf16" if args.bf16 else "fp16" if args.fp16 else "",
            rows=None if self._indices is None else self._indices.of,
            step=state.global_step + 1,
        )

    def on_step_begin(self, *_words: Any, **_known: Any) -> None:
        """Note where a step begins, if its loss is computed beside the model."""
        if self._beginnings is not None:
            self._beginnings.step()

    def on_substep_end(self, *_words: Any, **_known: Any) -> None:
        """Note where its next batch begins."""
        if self._beginnings is not None:
            self._beginnings.batch()

    def on_pre_optimizer_step(
        self, _args: Any, _state: Any, _control: Any, *, optimizer: Any, **_known: Any
    ) -> None:
        """
        Look at the gradients.

        Raises:
            Poisoned: The update would spoil the weights, and `stop` was not declined.

        """
        if self._recorder is None:
            return
        around = here()
        if around is not None and self._beginnings is not None:
            self._recorder.keep(self._beginnings.wholes(around))
        try:
            self._recorder.before_update(optimizer, around)
        except Poisoned:
            self._leave()
            raise

    def on_step_end(self, _args: Any, state: Any, _control: Any, **_known: Any) -> None:
        """Go on to the next step."""
        if self._recorder is not None:
            self._recorder.after_update(state.global_step + 1)

    def on_log(self, _args: Any, state: Any, _control: Any, **known: Any) -> None:
        """Watch what is logged."""
        self._trends.logged(state.global_step, known.get("logs") or {})

    def on_evaluate(self, *_words: Any, **_known: Any) -> None:
        """Leave the time of an evaluation out of the pace."""
        self._trends.evaluated()

    def on_save(self, args: Any, state: Any, _control: Any, **_known: Any) -> None:
        """Look whether the disk has room for another one."""
        self._trends.evaluated()
        if state.is_world_process_zero:
            folder = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
            self._trends.saved(args.output_dir, folder)

    def on_train_end(self, *_words: Any, **_known: Any) -> None:
        """End the recording, and leave model and loader as they were."""
        try:
            if self._recorder is not None:
                self._recorder.finish()
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._indices is not None:
            self._indices.stop()


def _tell(sentence: str) -> None:
    sys.stderr.write(f"pipedoctor: {sentence}\n")
