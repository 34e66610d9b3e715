"""
Which call loads a checkpoint with the packages that are installed, and what the others raise.

The table rests on what was tried: torch 2.13, transformers 5.23, keras 3.15, safetensors 0.8,
numpy 2, peft 0.21; and on the release notes for the versions at which a call changed its ways.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping

from pipedoctor.checkpoints import fitting, lora, naming
from pipedoctor.checkpoints.contents import Contents, FlawKind, Verdict
from pipedoctor.fact import Unavailable
from pipedoctor.facts.checkpoint import Checkpoint, StoredFile
from pipedoctor.facts.loading import Way

Versions = Mapping[str, str]

WEIGHTS_ONLY = (2, 6)
"""From this release of torch on, `load` takes tensors and plain values unless told otherwise."""
BY_SUFFIX = (2, 13)
"""From this release of torch on, `load` reads files that end in `.safetensors` as such."""
NO_CONVERSION = (5,)
"""From this release of transformers on, weights of TensorFlow and Flax are no longer read."""


def ways(checkpoint: Checkpoint, versions: Versions) -> tuple[tuple[Way, ...], str]:
    """Return the calls, those that work first, and why there is none, "" where there is one."""
    reason = _obstacle(checkpoint)
    if reason:
        return (), reason
    if checkpoint.kind == "file":
        found = tuple(_of_file(checkpoint.files[0], versions))
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


def _of_file(file: StoredFile, versions: Versions) -> Iterator[Way]:
    """Yield the calls for one file, by its format."""
    readers: tuple[tuple[str, Callable[[StoredFile, Versions], Iterator[Way]]], ...] = (
        ("safetensors", _safetensors),
        ("torchscript", _script),
        ("export", _export),
        ("pytorch", _torch),
        ("pickle", _pickle),
        ("keras", _keras),
        ("hdf5", _keras),
        ("numpy", _numpy),
        ("gguf", _gguf),
        ("tensorflow", _tensorflow),
        ("msgpack", _flax),
        ("messagepack", _flax),
    )
    name = file.contents.format.lower()
    for word, reader in readers:
        if word in name:
            yield from reader(file, versions)
            return


def _safetensors(file: StoredFile, versions: Versions) -> Iterator[Way]:
    path, named = _quoted(file.path), file.name.endswith(".safetensors")
    yield Way(
        f"from safetensors.torch import load_file; weights = load_file({path})",
        note="" if "safetensors" in versions else "needs `pip install safetensors`",
    )
    torch = _version(versions, "torch")
    if torch is None:
        return
    if torch >= BY_SUFFIX and named:
        yield Way(f"torch.load({path})", note="by its suffix, from torch 2.13 on")
    elif torch >= BY_SUFFIX:
        yield Way(
            f"torch.load({path})",
            error="UnpicklingError: Weights only load failed: torch takes it for a pickle, since "
            "it does not end in .safetensors",
        )
    else:
        yield Way(
            f"torch.load({path})",
            error=f"UnpicklingError: torch {versions['torch']} takes it for a pickle",
        )


def _torch(file: StoredFile, versions: Versions) -> Iterator[Way]:
    path, contents = _quoted(file.path), file.contents
    torch = _version(versions, "torch")
    trusted = contents.verdict is Verdict.ALLOWED
    by_suffix = torch is not None and torch >= BY_SUFFIX and file.name.endswith(".safetensors")
    if by_suffix:
        stem = file.path.removesuffix(".safetensors")
        yield Way(
            f"torch.load({path})",
            error="SafetensorError: Error while deserializing header: header too large: torch "
            "goes by the suffix, and this is a pickle",
        )
        path = _quoted(f"{stem}.bin")
        yield Way(f"torch.load({path})", note="once it is renamed so")
    elif trusted:
        by_default = torch is None or torch >= WEIGHTS_ONLY
        yield Way(f"torch.load({path}{'' if by_default else ', weights_only=True'})")
    else:
        yield from _on_trust(path, contents, torch)
    if "safetensors" in versions and not by_suffix:
        yield Way(
            f"safetensors.torch.load_file({path})",
            error="SafetensorError: Error while deserializing header: header too large",
        )


def _on_trust(path: str, contents: Contents, torch: tuple[int, ...] | None) -> Iterator[Way]:
    offender = contents.offender
    if torch is None or torch >= WEIGHTS_ONLY:
        yield Way(
            f"torch.load({path})",
            error="UnpicklingError: Weights only load failed. … Unsupported global: GLOBAL "
            f"{offender} was not an allowed global by default",
        )
    yield Way(
        f"torch.load({path}, weights_only=False)",
        note="a whole model: it runs the code of its classes, so only if it is your own"
        if contents.whole_model
        else f"runs what the file says, {offender} among it: only if it is your own",
    )


def _script(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    path = _quoted(file.path)
    yield Way(f"torch.jit.load({path})", note="runs the code in it: only if it is your own")
    yield Way(
        f"torch.load({path})",
        error="RuntimeError: Cannot use ``weights_only=True`` with TorchScript archives",
    )


def _export(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    path = _quoted(file.path)
    yield Way(f"torch.export.load({path})")
    yield Way(
        f"torch.load({path})",
        error="RuntimeError: PytorchStreamReader failed locating file data.pkl: file not found",
    )


def _pickle(file: StoredFile, versions: Versions) -> Iterator[Way]:
    path = _quoted(file.path)
    if file.contents.verdict is Verdict.NEEDS_TRUST:
        yield Way(
            f'pickle.load(open({path}, "rb"))',
            note=f"runs what the file says, {file.contents.offender} among it: only if it is your "
            "own",
        )
        return
    yield Way(f'pickle.load(open({path}, "rb"))', note="it names nothing but plain values")
    if _version(versions, "torch") is not None:
        yield Way(f"torch.load({path})", error="UnpicklingError: Weights only load failed")


def _keras(file: StoredFile, versions: Versions) -> Iterator[Way]:
    path, name = _quoted(file.path), file.name
    missing = "" if "keras" in versions else "needs `pip install keras`"
    whole = "keras" in file.contents.format.lower() and "weights" not in name
    right = ".keras" if whole and "hdf5" not in file.contents.format.lower() else ".h5"
    if name.endswith(".weights.h5"):
        yield Way(f"model.load_weights({path})", note=missing or "into a model that is built")
        return
    if not name.endswith((".keras", ".h5", ".hdf5")):
        yield Way(
            f"keras.models.load_model({path})",
            error="ValueError: File format not supported: keras goes by the suffix",
        )
        renamed = f"once it is renamed so{'; ' + missing if missing else ''}"
        yield Way(f"keras.models.load_model({_quoted(file.path + right)})", note=renamed)
    elif name.endswith(".keras") and right == ".h5":
        yield Way(
            f"keras.models.load_model({path})",
            error="ValueError: File not found: … ensure the file is an accessible `.keras` zip "
            "file: it is HDF5, of the older format",
        )
        renamed = _quoted(file.path.removesuffix(".keras") + ".h5")
        yield Way(f"keras.models.load_model({renamed}, compile=False)", note="once renamed so")
    elif right == ".h5":
        yield Way(f"keras.models.load_model({path}, compile=False)", note=missing)
    else:
        yield Way(f"keras.models.load_model({path})", note=missing)


def _numpy(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    path = _quoted(file.path)
    if file.contents.verdict is Verdict.ALLOWED:
        yield Way(f"numpy.load({path})")
        return
    yield Way(
        f"numpy.load({path})",
        error="ValueError: Object arrays cannot be loaded when allow_pickle=False",
    )
    yield Way(
        f"numpy.load({path}, allow_pickle=True)",
        note="runs the pickles in it: only if it is your own",
    )


def _gguf(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    folder, _, name = file.path.rpartition("/")
    yield Way(
        f"AutoModelForCausalLM.from_pretrained({_quoted(folder or '.')}, "
        f"gguf_file={_quoted(name)})",
        note="unpacked to full precision; needs `pip install gguf`",
    )
    yield Way(f"gguf.GGUFReader({_quoted(file.path)})", note="the tensors as they are stored")


def _tensorflow(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    prefix = file.path.removesuffix(".index").partition(".data-")[0]
    if "saved" in file.contents.format.lower():
        yield from _saved_model(file.path)
        return
    yield Way(f"tf.train.load_checkpoint({_quoted(prefix)})")


def _saved_model(path: str) -> Iterator[Way]:
    yield Way(
        f'keras.layers.TFSMLayer({_quoted(path)}, call_endpoint="serving_default")',
        note="to infer with, not to train on",
    )
    yield Way(
        f"keras.models.load_model({_quoted(path)})",
        error="ValueError: File format not supported: keras 3 reads no SavedModel",
    )


def _flax(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    yield Way(
        f'flax.serialization.msgpack_restore(open({_quoted(file.path)}, "rb").read())',
        note="transformers 5 no longer reads it",
    )


def _of_folder(checkpoint: Checkpoint, versions: Versions) -> Iterator[Way]:
    """Yield the calls for a folder, by its kind."""
    folder = _quoted(checkpoint.path)
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
        yield from _saved_model(checkpoint.path)
    else:
        files = checkpoint.judged
        for file in files[:1]:
            yield from _of_file(file, versions)


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
    folder = _quoted(checkpoint.path)
    if checkpoint.kind == "trainer":
        from pipedoctor.probes import run_folder

        broken = run_folder.broken(checkpoint) or run_folder.of_other_weights(checkpoint)
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
            yield from (way for way in _of_file(file, versions) if not way.error)
        return
    call = f"{architecture}.from_pretrained({folder})"
    if checkpoint.weights:
        yield from _pretrained(checkpoint, architecture, versions)
        return
    transformers = _version(versions, "transformers")
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
        yield from (way for way in _of_file(file, versions) if not way.error)


def _pretrained(checkpoint: Checkpoint, architecture: str, versions: Versions) -> Iterator[Way]:
    """Yield the call of Transformers, or what it comes to with this config and these weights."""
    missing = "" if "transformers" in versions else "needs `pip install transformers`"
    call = f"{architecture}.from_pretrained({_quoted(checkpoint.path)})"
    line = f"from transformers import {architecture}; model = {call}"
    wrong = next(filter(None, map(naming.misnamed, checkpoint.weights)), "")
    refused = wrong or fitting.refusal(checkpoint)
    if refused:
        yield Way(call, error=refused)
        for file in checkpoint.weights[:1]:
            yield from (way for way in _of_file(file, versions) if not way.error)
        return
    family = fitting.foreign(checkpoint)
    if family is None or family.fits:
        yield Way(line, note=missing)
    if family is not None:
        first = architecture if not family.fits else f"AutoModel{_task(architecture)}"
        yield Way(
            f"{first}.from_pretrained({_quoted(checkpoint.path)})",
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
    folder = _quoted(checkpoint.path)
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
        yield from (w for w in _of_file(checkpoint.weights[0], versions) if not w.error)
        return
    clash = _clash(checkpoint)
    if clash is not None:
        yield Way(call, error=f"{clash.error}: {clash.message}")
        yield from (w for w in _of_file(checkpoint.weights[0], versions) if not w.error)
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


def _version(versions: Versions, package: str) -> tuple[int, ...] | None:
    """Return the first two numbers of a version, None where the package is not installed."""
    parts = versions.get(package, "").split(".")[:2]
    try:
        return tuple(int(part) for part in parts)
    except ValueError:
        return None


def _quoted(path: str) -> str:
    return json.dumps(path, ensure_ascii=False)
