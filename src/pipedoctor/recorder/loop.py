"""Recording a training loop of the user's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.recorder.recorder import Recorder, Wishes

aside = False
"""Whether the script is only run to be examined: then nothing is recorded, and nothing written."""


@contextmanager
def recording(
    model: Any,
    optimizer: Any,
    folder: str | os.PathLike[str] = ".",
    *,
    stop: bool = True,
    wait: bool = True,
) -> Iterator[Recorder]:
    """
    Record the training inside the block, and stop it before an update would spoil the weights.

        with pipedoctor.recording(model, optimizer):
            for batch in loader:
                ...

    Whatever calls `optimizer.step()` is judged first; `stop` and `wait` are those of `FlightRecorder`.

    Raises:
        Poisoned: An update would spoil the weights, and `stop` was not declined.

    """
    recorder = Recorder(model, Wishes(os.fspath(folder), stop, wait), loop=True)
    if aside:
        recorder.close()
        yield recorder
        return
    number = 1

    def before(_optimizer: Any, _words: Any, _keywords: Any) -> None:
        recorder.before_update(optimizer)

    def after(_optimizer: Any, _words: Any, _keywords: Any) -> None:
        nonlocal number
        number += 1
        recorder.after_update(number)

    inner = getattr(optimizer, "optimizer", optimizer)  # accelerate wraps those of torch
    hooks = [inner.register_step_pre_hook(before), inner.register_step_post_hook(after)]
    try:
        yield recorder
    except BaseException:  # an interrupt takes the hooks off too
        recorder.close()
        raise
    else:
        recorder.finish()
    finally:
        for hook in hooks:
            hook.remove()
