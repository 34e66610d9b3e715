"""The installed packages of a training: versions, requirements, copies, what hides them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipedoctor.fact import Cost, Split, unknown
from pipedoctor.facts.environment import Environment
from pipedoctor.facts.packages import Conflict, Copies, Packages
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.surroundings import requirements, stated
from pipedoctor.probes.surroundings.metadata import Damaged, Installed, installed, normal

SHOWN = (
    *("torch", "transformers", "accelerate", "datasets", "tokenizers", "safetensors"),
    *("huggingface-hub", "peft", "trl", "bitsandbytes", "deepspeed", "evaluate"),
    *("tensorflow", "tensorflow-cpu", "keras", "tf-keras", "jax", "numpy", "pyarrow"),
)
"""The packages whose versions are told, in this order."""

REPORTERS = {
    **{name: (name,) for name in ("clearml", "codecarbon", "dagshub", "dvclive")},
    **{name: (name,) for name in ("neptune", "swanlab", "trackio", "wandb")},
    "azure_ml": ("azureml-core",),
    "comet_ml": ("comet-ml",),
    "mlflow": ("mlflow", "mlflow-skinny"),
    "tensorboard": ("tensorboard", "tensorboardx"),
}
"""The packages of each tool that `report_to` knows; any of them will do (transformers 5.23.0)."""

IMPORTED = frozenset(
    (
        *("torch", "transformers", "datasets", "tokenizers", "accelerate", "safetensors", "peft"),
        *("trl", "huggingface_hub", "tensorflow", "keras", "jax", "numpy", "pandas", "pyarrow"),
        *(
            "scipy",
            "sklearn",
            "tqdm",
            "regex",
            "requests",
            "yaml",
            "packaging",
            "filelock",
            "dill",
        ),
        *("wandb", "bitsandbytes", "deepspeed", "psutil", "fsspec", "PIL", "sympy", "jinja2"),
    )
)
"""Packages that the libraries of training import themselves."""

STANDARD = frozenset(
    (
        *("abc", "calendar", "code", "collections", "contextlib", "copy", "csv", "dataclasses"),
        *("email", "enum", "functools", "hashlib", "html", "http", "inspect", "io", "json"),
        *("logging", "numbers", "operator", "pickle", "platform", "queue", "random", "secrets"),
        *("select", "shutil", "signal", "socket", "ssl", "statistics", "string", "struct"),
        *("tempfile", "threading", "token", "tokenize", "types", "typing", "uuid", "warnings"),
    )
)
"""Modules of Python's own that they import, of which people like to name files."""


@probe(Packages, Cost.STATIC, "surroundings")
def packages(_pipeline: Pipeline, _split: Split) -> Packages:
    """Read the metadata of all packages on the path."""
    return measured(sys.path, _here())


@probe(Packages, Cost.STATIC, "environment")
def packages_stated(pipeline: Pipeline, _split: Split) -> Packages:
    """Take what the environment states."""
    told = stated(pipeline, "packages")
    environment = pipeline.fact(Environment)
    conflicts = tuple(Conflict(**one) for one in told.pop("conflicts", ()))
    copies = tuple(
        Copies(**{**one, "copies": tuple(map(tuple, one["copies"]))})
        for one in told.pop("copies", ())
    )
    bare: dict[str, Any] = {
        "python": environment.python,
        "prefix": "",
        "versions": environment.versions,
        **{name: {} for name in ("editable", "damaged", "hidden")},
    }
    return Packages(**{**bare, **told, "conflicts": conflicts, "copies": copies})


def measured(path: Sequence[str], here: str | None) -> Packages:
    """Return what lies in the folders of a path, and what the working directory hides of it."""
    found = list(installed(path))
    every = [one for one in found if isinstance(one, Installed)]
    first: dict[str, Installed] = {}
    for one in every:
        first.setdefault(normal(one.name), one)
    try:
        conflicts: Any = requirements.conflicts(first)
    except ImportError:
        conflicts = unknown("the package packaging, which compares versions, is not installed")
    return Packages(
        python=".".join(str(number) for number in sys.version_info[:3]),
        prefix=sys.prefix,
        versions={name: first[name].version for name in SHOWN if name in first},
        conflicts=conflicts,
        copies=tuple(_copies(every)),
        editable={n: one.source for n, one in first.items() if one.source and n in _STACK},
        damaged={one.path: one.reason for one in found if isinstance(one, Damaged)}
        | dict.fromkeys(_bare(path, here, first), "this package has no metadata beside it"),
        hidden=hidden(here),
        reporters=tuple(
            sorted(tool for tool, names in REPORTERS.items() if any(n in first for n in names))
        ),
    )


_STACK = frozenset(requirements.STACK)


def _copies(every: Iterable[Installed]) -> Iterable[Copies]:
    """Yield the packages of training that are there more than once."""
    import site

    by_name: dict[str, list[Installed]] = {}
    for one in every:
        by_name.setdefault(normal(one.name), []).append(one)
    own = os.path.realpath(site.getusersitepackages()) if site.ENABLE_USER_SITE else None
    for name, several in by_name.items():
        if name in _STACK and len(several) > 1:
            yield Copies(
                name,
                tuple((one.version, one.folder) for one in several),
                user_site=several[0].folder == own,
            )


ASKED = ("torch", "transformers", "tokenizers", "accelerate", "datasets", "peft", "numpy")
"""Packages that others learn about from their metadata."""


def _bare(path: Sequence[str], here: str | None, known: Mapping[str, Installed]) -> Iterable[str]:
    """Yield the folders of packages that imports find, and of which nothing is recorded."""
    folders = [folder for folder in path if folder and folder != here]
    for name in ASKED:
        if name in known:
            continue
        places = (os.path.join(folder, name) for folder in folders)
        yield from (at for at in places if os.path.isfile(os.path.join(at, "__init__.py")))


def hidden(here: str | None) -> dict[str, str]:
    """
    Return what lies in a folder under the name of a package that libraries import.

    A script's own folder comes first on the path, so its `datasets.py` is imported by all that
    import datasets. A folder hides a package only with an `__init__.py`.
    """
    found: dict[str, str] = {}
    for name in _names(here) if here is not None else ():
        assert here is not None
        stem, dot, kind = name.partition(".")
        if stem not in IMPORTED and stem not in STANDARD:
            continue
        whole = os.path.join(here, name)
        if (dot and kind == "py") or (
            not dot and os.path.isfile(os.path.join(whole, "__init__.py"))
        ):
            found[name] = stem
    return found


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _here() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None
