"""A callback that examines a Trainer's pipeline at the moment when its training starts."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from transformers import TrainerCallback

from pipedoctor.finding import Severity
from pipedoctor.frameworks.readiness import demand
from pipedoctor.live import DEEPEST, examine
from pipedoctor.options import Options
from pipedoctor.report import Report


class Preflight(TrainerCallback):  # type: ignore[misc]  # transformers is Any to the type checker
    """
    Examines the pipeline when its training starts, and stops it if it is not ready.

        trainer.add_callback(pipedoctor.Preflight())

    With `force` it tells what it found, and lets the training go on. `fail_on` is the mildest
    finding that stops it. What it finds goes to standard error.
    """

    def __init__(
        self,
        *,
        force: bool = False,
        fail_on: Severity = Severity.WARNING,
        options: Options | None = None,
    ) -> None:
        """Keep the wishes; nothing is looked at before training starts."""
        self.force = force
        self.fail_on = fail_on
        self.options = options or Options(depth=DEEPEST)
        self.report: Report | None = None
        """What was found, once the training has started."""

    def on_train_begin(self, *_words: Any, **_keywords: Any) -> None:
        """
        Examine the pipeline.

        Raises:
            NotReady: Something was found that should stop it, and `force` was not asked for.

        """
        self.report = examine(_trainer(self), options=self.options)
        demand(self.report, self.fail_on, force=self.force)


def _trainer(callback: Preflight) -> Any:
    """
    Return the Trainer that calls the callback.

    Trainer tells its callbacks of the model and the data, but not of itself; it stands a few
    frames above.
    """
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the only way to a caller
    while frame is not None:
        candidate = frame.f_locals.get("self")
        handler = getattr(candidate, "callback_handler", None)
        if callback in getattr(handler, "callbacks", ()):
            return candidate
        frame = frame.f_back
    raise RuntimeError("Preflight is called by a Trainer; for other pipelines use examine()")
