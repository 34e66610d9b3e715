from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Checkpoint, StoredFile, Tensor
from pipedoctor_checks.checkpoints import _stored

_LORA = re.compile(r"base_model\.model\.(.+)\.lora_A(\.\w+)?\.weight")


@check(
    "CKP015",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"size mismatch for base_model\.model\.": (
            "load the adapter onto the model that it was trained on; see `pipedoctor checkpoint` "
            "of its folder"
        ),
        r"Target modules .* not found in the base model": (
            "load the adapter onto the model that it was trained on"
        ),
    },
)
def adapter_made_for_another_base(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The matrices of a LoRA adapter don't fit its own config, or the base model that it names.

    An adapter is added to matrices of its base by their names, so it fits that model and its
    like. With another width the load stops; with other names the adapter is not applied, and
    the model answers as if it had never been trained.

    Fails:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 8},
                "tensors": {
                    "base_model.model.model.layers.0.q_proj.lora_A.weight": ("F32", (4, 64)),
                    "base_model.model.model.layers.0.q_proj.lora_B.weight": ("F32", (64, 4)),
                },
            }
        }

    Fails:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 4},
                "tensors": {
                    "base_model.model.model.layers.0.q_proj.lora_A.weight": ("F32", (4, 64)),
                    "base_model.model.model.layers.0.q_proj.lora_B.weight": ("F32", (64, 4)),
                },
                "base": {
                    "config": {"model_type": "llama"},
                    "tensors": {"model.layers.0.q_proj.weight": ("F32", (128, 128))},
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 4},
                "tensors": {
                    "base_model.model.model.layers.0.q_proj.lora_A.weight": ("F32", (4, 64)),
                    "base_model.model.model.layers.0.q_proj.lora_B.weight": ("F32", (64, 4)),
                },
                "base": {
                    "config": {"model_type": "llama"},
                    "tensors": {"model.layers.0.q_proj.weight": ("F32", (64, 64))},
                },
            }
        }

    See also: <https://github.com/huggingface/peft/issues/2566>.
    """
    if not checkpoint.adapter or checkpoint.config.get("peft_type") != "LORA":
        return
    file = next((f for f in checkpoint.weights if f.name.startswith("adapter_model")), None)
    if file is None:
        return
    pairs = dict(_pairs(checkpoint.tensors))
    yield from _ranks(checkpoint, file, pairs)
    try:
        base, config = checkpoint.base.tensors, checkpoint.base.config
    except Unavailable:
        return  # it lies elsewhere, or its weights can't be read here
    if "quantization_config" not in config:  # else they are packed into other shapes
        yield from _widths(checkpoint, file, pairs, base)


def _pairs(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Yield each matrix that the adapter is for, with its two factors."""
    for name, first in tensors.items():
        found = _LORA.fullmatch(name)
        second = tensors.get(name.replace(".lora_A", ".lora_B", 1))
        if found and second is not None and len(first.shape) == len(second.shape) == 2:
            yield found[1], (first, second)


def _ranks(
    checkpoint: Checkpoint, file: StoredFile, pairs: Mapping[str, tuple[Tensor, Tensor]]
) -> Iterator[Finding]:
    config = checkpoint.config
    rank = config.get("r")
    if type(rank) is not int or config.get("rank_pattern") or config.get("megatron_config"):
        return
    odd = [name for name, (first, _) in pairs.items() if first.shape[0] != rank]
    if odd and all(pairs[name][0].shape[0] for name in odd):
        stored = pairs[odd[0]][0].shape[0]
        yield Finding(
            message=f"adapter_config.json says r {rank}, and {len(odd)} of {len(pairs)} matrices "
            f"have rank {stored} or another: {_stored.some(odd)}",
            where=_stored.place(file),
            evidence={"r": rank, "stored": stored, "matrices": odd[:10]},
            remedy=f'take config and weights from one save; for these weights, "r": {stored}',
        )


def _widths(
    checkpoint: Checkpoint,
    file: StoredFile,
    pairs: Mapping[str, tuple[Tensor, Tensor]],
    base: Mapping[str, Tensor],
) -> Iterator[Finding]:
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
        yield Finding(
            message=f"{name} is {_by(is_)} in {there}, and the adapter is for {_by(wants)}; so are "
            f"{len(odd)} of its {len(pairs)} matrices",
            where=_stored.place(file),
            evidence={"base": checkpoint.base.path, "matrices": [n for n, _, _ in odd[:10]]},
            remedy="load it onto the model that it was trained on: set base_model_name_or_path in "
            "adapter_config.json",
        )
    last = {name.rpartition(".")[2] for name in pairs}
    held = {part for module in known for part in module.split(".")}
    if pairs and not last & held:
        yield Finding(
            message=f"{there} has no {_stored.some(sorted(last))}, which all {len(pairs)} matrices "
            "of the adapter are added to",
            where=_stored.place(file),
            evidence={"base": checkpoint.base.path, "modules": sorted(last)},
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
