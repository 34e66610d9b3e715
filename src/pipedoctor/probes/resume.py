"""Which checkpoint a training is to go on from, and how far that one had come."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.resume import Resume
from pipedoctor.facts.settings import Settings
from pipedoctor.finding import Location
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import files
from pipedoctor.probes.disk import output_dir

KEY = "resume_from_checkpoint"
STATE = "trainer_state.json"
LARGEST = 256 << 20
"""The state holds a line of the log for each `logging_steps`: far less than this, for any run."""

_FOLDER = re.compile(r"checkpoint-(\d+)")


@probe(Resume, Cost.FILES)
def resume(pipeline: Pipeline, _split: Split) -> Resume:
    """Read the state in the checkpoint that `train(resume_from_checkpoint=…)` would take."""
    wish, where = asked(pipeline)
    if wish is None or wish is False:
        raise Unavailable("the training does not resume from a checkpoint")
    run = described(pipeline)
    if run:
        path = max(run, key=number) if wish is True else os.path.basename(os.fspath(wish))
        state = run.get(path, {}).get("state", {})
    else:
        path = newest(output_dir(pipeline)) if wish is True else os.fspath(wish)
        if path is None:
            raise Unavailable(f"{output_dir(pipeline)} holds no checkpoint to resume from")
        state = _given(pipeline) or _state(os.path.join(path, STATE))
    step, steps = _count(state.get("global_step")), _count(state.get("max_steps"))
    if step is None:
        raise Unavailable(f"{STATE} of {path} tells no global_step")
    batch = _count(state.get("train_batch_size"))
    return Resume(
        path,
        step,
        UNKNOWN if steps is None else steps,
        batch_size=batch or UNKNOWN,
        epoch=_epoch(state.get("epoch")),
        learning_rate=_highest_rate(state.get("log_history")),
        where=where,
    )


def newest(folder: str) -> str | None:
    """Return the checkpoint of the most steps in a folder, None if there is none."""
    try:
        names = os.listdir(os.path.expanduser(folder))
    except OSError:
        return None
    found = [(int(match[1]), name) for name in names if (match := _FOLDER.fullmatch(name))]
    found = [(step, name) for step, name in found if os.path.isdir(os.path.join(folder, name))]
    return os.path.join(folder, max(found)[1]) if found else None


def asked(pipeline: Pipeline) -> tuple[Any, Location]:
    """Return what train() is asked to resume from, and where that is stated."""
    if "call" in pipeline.parts:
        call = pipeline.part("call")
        asked = call.get(KEY) if isinstance(call, Mapping) else None
        where = Location(key=KEY)
    else:  # the scripts that read configs hand it on
        settings = pipeline.fact(Settings)
        asked, where = settings.stated.get(KEY), settings.where(KEY)
    if asked is None or isinstance(asked, (bool, str, os.PathLike)):
        return asked, where
    raise Unavailable(f"{KEY} is {asked!r}, which is no path")


def described(pipeline: Pipeline) -> Mapping[str, Any]:
    """Return the checkpoints of the run that the part `files` describes, none if it does not."""
    files = pipeline.parts.get("files")
    run = files.get("run") if isinstance(files, Mapping) else None
    return run if isinstance(run, Mapping) else {}


def number(name: str) -> int:
    """Return the number in the name of a checkpoint's folder."""
    match = _FOLDER.fullmatch(name)
    return int(match[1]) if match else 0


def _given(pipeline: Pipeline) -> Mapping[str, Any] | None:
    """Return the state that the part `files` states, if it does."""
    stated = pipeline.parts.get("files")
    state = stated.get("checkpoint") if isinstance(stated, Mapping) else None
    return state if isinstance(state, Mapping) else None


def _state(path: str) -> Mapping[str, Any]:
    with files.opened(path, LARGEST) as file:
        try:
            state = json.load(file)
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"{path} can't be read: {error}") from None
    if not isinstance(state, Mapping):
        raise Unavailable(f"{path} holds no state of a training")
    return state


def _highest_rate(log: object) -> Any:
    """Return the highest learning rate in the lines of a log."""
    rates = [
        line["learning_rate"]
        for line in (log if isinstance(log, list) else ())
        if isinstance(line, Mapping) and isinstance(line.get("learning_rate"), float)
    ]
    return max(rates, default=UNKNOWN)


def _epoch(value: object) -> Any:
    """Return the epoch, which is a number with a fraction."""
    real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if real else UNKNOWN  # type: ignore[arg-type]  # it is a number


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
