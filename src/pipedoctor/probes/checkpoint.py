"""A checkpoint on the disk: which of its files belong together, and what is in each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, Verdict
from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable, unknown
from pipedoctor.facts.checkpoint import WEIGHTS, Checkpoint, StoredFile
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import files, hub_cache, resume, tables, tokens

NAME = "saved"
"""The entry of the part `files` that names a checkpoint, or describes one."""

MOST_FILES = 4096
"""The largest models come in some hundred shards; DeepSpeed writes one file a GPU and state."""

TEXTS = (
    *(".cfg", ".csv", ".gitattributes", ".gitignore", ".gitkeep", ".html", ".ini", ".ipynb"),
    *(".jinja", ".jpeg", ".jpg", ".json", ".jsonl", ".lock", ".log", ".md", ".model", ".out"),
    *(".png", ".py", ".sh", ".svg", ".toml", ".tsv", ".txt", ".yaml", ".yml"),
)
"""What stands beside weights and is none: no loader takes files of these names for weights."""

INDEX = ".index.json"
LATEST = "latest"
CONFIG, ADAPTER_CONFIG, STATE = "config.json", "adapter_config.json", "trainer_state.json"

_SHARD = re.compile(r"(model|pytorch_model)-\d{5}-of-\d{5}\.(safetensors|bin)")
"""A part of a model; which tensor is in which, its index says."""

_ROOMS = re.compile(
    r"global_step\d+|pytorch_model_fsdp_\d+|optimizer_\d+|variables|distributed_checkpoint"
)
"""The folders inside a checkpoint that hold a part of it."""


@probe(Checkpoint, Cost.FILES, "files")
def checkpoint(pipeline: Pipeline, _split: Split) -> Checkpoint:
    """Read the checkpoint that was named, or take it as it is described."""
    entry = files.given(pipeline, NAME)
    if isinstance(entry, Mapping):
        from pipedoctor.probes.described_checkpoint import described

        return described(entry)
    return read_checkpoint(_meant(files.path(pipeline, NAME)), whole=True)


def _meant(path: str) -> str:
    """Return the folder itself, or of a run that left no model in it the newest checkpoint."""
    if not os.path.isdir(path) or is_checkpoint(path):
        return path
    return resume.newest(path) or path


def read_checkpoint(path: str, *, whole: bool = False) -> Checkpoint:
    """
    Return what lies there: a file, or a folder; as a `whole`, with its tokenizer and its base.

    Raises:
        Unavailable: There is nothing, or it can't be read.

    """
    path = _snapshot(path)
    if not os.path.isdir(path):
        if path.endswith(INDEX):
            return read_checkpoint(os.path.dirname(path) or os.curdir, whole=whole)
        return Checkpoint(path, "file", (_file(path, os.path.basename(path)),))
    held, beside = _listing(path)
    config = _or_unknown(tables.read, _first(path, (ADAPTER_CONFIG, CONFIG)))
    weight_map = UNKNOWN
    index = next((n for n in WEIGHTS if n.endswith(INDEX) and n in beside), None)
    if index is not None:
        beside = {name: size for name, size in beside.items() if name != index}
        weight_map = _or_unknown(_weight_map, os.path.join(path, index))
        held = (index, *held)
    found = tuple(_file(os.path.join(path, *name.split("/")), name) for name in held)
    kind = kind_of({*held, *beside})
    state = _state(path, whole=whole)
    return Checkpoint(
        path,
        kind,
        found,
        missing=tuple(_missing(kind, {*held, *beside})),
        config=config,
        state=_or_unknown(tables.read, state),
        state_file=state,
        beside=beside,
        weight_map=weight_map,
        unread=dict(_unread(path, beside)),
        tag=_or_unknown(_tag, os.path.join(path, LATEST)),
        tokens=_or_unknown(tokens.size, path) if whole else UNKNOWN,
        base=_base(config) if whole else UNKNOWN,
    )


def is_checkpoint(folder: str) -> bool:
    """Whether a folder holds one, by the names of its files."""
    held, beside = _listing(_snapshot(folder))
    return bool(held) or any(name in beside for name in (*WEIGHTS, CONFIG, ADAPTER_CONFIG, STATE))


def _snapshot(path: str) -> str:
    """Return the folder that a model's folder in the cache of the hub stands for."""
    path = os.path.expanduser(path)
    if not os.path.isdir(os.path.join(path, "snapshots")):
        return path
    snapshots = os.path.join(path, "snapshots")
    with suppress(OSError, ValueError, Unavailable):
        with files.opened(os.path.join(path, "refs", "main"), limit=100) as file:
            commit = file.read().decode("ascii").strip()
        named = os.path.join(snapshots, commit)
        if os.path.isdir(named) and os.path.dirname(named) == snapshots:
            return named
    return path


def _listing(folder: str) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the files that may hold weights or states, and the bytes of the others."""
    held: list[str] = []
    beside: dict[str, int] = {}
    for name in (*_names(folder), *_in_rooms(folder)):
        path = os.path.join(folder, *name.split("/"))
        if _text(name):
            with suppress(OSError):
                beside[name] = os.stat(path).st_size
        else:
            held.append(name)
    if len(held) > MOST_FILES:
        raise Unavailable(f"{folder} holds {len(held):,} files, more than any checkpoint")
    return tuple(held), beside


def _names(folder: str) -> list[str]:
    """Return the names of what is no folder; folders named like weights count, as what they aren't."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if not _folder(e) or e.name in WEIGHTS)
    except OSError as error:
        raise Unavailable(f"{folder} can't be read: {error.strerror}") from None


