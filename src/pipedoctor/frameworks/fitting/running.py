"""A fit that is running: what it was given, and where it was called."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from pipedoctor.capture.recorder import Recorder
from pipedoctor.frameworks.fitting.capture import fitted
from pipedoctor.parts import FIT


def frame(model: Any) -> FrameType | None:
    """Return the frame of the `fit` that runs this model: a callback is told nothing of it."""
    found: FrameType | None = sys._getframe(1)  # noqa: SLF001 - there is no other way to one's callers
    while found is not None:
        held = found.f_locals
        if found.f_code.co_name == "fit" and held.get("self") is model and "epochs" in held:
            return found
        found = found.f_back
    return None


def parts(model: Any, recorder: Recorder) -> dict[str, Any]:
    """
    Return the parts of the fit that runs this model.

    Raises:
        RuntimeError: None does.

    """
    running = frame(model)
    if running is None:
        raise RuntimeError(
            "Preflight is called by a fit of Keras; for other pipelines use examine()"
        )
    given = _stated(running, model)
    found = fitted(model, given)
    recorder.called(model, "fit", given, running.f_back)
    site = recorder.call(model, "fit")
    found["sites"] = {"recorder": recorder} if site is None else {"fit": site}
    return found


def _stated(running: FrameType, model: Any) -> dict[str, Any]:
    """
    Return the arguments of a running `fit`.

    It may have cut the validation rows off already. The wrapper that Keras puts around it to
    shorten tracebacks still has all of them.
    """
    outer = running.f_back
    held = outer.f_locals if outer is not None else {}
    words, keywords = held.get("args"), held.get("kwargs")
    if isinstance(words, tuple) and words and words[0] is model and isinstance(keywords, dict):
        return {**dict(zip(FIT, words[1:], strict=False)), **keywords}
    return {name: running.f_locals[name] for name in FIT if name in running.f_locals}
