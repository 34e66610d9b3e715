"""
What pipelines of Keras take from pipedoctor.

    from pipedoctor.keras import Preflight
    model.fit(x, y, callbacks=[Preflight()])
"""

from __future__ import annotations

from typing import Any

from keras.callbacks import Callback

from pipedoctor.capture.recorder import Recorder
from pipedoctor.finding import Severity
from pipedoctor.frameworks.fitting import running
from pipedoctor.frameworks.readiness import NotReady, demand
from pipedoctor.live import DEEPEST, examine_parts
from pipedoctor.options import Options
from pipedoctor.recorder.keras.flight import FitRecorder
from pipedoctor.report import Report

__all__ = ["FitRecorder", "NotReady", "Preflight"]


class Preflight(Callback):  # type: ignore[misc]  # keras is Any to the type checker
    """
    Examines a fit when its training starts, and stops it if it is not ready.

        model.fit(x, y, callbacks=[Preflight()])

    With `force` it tells what it found, and lets the training go on. `fail_on` is the mildest
    finding that stops it. What it finds goes to standard error. A generator is left to fit: what
    it yields can't be given back here. What Keras itself refuses before training starts never
    comes to the callback; `pipedoctor check` on the script tells that too.
    """

    def __init__(
        self,
        *,
        force: bool = False,
        fail_on: Severity = Severity.WARNING,
        options: Options | None = None,
    ) -> None:
        """Keep the wishes; nothing is looked at before training starts."""
        super().__init__()
        self.force = force
        self.fail_on = fail_on
        self.options = options or Options(depth=DEEPEST)
        self.report: Report | None = None
        """What was found, once the training has started."""

    def on_train_begin(self, logs: Any = None) -> None:
        """
        Examine the fit.

        Raises:
            NotReady: Something was found that should stop it, and `force` was not asked for.

        """
        del logs
        parts = running.parts(self.model, Recorder())
        self.report = examine_parts(type(self.model).__name__, parts, self.options)
        demand(self.report, self.fail_on, force=self.force)

    def _implements_train_batch_hooks(self) -> bool:
        """Tell Keras 2 that batches are of no interest."""
        return False

    _implements_test_batch_hooks = _implements_train_batch_hooks
    _implements_predict_batch_hooks = _implements_train_batch_hooks