def _folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is one; a link that leads in a circle is none, and must not hide the others."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _in_rooms(folder: str) -> list[str]:
    with suppress(OSError):
        rooms = sorted(n for n in os.listdir(folder) if _ROOMS.fullmatch(n))
        return [
            f"{room}/{name}"
            for room in rooms
            if os.path.isdir(os.path.join(folder, room))
            for name in _names(os.path.join(folder, room))
        ]
    return []


def _text(name: str) -> bool:
    base = name.rpartition("/")[2].lower()
    return base.endswith(TEXTS) or "tfevents" in base or base in {"readme", "license", LATEST}


def _file(path: str, name: str) -> StoredFile:
    from pipedoctor.checkpoints import formats

    try:
        size = files.size(path)
        contents = formats.read(path)
    except (OSError, Unavailable) as error:
        size = 0
        flaw = Flaw(FlawKind.NOT_A_CHECKPOINT, str(error))
        # What is there, and no file, is a pipe, a socket or a device.
        there = os.path.exists(path) and not os.path.isfile(path)
        form = "special file" if there else "unreadable"
        contents = Contents(form, Verdict.MALFORMED, str(error), flaws=(flaw,))
    return StoredFile(name, path, size, contents)


def kind_of(names: set[str]) -> str:
    """Return what kind of checkpoint files of these names make up."""
    suffixes = {os.path.splitext(name)[1] for name in names}
    if STATE in names:
        return "trainer"
    if ADAPTER_CONFIG in names or any(n.startswith("adapter_model.") for n in names):
        return "adapter"
    if any(name in names for name in WEIGHTS):
        return "model"
    if any(n.startswith("global_step") or "mp_rank_" in n for n in names):
        return "deepspeed"
    if ".distcp" in suffixes or any(n.rpartition("/")[2] == ".metadata" for n in names):
        return "dcp"
    if CONFIG in names:
        return "model"
    if "saved_model.pb" in names or any(".data-00000-of-" in n for n in names):
        return "tensorflow"
    return "keras" if suffixes & {".keras", ".h5", ".hdf5"} else "unknown"


def _missing(kind: str, names: set[str]) -> Iterable[str]:
    if kind == "adapter":
        if ADAPTER_CONFIG not in names:
            yield ADAPTER_CONFIG
        if not any(n.startswith("adapter_model.") for n in names):
            yield "adapter_model.safetensors"
    elif kind in {"model", "trainer"} and not any(name in names for name in WEIGHTS):
        shards = [match for name in sorted(names) if (match := _SHARD.fullmatch(name))]
        if shards:
            yield f"{shards[0][1]}.{shards[0][2]}{INDEX}"
        elif kind == "model":
            yield "model.safetensors"


def _tag(path: str) -> str:
    """Return what `latest` of DeepSpeed says, the name of a folder beside it."""
    with files.opened(path, limit=1000) as file:
        try:
            tag = file.read().decode("utf-8").strip()
        except UnicodeDecodeError:
            tag = ""
    if not tag or not tag.isprintable() or "/" in tag or "\\" in tag:
        raise Unavailable(f"{path} names no folder")
    return tag


def _unread(folder: str, beside: Mapping[str, int]) -> Iterable[tuple[str, str]]:
    """Yield the configs that are no JSON, and why."""
    for name in (CONFIG, ADAPTER_CONFIG):
        path = os.path.join(folder, name)
        if name not in beside:
            continue
        try:
            tables.read(path)
        except Unavailable as reason:
            why = str(reason).removeprefix(f"{path} ").removeprefix("can't be read: ")
            yield name, "it has 0 bytes" if not beside[name] else why


def _weight_map(path: str) -> dict[str, str]:
    table = tables.read(path).get("weight_map")
    if not isinstance(table, dict):
        raise Unavailable(f"{path} has no weight_map")
    return {str(name): file for name, file in table.items() if isinstance(file, str)}


def _state(folder: str, *, whole: bool) -> str:
    """Return the path of the state; beside the final model of a run, of its newest checkpoint."""
    path = os.path.join(folder, STATE)
    newest = resume.newest(folder) if whole and not os.path.lexists(path) else None
    return path if newest is None else os.path.join(newest, STATE)


def _base(config: Any) -> Any:
    """Return the model that an adapter names as its base, if it lies on this machine."""
    name = config.get("base_model_name_or_path") if isinstance(config, dict) else None
    if not isinstance(name, str) or not name or "peft_type" not in config:
        return UNKNOWN
    try:
        base = read_checkpoint(hub_cache.locate(name))
    except Unavailable as reason:
        return unknown(reason)
    return base if base.kind in {"model", "trainer"} else unknown(f"{name} is no model")


def _first(folder: str, names: tuple[str, ...]) -> str:
    """Return the path of the first of these files that is there, else of the last."""
    paths = [os.path.join(folder, name) for name in names]
    return next((path for path in paths if os.path.lexists(path)), paths[-1])


def _or_unknown(read: Any, path: str) -> Any:
    if not os.path.lexists(path):
        folder, _, name = path.rpartition(os.sep)
        return unknown(f"{folder or os.curdir} holds no {name}")
    try:
        return read(path)
    except Unavailable as reason:
        return unknown(reason)
