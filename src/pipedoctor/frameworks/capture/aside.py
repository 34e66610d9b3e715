"""A training that is run only so that the script's next one is reached: nothing of it is kept."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

FOLDER = "trainings"
"""Where, below the temporary folder, the checkpoints of such trainings are."""

REPORTERS = "transformers.integrations"
"""The callbacks from there tell services about a run; of this one there is nothing to tell."""


def train(
    trainer: Any, original: Callable[..., Any], call: Mapping[str, Any], scratch: str
) -> Any:
    """
    Train with checkpoints in the scratch folder, and with no service told.

    A checkpoint of an earlier such training is found where that training put it.
    """
    watch_writers()
    arguments = trainer.args
    theirs = arguments.output_dir
    callbacks = trainer.callback_handler.callbacks
    trainer.callback_handler.callbacks = [c for c in callbacks if not _reports(c)]
    arguments.output_dir = _moved(theirs, scratch)
    try:
        with _quiet(arguments):
            return original(trainer, **call)
    finally:
        arguments.output_dir = theirs
        trainer.callback_handler.callbacks = callbacks


def resumed(call: Mapping[str, Any], folder: str, scratch: str) -> dict[str, Any]:
    """Return the checkpoint to resume from, if an earlier training aside has written it."""
    asked = call.get("resume_from_checkpoint")
    ours = _moved(folder, scratch) if scratch else folder
    if not asked or ours == folder or not os.path.isdir(ours):
        return {}
    if asked is True:
        from transformers.trainer_utils import get_last_checkpoint

        found = get_last_checkpoint(ours)
    else:
        found = os.path.join(ours, os.path.relpath(asked, folder))
    return {"resume_from_checkpoint": found} if found and os.path.isdir(found) else {}


def _moved(folder: str, scratch: str) -> str:
    """Return where to put what belongs into a folder; one that is scratch already stays."""
    full = os.path.realpath(folder)
    if full.startswith(os.path.realpath(scratch) + os.sep):
        return folder
    return os.path.join(scratch, FOLDER, full.lstrip(os.sep))


def _reports(callback: Any) -> bool:
    return type(callback).__module__.startswith(REPORTERS)


@contextmanager
def _quiet(arguments: Any) -> Iterator[None]:
    """Train without a progress bar: there is one of our own."""
    before = arguments.disable_tqdm
    arguments.disable_tqdm = True
    try:
        yield
    finally:
        arguments.disable_tqdm = before


def watch_writers() -> None:
    """Have the writers that go past Python's own `open` ask before they write."""
    for name, function, position in (
        ("torch", "save", 1),
        ("safetensors.torch", "save_file", 1),
        ("safetensors.numpy", "save_file", 1),
    ):
        module = sys.modules.get(name)
        writer = getattr(module, function, None)
        if writer is not None and not hasattr(writer, "pipedoctor_asks"):
            setattr(module, function, _asking(writer, position))


def _asking(writer: Callable[..., Any], position: int) -> Callable[..., Any]:
    @functools.wraps(writer)
    def write(*words: Any, **keywords: Any) -> Any:
        path = words[position] if len(words) > position else None
        for name in ("f", "filename"):
            path = keywords.get(name, path)
        sys.audit("pipedoctor.write", path)
        return writer(*words, **keywords)

    write.pipedoctor_asks = True  # type: ignore[attr-defined]  # so that it is wrapped once
    return write
