"""A callback of Keras that stops a fit before an update would spoil the weights."""

from __future__ import annotations

import os
import sys
from typing import Any

from keras.callbacks import Callback

from pipedoctor.frameworks.fitting.library import of, path_of, stored
from pipedoctor.frameworks.fitting.nan import values
from pipedoctor.recorder.keras import capsule, rows
from pipedoctor.recorder.keras.watching import Step, Watching
from pipedoctor.recorder.recorder import Poisoned


class FitRecorder(Callback):  # type: ignore[misc]  # keras is Any to the type checker
    """
    Looks at all gradients inside each step, and stops the fit before a bad update.

        model.fit(x, y, callbacks=[pipedoctor.FitRecorder()])

    Where a gradient is NaN or infinite the update is not made, what is needed to run the step
    again is written to a capsule in `folder`, and `Poisoned` is raised: weights, optimizer and
    states such as moving means are those of the step before. `pipedoctor replay CAPSULE
    train.py` finds the origin. With `stop=False` that one update is left out and training goes on.

    TerminateOnNaN comes after the update, and hears of the loss only.

    A capsule holds the batch and the weights: it is as confidential as the data. None is written
    that would take more than `largest` bytes (2 GiB).
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] = ".",
        *,
        stop: bool = True,
        largest: int = 2 << 30,
    ) -> None:
        """Keep the wishes; recording begins when the training does."""
        super().__init__()
        self.capsule: str | None = None
        self._folder, self._stop, self._largest = os.fspath(folder), stop, largest
        self._watching: Watching | None = None
        self._given: dict[str, Any] = {}
        self._refused = False

    def _implements_no_batch_hooks(self) -> bool:
        """Tell Keras 2 that nothing is to be called at a batch."""
        return False

    _implements_train_batch_hooks = _implements_no_batch_hooks
    _implements_test_batch_hooks = _implements_no_batch_hooks
    _implements_predict_batch_hooks = _implements_no_batch_hooks

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin to record."""
        del logs
        self._leave()
        library = of(self.model)
        assert library is not None, "Keras calls it with a model of its own"
        strategy = getattr(self.model, "distribute_strategy", None)
        if getattr(strategy, "num_replicas_in_sync", 1) > 1:
            _tell("the recorder watches a training on one device only; this one is not recorded")
            return
        if library.backend == "torch" and self.model.jit_compile:
            _tell("a step that torch.compile made is not recorded; pass jit_compile=False")
            return
        self._given = rows.given(self.model)
        self._watching = Watching(self.model, library, self._trouble)
        self._watching.start()

    def on_train_end(self, logs: Any = None) -> None:
        """Leave the model as it was."""
        del logs
        self._leave()

    def _leave(self) -> None:
        if self._watching is not None:
            self._watching.stop()
            self._watching = None

    def _trouble(self, step: Step) -> None:
        library = of(self.model)
        assert library is not None, "as above"
        message = self._sentence(step)
        if self.capsule is None and not self._refused:
            try:
                recorded = capsule.Recorded(self.model, library, step, self._given)
                self.capsule = capsule.write(self._folder, recorded, self._largest)
                script = sys.argv[0] if sys.argv and sys.argv[0].endswith(".py") else ""
                target = script or "MODULE:FUNCTION_THAT_BUILDS_IT"
                message += f"; `pipedoctor replay {self.capsule} {target}` finds the origin"
            except Exception as error:  # noqa: BLE001 - whatever it is, the training's own trouble comes first
                self._refused = True
                message += f"; no capsule could be written: {error}"
        if self._stop:
            self._leave()
            raise Poisoned(message, self.capsule)
        _tell(f"{message}; this update is left out")

    def _sentence(self, step: Step) -> str:
        told = f"step {step.number}: "
        held = self.model.trainable_variables
        bad = [path_of(one) for one in held if values.kind(stored(one))]
        if bad:
            return told + (
                f"{bad[0]} and {len(bad) - 1} of {len(held)} other weights hold NaN or Inf "
                "already, before this update"
            )
        if step.loss is None:
            told += "the loss or a gradient is not finite"
        elif abs(step.loss) < float("inf"):
            told += f"the loss is {step.loss:.4g}, but gradients are not finite"
        else:
            told += f"the loss is {step.loss}"
        return told + "; the update was not made, the weights are those of the step before"


def _tell(sentence: str) -> None:
    sys.stderr.write(f"pipedoctor: {sentence}\n")
