"""What a checkpoint would put back into a training that goes on from it, read without loading it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pipedoctor.checkpoints import resumption
from pipedoctor.checkpoints.contents import Contents
from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable, unknown
from pipedoctor.facts.checkpoint import Checkpoint
from pipedoctor.facts.restored import Restored, StoredGroup
from pipedoctor.facts.run_folder import RunFolder, Saved
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import checkpoint, optimizers, resume, run_folder

KINDS = {
    "adamw_torch": "adamw",
    "adamw_torch_fused": "adamw",
    "sgd": "sgd",
    "adafactor": "adafactor",
    "rmsprop": "rmsprop",
    "adagrad": "adagrad",
}
"""The kinds of optimizers by the values of `optim`; others have states that are not known here."""

_GROUP = re.compile(r"param_groups\.(\d+)\.(\w+)")
_MOMENT = re.compile(r"state\.(\d+)\.(\w+)")


@probe(Restored, Cost.FILES)
def restored(pipeline: Pipeline, _split: Split) -> Restored:
    """Read the states in the checkpoint that `train(resume_from_checkpoint=…)` would take."""
    asked, where = resume.asked(pipeline)
    if asked is None or asked is False:
        raise Unavailable("the training does not resume from a checkpoint")
    saved, folder = _taken(pipeline, asked)
    contents = {file.name: file.contents for file in saved.checkpoint.files}
    optimizer = _sound(saved.checkpoint, "optimizer.pt")
    arguments = contents.get("training_args.bin")
    return Restored(
        saved,
        where,
        whole=_whole(folder, saved),
        groups=UNKNOWN if optimizer is None else _groups(optimizer),
        moments=UNKNOWN if optimizer is None else _moments(optimizer),
        wanted=_wanted(pipeline),
        folders=bool(resumption.folders(saved.checkpoint.path)),
        arguments=arguments.values if arguments is not None and arguments.values else UNKNOWN,
    )


def _taken(pipeline: Pipeline, asked: Any) -> tuple[Saved, RunFolder | None]:
    """Return the checkpoint that Trainer takes, and the run that it is of."""
    if asked is True or resume.described(pipeline):
        run = pipeline.fact(RunFolder)
        name = run.taken if asked is True else os.path.basename(os.fspath(asked))
        for one in run.saved:
            if one.name == name:
                return one, run
        raise Unavailable(f"{run.path} holds no checkpoint to resume from")
    path = os.path.expanduser(os.fspath(asked)).rstrip("/") or "/"
    if not os.path.isdir(path):
        raise Unavailable(f"{path} is no folder")
    if resumption.STATE not in os.listdir(path) and resume.newest(path) is not None:
        raise Unavailable(f"{path} is the folder of a run, no checkpoint")
    held = checkpoint.read_checkpoint(path)
    around: RunFolder | None = None
    with suppress(Unavailable):
        around = run_folder.read_run(os.path.dirname(path) or os.curdir)
    return run_folder.saved_as(path, held), around


def _whole(run: RunFolder | None, taken: Saved) -> Any:
    if run is None:
        return UNKNOWN
    others = (one for one in reversed(run.saved) if one.name != taken.name and not one.broken)
    found = next(others, None)
    return "" if found is None else found.checkpoint.path


def _sound(held: Checkpoint, name: str) -> Contents | None:
    for file in held.files:
        if file.name == name and not resumption.unreadable(file):
            return file.contents
    return None


def _groups(contents: Contents) -> Any:
    groups: dict[int, dict[str, object]] = {}
    for name, value in contents.values.items():
        match = _GROUP.fullmatch(name)
        if match:
            groups.setdefault(int(match[1]), {})[match[2]] = value
    found = []
    for number in sorted(groups):
        held = groups[number].pop("params", None)
        if not isinstance(held, tuple):
            return unknown("the groups of optimizer.pt name no parameters")
        found.append(StoredGroup(held, groups[number]))
    return tuple(found) if found else UNKNOWN


def _moments(contents: Contents) -> Mapping[int, Mapping[str, tuple[int, ...]]]:
    found: dict[int, dict[str, tuple[int, ...]]] = {}
    for name, tensor in contents.tensors.items():
        match = _MOMENT.fullmatch(name)
        if match:
            found.setdefault(int(match[1]), {})[match[2]] = tuple(tensor.shape)
    return found


def _wanted(pipeline: Pipeline) -> Any:
    """Return the kind of optimizer that the run makes, where that is sure."""
    made = pipeline.parts.get("optimizer") if "optimizer" in pipeline.parts else None
    if made is None and "trainer" in pipeline.parts:
        made = getattr(pipeline.part("trainer"), "optimizer", None)
    if made is not None:
        inner = getattr(made, "optimizer", made)  # what accelerate wraps
        module = type(inner).__module__.partition(".")[0]
        name = type(inner).__name__.lower()
        known = module == "torch" and name in KINDS.values()
        return name if known else unknown(f"the state of a {type(inner).__name__} is not known")
    text = str(pipeline.parts.get("script", ""))
    if "trainer" not in pipeline.parts and ("optimizers" in text or "create_optimizer" in text):
        return unknown("the script makes an optimizer of its own")
    settings = pipeline.optional(Settings)
    if settings is None or settings.get("deepspeed") or settings.get("fsdp"):
        return unknown("which optimizer the run makes is not known")
    try:
        name = optimizers.name(settings)
    except Unavailable as reason:
        return unknown(reason)
    return KINDS.get(name) or unknown(f"the state of the optimizer {name} is not known")
