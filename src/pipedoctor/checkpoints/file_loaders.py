"""Which call loads a file by itself, and what the others raise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from pipedoctor.checkpoints.contents import Contents, Family, Verdict
from pipedoctor.facts.checkpoint import StoredFile
from pipedoctor.facts.loading import Way

Versions = Mapping[str, str]

WEIGHTS_ONLY = (2, 6)
"""From this release of torch on, `load` takes tensors and plain values unless told otherwise."""
_LOADABLE = (Verdict.ALLOWED, Verdict.NEEDS_TRUST)
"""Of other files nobody knows what loading them comes to, or everybody should leave them alone."""
BY_SUFFIX = (2, 13)
"""From this release of torch on, `load` reads files that end in `.safetensors` as such."""


def of_file(file: StoredFile, versions: Versions) -> Iterator[Way]:
    """Yield the calls for one file, by its format."""
    readers: dict[Family, Callable[[StoredFile, Versions], Iterator[Way]]] = {
        Family.SAFETENSORS: _safetensors,
        Family.TORCHSCRIPT: _script,
        Family.EXPORT: _export,
        Family.DISTRIBUTED: _distributed,
        Family.TORCH: _torch,
        Family.PICKLE: _pickle,
        Family.KERAS: _keras,
        Family.KERAS_H5: _keras,
        Family.HDF5: _keras,
        Family.NUMPY: _numpy,
        Family.GGUF: _gguf,
        Family.TENSORFLOW: _tensorflow,
        Family.SAVED_MODEL: _tensorflow,
        Family.FLAX: _flax,
    }
    reader = readers.get(file.contents.family)
    if reader is not None:
        yield from reader(file, versions)


def _safetensors(file: StoredFile, versions: Versions) -> Iterator[Way]:
    path, named = quoted(file.path), file.name.endswith(".safetensors")
    yield Way(
        f"from safetensors.torch import load_file; weights = load_file({path})",
        note="" if "safetensors" in versions else "needs `pip install safetensors`",
    )
    torch = version(versions, "torch")
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
    path, contents = quoted(file.path), file.contents
    if contents.verdict not in _LOADABLE:
        return
    torch = version(versions, "torch")
    trusted = contents.verdict is Verdict.ALLOWED
    by_suffix = torch is not None and torch >= BY_SUFFIX and file.name.endswith(".safetensors")
    if by_suffix:
        stem = file.path.removesuffix(".safetensors")
        yield Way(
            f"torch.load({path})",
            error="SafetensorError: Error while deserializing header: header too large: torch "
            "goes by the suffix, and this is a pickle",
        )
        path = quoted(f"{stem}.bin")
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
    if file.contents.verdict not in _LOADABLE:
        return
    path = quoted(file.path)
    yield Way(f"torch.jit.load({path})", note="runs the code in it: only if it is your own")
    yield Way(
        f"torch.load({path})",
        error="RuntimeError: Cannot use ``weights_only=True`` with TorchScript archives",
    )


def _export(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    if file.contents.verdict not in _LOADABLE:
        return
    path = quoted(file.path)
    yield Way(f"torch.export.load({path})", note="runs the graph in it: only if it is your own")
    yield Way(
        f"torch.load({path})",
        error="RuntimeError: PytorchStreamReader failed locating file data.pkl: file not found",
    )


def _distributed(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    folder = quoted(file.path.rpartition("/")[0] or ".")
    yield Way(
        f'dcp_to_torch_save({folder}, "weights.pt")',
        note="of torch.distributed.checkpoint.format_utils; it unpickles .metadata: only if it is "
        "your own",
    )


def _pickle(file: StoredFile, versions: Versions) -> Iterator[Way]:
    path = quoted(file.path)
    if file.contents.verdict is Verdict.NEEDS_TRUST:
        yield Way(
            f'pickle.load(open({path}, "rb"))',
            note=f"runs what the file says, {file.contents.offender} among it: only if it is your "
            "own",
        )
    if file.contents.verdict is not Verdict.ALLOWED:
        return
    yield Way(f'pickle.load(open({path}, "rb"))', note="it names nothing but plain values")
    if version(versions, "torch") is not None:
        yield Way(f"torch.load({path})", error="UnpicklingError: Weights only load failed")


def _keras(file: StoredFile, versions: Versions) -> Iterator[Way]:
    path, name = quoted(file.path), file.name
    missing = "" if "keras" in versions else "needs `pip install keras`"
    right = ".keras" if file.contents.family is Family.KERAS else ".h5"
    if name.endswith(".weights.h5"):
        yield Way(f"model.load_weights({path})", note=missing or "into a model that is built")
        return
    if not name.endswith((".keras", ".h5", ".hdf5")):
        yield Way(
            f"keras.models.load_model({path})",
            error="ValueError: File format not supported: keras goes by the suffix",
        )
        renamed = f"once it is renamed so{'; ' + missing if missing else ''}"
        yield Way(f"keras.models.load_model({quoted(file.path + right)})", note=renamed)
    elif name.endswith(".keras") and right == ".h5":
        yield Way(
            f"keras.models.load_model({path})",
            error="ValueError: File not found: … ensure the file is an accessible `.keras` zip "
            "file: it is HDF5, of the older format",
        )
        renamed = quoted(file.path.removesuffix(".keras") + ".h5")
        yield Way(f"keras.models.load_model({renamed}, compile=False)", note="once renamed so")
    elif right == ".keras" and not name.endswith(".keras"):
        yield Way(
            f"keras.models.load_model({path})",
            error="OSError: Unable to synchronously open file (file signature not found): it is "
            "a .keras zip, and keras goes by the suffix",
        )
        renamed = quoted(file.path.rpartition(".")[0] + ".keras")
        yield Way(f"keras.models.load_model({renamed})", note="once it is renamed so")
    elif right == ".h5":
        yield Way(f"keras.models.load_model({path}, compile=False)", note=missing)
    else:
        yield Way(f"keras.models.load_model({path})", note=missing)


def _numpy(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    if file.contents.verdict not in _LOADABLE:
        return
    path = quoted(file.path)
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
        f"AutoModelForCausalLM.from_pretrained({quoted(folder or '.')}, gguf_file={quoted(name)})",
        note="unpacked to full precision; needs `pip install gguf`",
    )
    yield Way(f"gguf.GGUFReader({quoted(file.path)})", note="the tensors as they are stored")


def _tensorflow(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    prefix = file.path.removesuffix(".index").partition(".data-")[0]
    if file.contents.family is Family.SAVED_MODEL:
        yield from saved_model(file.path)
        return
    yield Way(f"tf.train.load_checkpoint({quoted(prefix)})")


def saved_model(path: str) -> Iterator[Way]:
    """Yield the calls for a SavedModel, which is a folder."""
    yield Way(
        f'keras.layers.TFSMLayer({quoted(path)}, call_endpoint="serving_default")',
        note="to infer with, not to train on",
    )
    yield Way(
        f"keras.models.load_model({quoted(path)})",
        error="ValueError: File format not supported: keras 3 reads no SavedModel",
    )


def _flax(file: StoredFile, _versions: Versions) -> Iterator[Way]:
    yield Way(
        f'flax.serialization.msgpack_restore(open({quoted(file.path)}, "rb").read())',
        note="transformers 5 no longer reads it",
    )


def version(versions: Versions, package: str) -> tuple[int, ...] | None:
    """Return the first two numbers of a version, None where the package is not installed."""
    parts = versions.get(package, "").split(".")[:2]
    try:
        return tuple(int(part) for part in parts)
    except ValueError:
        return None


def quoted(path: str) -> str:
    """Return a path as it stands in a line of code."""
    return json.dumps(path, ensure_ascii=False)
