"""Importing, each in a process of its own, the packages that other libraries try to import."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.tried_imports import Tried, TriedImports
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.surroundings import asking, stated

OPTIONAL = (
    *("tensorflow", "torchvision", "torchaudio", "flash_attn", "bitsandbytes", "apex", "xformers"),
    *("deepspeed", "sentencepiece", "triton", "liger_kernel", "google.protobuf", "pyarrow"),
    *("pandas", "scipy", "sklearn", "PIL"),
)
"""
What transformers, accelerate, datasets and peft import where it is installed: one that raises
when it is imported takes them down with it.
"""

SECONDS = 60.0

WITH_CUDA = {
    "bitsandbytes": (
        "bool(getattr(__import__('bitsandbytes.cextension').cextension.lib, 'compiled_with_cuda', "
        "False))"
    )
}
"""How a package that is there for CUDA is asked whether it has it; tried with bitsandbytes 0.50.2."""


@probe(TriedImports, Cost.STATIC, "surroundings")
def imports(pipeline: Pipeline, _split: Split) -> TriedImports:
    """Import what is there, a few at a time."""
    wish = pipeline.part("surroundings")
    if not wish.get("children", True):
        raise Unavailable("no other process was to be started, so no import was tried")
    return TriedImports(
        tried([name for name in OPTIONAL if _there(name)], watch=wish.get("watch"))
    )


@probe(TriedImports, Cost.STATIC, "environment")
def imports_stated(pipeline: Pipeline, _split: Split) -> TriedImports:
    """Take what the environment states."""
    told = stated(pipeline, "imports")
    bare = {"works": True, "seconds": 0.0}
    return TriedImports({name: Tried(**{**bare, **one}) for name, one in told.items()})


def tried(
    names: list[str], seconds: float = SECONDS, watch: Callable[[str], None] | None = None
) -> dict[str, Tried]:
    """Return what came of importing each."""

    def one(name: str) -> Tried:
        if watch is not None:
            watch(f"importing {name}")
        return _try(name, seconds)

    with ThreadPoolExecutor(max_workers=max(1, min(4, os.cpu_count() or 1))) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))


def _there(name: str) -> bool:
    """Whether a package would be found; the one that it is part of is imported for that."""
    try:
        return find_spec(name.partition(".")[0]) is not None and (
            "." not in name or find_spec(name) is not None
        )
    except (ImportError, ValueError):
        return False


def _try(name: str, seconds: float) -> Tried:
    begin = time.monotonic()
    answer = asking.ask(WITH_CUDA.get(name, "None"), f"import {name}", seconds)
    took = round(time.monotonic() - begin, 2)
    if answer.late:
        return Tried(works=True, seconds=took, error=answer.failure, late=True)
    return Tried(works=not answer.failure, seconds=took, error=answer.failure, cuda=answer.value)
