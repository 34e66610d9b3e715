"""The weights of a LoRA held against its config and the model that it is added to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipedoctor.fact import Unavailable
from pipedoctor.facts.checkpoint import Checkpoint
from pipedoctor.facts.model_files import Tensor

_LORA = re.compile(r"base_model\.model\.(.+)\.lora_A(\.\w+)?\.weight")

MISMATCH = "RuntimeError: Error(s) in loading state_dict: size mismatch"
"""What PEFT raises where a matrix has another shape."""
NO_MODULE = "NoMatchingPeftModuleError: No modules were targeted for adaptation"
"""What it raises where no module of the base has a name that is wanted."""


@dataclass(frozen=True)
class Clash:
    """One thing that does not fit: a clause with its figures, the cure, and what PEFT raises."""

    message: str
    remedy: str
    evidence: Mapping[str, object]
    error: str = MISMATCH


def clashes(checkpoint: Checkpoint) -> Iterator[Clash]:
    """Yield what keeps a LoRA from being loaded."""
    if not checkpoint.adapter or checkpoint.config.get("peft_type") != "LORA":
        return
    if not any(file.name.startswith("adapter_model") for file in checkpoint.weights):
        return
    pairs = dict(_pairs(checkpoint.tensors))
    yield from _ranks(checkpoint.config, pairs)
    yield from _targets(checkpoint.config, pairs)
    try:
        base, config = checkpoint.base.tensors, checkpoint.base.config
    except Unavailable:
        return  # it lies elsewhere, or its weights can't be read here
    if "quantization_config" not in config:  # else they are packed into other shapes
        yield from _widths(checkpoint, pairs, base)


def _pairs(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Yield each matrix that the adapter is for, with its two factors."""
    for name, first in tensors.items():
        found = _LORA.fullmatch(name)
        second = tensors.get(name.replace(".lora_A", ".lora_B", 1))
        if found and second is not None and len(first.shape) == len(second.shape) == 2:
            yield found[1], (first, second)


def _ranks(
    config: Mapping[str, object], pairs: Mapping[str, tuple[Tensor, Tensor]]
) -> Iterator[Clash]:
    rank = config.get("r")
    if type(rank) is not int or config.get("rank_pattern") or config.get("megatron_config"):
        return
    odd = [name for name, (first, _) in pairs.items() if first.shape[0] != rank]
    if odd and all(pairs[name][0].shape[0] for name in odd):
        stored = pairs[odd[0]][0].shape[0]
        others = sorted({pairs[name][0].shape[0] for name in odd})
        ranks = f"rank{'s' * (len(others) > 1)} {' and '.join(map(str, others))}"
        yield Clash(
            message=f"adapter_config.json says r {rank}, and {len(odd)} of {len(pairs)} matrices "
            f"have {ranks}: {_some(odd)}",
            evidence={"r": rank, "stored": stored, "matrices": odd[:10]},
            remedy=f'take config and weights from one save; for these weights, "r": {stored}',
        )


def _targets(
    config: Mapping[str, object], pairs: Mapping[str, tuple[Tensor, Tensor]]
) -> Iterator[Clash]:
    """Yield that the config is for other modules than there are weights for."""
    named = config.get("target_modules")
    if not isinstance(named, list) or not named or not all(isinstance(n, str) for n in named):
        return  # one text is a pattern, and no list a default of the family
    held = sorted({name.rpartition(".")[2] for name in pairs})
    if not pairs or any(f".{name}".endswith(f".{target}") for name in pairs for target in named):
        return
    yield Clash(
        message=f"target_modules of adapter_config.json names {_some(sorted(named))}, and "
        f"all {len(pairs)} matrices of the weights are for {_some(held)}",
        evidence={"target_modules": named[:10], "stored": held[:10]},
        error=NO_MODULE,
        remedy="take config and weights from one save; for these weights, "
        f'"target_modules": {json.dumps(held)}',
    )


def _widths(
    checkpoint: Checkpoint,
    pairs: Mapping[str, tuple[Tensor, Tensor]],
    base: Mapping[str, Tensor],
) -> Iterator[Clash]:
    """Yield what does not fit the base: the widths, or the names altogether."""
    known, name_of = _by_module(base), checkpoint.config.get("base_model_name_or_path")
    there = f"its base {name_of or checkpoint.base.path}"
    odd = []
    for name, (first, second) in pairs.items():
        under = known.get(name) or known.get(name.partition(".")[2])
        # A Linear holds (out, in), the Conv1D of GPT-2 (in, out).
        wanted = {second.shape[0], first.shape[1]}
        if under is not None and len(under.shape) == 2 and set(under.shape) != wanted:
            odd.append((name, under.shape, (second.shape[0], first.shape[1])))
    if odd:
        name, is_, wants = odd[0]
        yield Clash(
            message=f"{name} is {_by(is_)} in {there}, and the adapter is for {_by(wants)}; so are "
            f"{len(odd)} of its {len(pairs)} matrices",
            evidence={"base": checkpoint.base.path, "matrices": [n for n, _, _ in odd[:10]]},
            remedy="load it onto the model that it was trained on: set base_model_name_or_path in "
            "adapter_config.json",
        )
    last = {name.rpartition(".")[2] for name in pairs}
    held = {part for module in known for part in module.split(".")}
    if pairs and not last & held:
        yield Clash(
            message=f"{there} has no {_some(sorted(last))}, which all {len(pairs)} matrices "
            "of the adapter are added to",
            evidence={"base": checkpoint.base.path, "modules": sorted(last)},
            error=NO_MODULE,
            remedy="load it onto the model that it was trained on: set base_model_name_or_path in "
            "adapter_config.json",
        )


def _by_module(base: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of the base by the names of their modules."""
    return {
        name.removesuffix(".weight"): tensor
        for name, tensor in base.items()
        if name.endswith(".weight")
    }


def _by(shape: tuple[int, ...]) -> str:
    return " by ".join(f"{size:,}" for size in shape)


def _some(names: list[str]) -> str:
    """Return the first three names of a list, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


_WHOLE = re.compile(r"base_model\.model\.(?:model\.)?(.+)\.weight")


@dataclass(frozen=True)
class Resized:
    """A table that the adapter holds whole, with another number of rows than in its base."""

    name: str
    rows: int
    base_rows: int


def resized(checkpoint: Checkpoint) -> list[Resized]:
    """
    Return the embeddings and output layers that were made larger before the adapter was trained.

    Raises:
        Unavailable: The base lies elsewhere, or its weights can't be read here.

    """
    if not checkpoint.adapter:
        return []
    base = _by_module(checkpoint.base.tensors)
    found = []
    for name, tensor in checkpoint.tensors.items():
        whole = _WHOLE.fullmatch(name)
        if whole is None or ".lora_" in name or len(tensor.shape) != 2:
            continue
        under = base.get(whole[1]) or base.get(f"model.{whole[1]}")
        same = under is not None and under.shape[1:] == tensor.shape[1:]
        if under is not None and same and under.shape[0] != tensor.shape[0]:
            found.append(Resized(whole[1], tensor.shape[0], under.shape[0]))
    return found
