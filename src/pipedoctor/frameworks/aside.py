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
    _watch_writers()
    arguments = trainer.args
    theirs = arguments.output_dir
    ours = _moved(theirs, scratch)
    callbacks = trainer.callback_handler.callbacks
    trainer.callback_handler.callbacks = [c for c in callbacks if not _reports(c)]
    arguments.output_dir = ours
    resume = _checkpoint(call.get("resume_from_checkpoint"), theirs, ours)
    try:
        with _quiet(arguments):
            return original(trainer, **{**call, "resume_from_checkpoint": resume})
    finally:
        arguments.output_dir = theirs
        trainer.callback_handler.callbacks = callbacks


def _moved(folder: str, scratch: str) -> str:
    """Return where to put what belongs into a folder; one that is scratch already stays."""
    full = os.path.realpath(folder)
    if full.startswith(os.path.realpath(scratch) + os.sep):
        return folder
    return os.path.join(scratch, FOLDER, full.lstrip(os.sep))


def _checkpoint(asked: Any, theirs: str, ours: str) -> Any:
    """Return which checkpoint to resume from: one of ours, if there is such a one."""
    if theirs == ours or not asked:
        return asked
    if asked is True:
        from transformers.trainer_utils import get_last_checkpoint

        found = get_last_checkpoint(ours) if os.path.isdir(ours) else None
        return found or (get_last_checkpoint(theirs) if os.path.isdir(theirs) else asked)
    moved = os.path.join(ours, os.path.relpath(asked, theirs))
    return moved if os.path.isdir(moved) else asked


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


def _watch_writers() -> None:
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
