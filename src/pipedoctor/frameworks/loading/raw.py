"""
The data as it lies on the disk, read by `datasets` as the scripts have it read.

Its Arrow copies go to a folder of our own, never to the user's cache.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.arguments import version_key
from pipedoctor.frameworks.loading.broken import BrokenFile, cause, describe, known_fault
from pipedoctor.targets.recipe import Recipe

KINDS = {
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "jsonl": "json",
    "parquet": "parquet",
    "arrow": "arrow",
    "txt": "text",
}
"""Which reader of `datasets` a file's suffix calls for."""

PACKED = {".gz", ".bz2", ".xz", ".zst"}

_DATASET = re.compile(r"[\w.-]+(/[\w.-]+)?")
_CONFIG = re.compile(r"[\w.-]+")
"""What the hub takes for names; anything else could lead out of the cache, or match in it."""

Raw = Mapping[Split, Any]
"""The data of the splits that there are, each a `datasets.Dataset`."""


def load(recipe: Recipe, folder: Callable[[], str]) -> Raw:
    """
    Read the data that a recipe names.

    Raises:
        Unavailable: It is not here.
        BrokenFile: It is here, but can't be read; the text names the file.

    """
    if recipe.glue_task is not None:
        return _named(recipe, "nyu-mll/glue", recipe.glue_task, folder)
    if recipe.dataset is not None:
        return _named(recipe, recipe.dataset, recipe.dataset_config, folder)
    files = {Split.TRAIN: recipe.train_file, Split.EVAL: recipe.eval_file}
    return _files(
        {split: file for split, file in files.items() if file is not None}, recipe, folder()
    )


def file_of(recipe: Recipe, split: Split) -> str | None:
    """Return the file or the data set that a split comes from, as the user named it."""
    named = recipe.train_file if split is Split.TRAIN else recipe.eval_file or recipe.train_file
    return recipe.dataset or (f"glue/{recipe.glue_task}" if recipe.glue_task else named)


def _files(files: Mapping[Split, str], recipe: Recipe, folder: str) -> Raw:
    if not files:
        raise Unavailable("the config names no data")
    for file in files.values():
        _must_exist(file)
        fault = known_fault(file)
        if fault is not None:
            raise BrokenFile(f"{file}: {fault}")
    kinds = {_kind(file) for file in files.values()}
    if len(kinds) > 1:  # the scripts refuse that; each file by itself can still be looked at
        return {split: _read({split: f}, recipe, folder)[split] for split, f in files.items()}
    try:
        return _read(files, recipe, folder)
    except Exception as error:  # readers raise what they like; the user needs the file's name
        for split, file in files.items():
            try:
                _read({split: file}, recipe, folder)
            except Exception as alone:  # noqa: BLE001 - likewise
                raise describe(file, alone) from error
        told = " and ".join(files.values())
        raise BrokenFile(
            f"{told} do not go together, each is readable by itself: {cause(error)}"
        ) from error


def _read(files: Mapping[Split, str], recipe: Recipe, folder: str) -> dict[Split, Any]:
    import datasets

    first = next(iter(files.values()))
    kind = _kind(first)
    options: dict[str, Any] = {}
    if kind == "text" and recipe.task == "causal-lm":
        options["keep_linebreaks"] = recipe.keep_linebreaks
    if _suffix(first) == "tsv":
        options["sep"] = "\t"
    names = {split.value: file for split, file in files.items()}
    loaded = datasets.load_dataset(kind, data_files=names, cache_dir=folder, **options)
    return {split: loaded[split.value] for split in files}


def _named(recipe: Recipe, name: str, config: str | None, folder: Callable[[], str]) -> Raw:
    wanted = {Split.TRAIN: recipe.train_split, Split.EVAL: recipe.eval_split}
    if recipe.glue_task == "mnli" and recipe.eval_split == "validation":
        wanted[Split.EVAL] = "validation_matched"
    if os.path.isdir(name):
        loaded = _folder(name, config, folder())
        return {split: loaded[key] for split, key in wanted.items() if key in loaded}
    return _cached(name, config, wanted)


def _folder(name: str, config: str | None, cache: str) -> Any:
    """Load a data set that lies in a folder, but run no script that lies there too."""
    import datasets

    # Since 4 there are no such scripts, and the argument is refused.
    old = version_key(datasets.__version__) < (4,)
    safely = {"trust_remote_code": False} if old else {}
    try:
        return datasets.load_dataset(name, config, cache_dir=cache, **safely)
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise Unavailable(
                f"{name} brings a script that loads it (trust_remote_code), which pipedoctor "
                "does not run"
            ) from error
        raise describe(name, error) from error


def _cached(name: str, config: str | None, wanted: Mapping[Split, str]) -> Raw:
    """
    Open the Arrow files that an earlier `load_dataset` left in the user's cache.

    They are mapped into memory as they lie; `load_dataset` itself would write locks beside them.
    """
    import datasets

    if not _is_name(name, _DATASET):
        raise Unavailable(f'"{name}" is neither a local folder nor the name of a data set')
    if config is not None and not _is_name(config, _CONFIG):
        raise Unavailable(f'"{config}" is no name of a config of the data set {name}')
    cache = Path(datasets.config.HF_DATASETS_CACHE)
    owner, _, short = name.rpartition("/")
    place = cache / (f"{owner}___{short}" if owner else short)
    chosen = "*" if config is None else glob.escape(config)
    infos = sorted(place.glob(f"{chosen}/*/*/dataset_info.json"), key=os.path.getmtime)
    configs = sorted({info.parents[2].name for info in infos})
    if len(configs) > 1:
        raise Unavailable(
            f"the local cache has {len(configs)} configs of the data set {name} "
            f"({', '.join(configs)}), and which one is meant is not stated"
        )
    if not infos:
        raise Unavailable(
            f"the data set {name}{f' ({config})' if config else ''} is neither a local folder "
            f'nor in the local cache; fetch it once with `python -c "import datasets; '
            f'datasets.load_dataset({name!r}{f", {config!r}" if config else ""})"`'
        )
    found = {}
    for split, key in wanted.items():
        home = infos[-1].parent
        shards = sorted(
            [*home.glob(f"*-{key}.arrow"), *home.glob(f"*-{key}-?????-of-?????.arrow")]
        )
        if shards:
            parts = [datasets.Dataset.from_file(str(shard)) for shard in shards]
            found[split] = datasets.concatenate_datasets(parts)
    return found


def _is_name(text: str, form: re.Pattern[str]) -> bool:
    return form.fullmatch(text) is not None and ".." not in text and text != "."


def _must_exist(file: str) -> None:
    if "://" in file:
        raise Unavailable(f"{file} is an address, and nothing is fetched; give a local file")
    if os.path.exists(file) or (glob.has_magic(file) and glob.glob(file, recursive=True)):
        return
    raise Unavailable(
        f"the data file {file} does not exist (looked in {os.getcwd()}); "
        "correct the path, or run pipedoctor where the training would start"
    )


def _suffix(file: str) -> str:
    path = Path(file)
    return Path(path.stem if path.suffix in PACKED else path.name).suffix.lower().lstrip(".")


def _kind(file: str) -> str:
    try:
        return KINDS[_suffix(file)]
    except KeyError:
        told = ", ".join(f".{suffix}" for suffix in KINDS)
        raise Unavailable(f"{file} is of no format that is known here ({told})") from None
