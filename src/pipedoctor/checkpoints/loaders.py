"""
Which call loads a checkpoint with the packages that are installed, and what the others raise.

The table rests on what was tried: torch 2.13, transformers 5.23, keras 3.15, safetensors 0.8,
numpy 2, peft 0.21; and on the release notes for the versions at which a call changed its ways.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from pipedoctor.checkpoints import against_config, lora, naming, resumption
from pipedoctor.checkpoints.contents import FlawKind, Verdict
from pipedoctor.checkpoints.file_loaders import Versions, of_file, quoted, saved_model, version
from pipedoctor.fact import Unavailable
from pipedoctor.facts.checkpoint import Checkpoint
from pipedoctor.facts.loading import Way

NO_CONVERSION = (5,)
"""From this release of transformers on, weights of TensorFlow and Flax are no longer read."""


def ways(checkpoint: Checkpoint, versions: Versions) -> tuple[tuple[Way, ...], str]:
    """Return the calls, those that work first, and why there is none, "" where there is one."""
    reason = _obstacle(checkpoint)
    if reason:
        return (), reason
    if checkpoint.kind == "file":
        found = tuple(of_file(checkpoint.files[0], versions))
    else:
        found = tuple(_of_folder(checkpoint, versions))
    return tuple(sorted(found, key=lambda way: bool(way.error))), ""


def _obstacle(checkpoint: Checkpoint) -> str:
    """Return why nothing should load it, if so."""
    held = checkpoint.weights or checkpoint.judged
    for file in held:
        contents = file.contents
        if contents.verdict is Verdict.UNSAFE:
            what = contents.offender or contents.reason
            return f"loading {file.name} can run any program ({what})"
    for file in held:
        contents = file.contents
        no_checkpoint = file in checkpoint.weights and any(
            flaw.kind is FlawKind.NOT_A_CHECKPOINT for flaw in contents.flaws
        )
        if contents.verdict is Verdict.MALFORMED or no_checkpoint:
            first = contents.flaws[0].message if contents.flaws else contents.reason
            return f"{file.name}: {first.partition('; ')[0]}"
    return ""


def _of_folder(checkpoint: Checkpoint, versions: Versions) -> Iterator[Way]:
    """Yield the calls for a folder, by its kind."""
    folder = quoted(checkpoint.path)
    config = checkpoint.config if checkpoint.known("config") else {}
    if checkpoint.adapter:
        yield from _adapter(checkpoint, config, versions)
    elif checkpoint.kind in {"model", "trainer"}:
        yield from _model(checkpoint, config, versions)
    elif checkpoint.kind == "dcp":
        yield Way(
            f'dcp_to_torch_save({folder}, "weights.pt")',
            note="of torch.distributed.checkpoint.format_utils; it unpickles .metadata: only if "
            "it is your own",
        )
    elif checkpoint.kind == "deepspeed":
        yield _of_zero(checkpoint)
    elif checkpoint.kind == "tensorflow" and any(
        f.name == "saved_model.pb" for f in checkpoint.files
    ):
        yield from saved_model(checkpoint.path)
    else:
        files = checkpoint.judged
        for file in files[:1]:
            yield from of_file(file, versions)


def _of_zero(checkpoint: Checkpoint) -> Way:
    """Return the way to weights that DeepSpeed has spread over its processes."""
    path, tags = checkpoint.path, checkpoint.zero
    tag = "" if not tags or tags == ("",) else f" -t {shlex.quote(tags[-1])}"
    if tags == ("",):  # the folder of one save was named
        path, _, last = path.rstrip("/").rpartition("/")
        path, tag = path or ".", f" -t {shlex.quote(last)}"
    if checkpoint.known("tag") and checkpoint.tag in tags:
        tag = ""  # the script reads `latest`
    return Way(
        f"python zero_to_fp32.py {shlex.quote(path)} out{tag}",
        note="a script that DeepSpeed leaves beside it; it unpickles: only if it is your own",
    )


def _model(
    checkpoint: Checkpoint, config: Mapping[str, object], versions: Versions
) -> Iterator[Way]:
    folder = quoted(checkpoint.path)
    if checkpoint.kind == "trainer":
        broken = resumption.broken(checkpoint) or resumption.of_other_weights(checkpoint)
        yield Way(
            f"trainer.train(resume_from_checkpoint={folder})",
            note="" if broken else "to go on with the training",
            error=broken,
        )
    if "config.json" in checkpoint.unread:
        yield Way(
            f"AutoModel.from_pretrained({folder})",
            error="OSError: It looks like the config file is not a valid JSON file",
        )
    named = config.get("architectures")
    architecture = str(named[0]) if isinstance(named, list) and named else ""
    if not architecture.isidentifier():
        # A module that is no model of Transformers: its state alone was saved.
        if checkpoint.zero and not checkpoint.weights:
            yield _of_zero(checkpoint)
        for file in checkpoint.weights[:1]:
            yield from (way for way in of_file(file, versions) if not way.error)
        return
    call = f"{architecture}.from_pretrained({folder})"
    if checkpoint.weights:
        yield from _pretrained(checkpoint, architecture, versions)
        return
    transformers = version(versions, "transformers")
    if transformers is None or transformers >= NO_CONVERSION:
        yield Way(
            call,
            error="OSError: Error no file named model.safetensors, or pytorch_model.bin, found in "
            "directory",
        )
    if checkpoint.zero:
        yield _of_zero(checkpoint)
        return
    for file in [file for file in checkpoint.judged if not file.state][:1]:
        yield from (way for way in of_file(file, versions) if not way.error)


def _pretrained(checkpoint: Checkpoint, architecture: str, versions: Versions) -> Iterator[Way]:
    """Yield the call of Transformers, or what it comes to with this config and these weights."""
    missing = "" if "transformers" in versions else "needs `pip install transformers`"
    call = f"{architecture}.from_pretrained({quoted(checkpoint.path)})"
    line = f"from transformers import {architecture}; model = {call}"
    wrong = next(filter(None, map(naming.misnamed, checkpoint.weights)), "")
    refused = wrong or against_config.refusal(checkpoint)
    if refused:
        yield Way(call, error=refused)
        for file in checkpoint.weights[:1]:
            yield from (way for way in of_file(file, versions) if not way.error)
        return
    family = against_config.foreign(checkpoint)
    if family is None or family.fits:
        yield Way(line, note=missing)
    if family is not None:
        first = architecture if not family.fits else f"AutoModel{_task(architecture)}"
        yield Way(
            f"{first}.from_pretrained({quoted(checkpoint.path)})",
            error=f"no error, and a model that is random throughout: by its model_type it looks "
            f"for the tensors of {family.stated}, of which there are none",
        )


def _task(architecture: str) -> str:
    """Return what a class is for, as the automatic ones are named by it."""
    before, word, task = architecture.partition("For")
    return f"{word}{task}" if before else ""


def _adapter(
    checkpoint: Checkpoint, config: Mapping[str, object], versions: Versions
) -> Iterator[Way]:
    folder = quoted(checkpoint.path)
    base = config.get("base_model_name_or_path")
    missing = "" if "peft" in versions else "needs `pip install peft`"
    named = f", of {base}" if isinstance(base, str) and base else ""
    call = f"PeftModel.from_pretrained(base, {folder})"
    if not checkpoint.weights:
        yield Way(call, error="ValueError or an error of the hub: there are no weights to load")
        return
    if "adapter_config.json" in checkpoint.missing or "adapter_config.json" in checkpoint.unread:
        found = "adapter_config.json" in checkpoint.unread
        yield Way(
            call,
            error="JSONDecodeError" if found else "ValueError: Can't find 'adapter_config.json'",
        )
        yield from (w for w in of_file(checkpoint.weights[0], versions) if not w.error)
        return
    clash = _clash(checkpoint)
    if clash is not None:
        yield Way(call, error=f"{clash.error}: {clash.message}")
        yield from (w for w in of_file(checkpoint.weights[0], versions) if not w.error)
        return
    yield Way(
        f"from peft import PeftModel; model = {call}",
        note=missing or f"base is the model that it is added to{named}",
    )


def _clash(checkpoint: Checkpoint) -> lora.Clash | None:
    try:
        return next(lora.clashes(checkpoint), None)
    except Unavailable:
        return None  # its config or its weights can't be read, which is told by itself
