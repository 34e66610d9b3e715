"""The words of a launcher, before the program: how many processes they start."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TORCHRUN = frozenset({"torchrun", "torch.distributed.run", "torch.distributed.launch"})

SHARING = frozenset({"use_fsdp", "use_deepspeed", "FSDP", "DEEPSPEED"})
"""What asks `accelerate launch` to give each process a part of the model, and rows of its own."""

OTHERWISE = frozenset({"use_megatron_lm", "use_parallelism_config", "tpu", "MEGATRON_LM", "XLA"})
"""With these, several processes may work on the same rows; nothing is told then."""


def launch(words: Sequence[str], configs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """
    Return what a command tells of its processes, as the part `launch`; empty if it tells nothing.

    `processes` is their number over all machines. `wrapped` says whether each holds the whole
    model, as far as the launcher decides that and its words, or the config of accelerate among
    `configs`, tell.
    """
    launcher, options = _launcher(words)
    if launcher in TORCHRUN:
        each = options.get("nproc_per_node", "1")
        return _told("torchrun", _product(each, options.get("nnodes", "1")), wrapped=True)
    if launcher == "deepspeed":
        count = _product(options.get("num_gpus", ""), options.get("num_nodes", "1"))
        return _told(launcher, count, wrapped=True)
    if launcher == "accelerate":
        config: Any = (configs or {}).get("accelerate") or {}
        stated = options.get("num_processes", config.get("num_processes"))
        if not {*options, config.get("distributed_type")} & OTHERWISE:
            return _told(launcher, _count(stated), wrapped=_wrapped(options, config))
    return {}


def _launcher(words: Sequence[str]) -> tuple[str, Mapping[str, str]]:
    """Return the launcher of a command and the options before the program."""
    rest = iter(words)
    for word in rest:
        base = os.path.basename(word)
        if base in TORCHRUN or base in {"accelerate", "deepspeed"}:
            return base, dict(_options(list(rest)))
        if word.endswith(".py"):
            break
    return "", {}


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for number, word in enumerate(words):
        if word.endswith(".py") or word in ("-m", "--module"):
            return
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            after = words[number + 1 : number + 2]
            yield name.replace("-", "_"), value if equals else "".join(after)


def _told(launcher: str, processes: int | None, *, wrapped: bool | None) -> dict[str, Any]:
    if processes is None:
        return {}
    return {"launcher": launcher, "processes": processes, "wrapped": wrapped}


def _wrapped(options: Mapping[str, str], config: Mapping[str, Any]) -> bool | None:
    if SHARING & set(options):
        return False
    if "multi_gpu" in options:
        return True
    kind = config.get("distributed_type")
    # Without a config of the run, accelerate reads the one in the user's cache.
    return None if kind is None else kind not in SHARING


def _product(*figures: str) -> int | None:
    counts = [_count(figure) for figure in figures]
    product = 1
    for count in counts:
        if count is None:
            return None  # as many as there are GPUs, or as many machines as will come
        product *= count
    return product


def _count(figure: object) -> int | None:
    text = str(figure)
    low, colon, high = text.partition(":")
    if colon and low == high:  # torchrun's range of machines
        text = low
    return int(text) if text.isdecimal() and len(text) < 7 and int(text) else None
