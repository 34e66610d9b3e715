from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored

_WRAPPERS = {
    "module.": "DataParallel or DistributedDataParallel",
    "_orig_mod.": "torch.compile",
    "base_model.model.": "PEFT",
    "_fsdp_wrapped_module.": "FSDP",
}
"""The prefixes under which wrappers save, none of which a model of Transformers has."""

_INNER = {
    "bert": "bert.",
    "roberta": "roberta.",
    "distilbert": "distilbert.",
    "electra": "electra.",
    "albert": "albert.",
    "deberta-v2": "deberta.",
    "gpt2": "transformer.",
    "vit": "vit.",
}
"""Families whose names never begin with `model.`, and what theirs begin with."""


@check("CKP018", Severity.ERROR, stage=Stage.CHECKPOINT)
def weights_under_other_names(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    All weights are saved under a prefix that the model does not know, so none is loaded.

    The state of a model that is wrapped in `DataParallel`, `torch.compile`, FSDP or an adapter has
    the wrapper's prefix before each name. `from_pretrained` then starts the whole model with
    random numbers and says so in a table of the log only; `load_state_dict(strict=False)` says
    nothing.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert"},
                "tensors": {
                    "module.bert.pooler.dense.weight": ("F32", (768, 768)),
                    "module.bert.pooler.dense.bias": ("F32", (768,)),
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "llama"},
                "tensors": {
                    "model.layers.0.self_attn.q_proj.weight": ("F32", (64, 64)),
                    "lm_head.weight": ("F32", (1000, 64)),
                },
            }
        }

    See also: <https://discuss.pytorch.org/t/solved-keyerror-unexpected-key-module-encoder-embedding-weight-in-state-dict/1686>.
    """
    if checkpoint.kind == "deepspeed":
        return  # "module" is the name of DeepSpeed's own entry for the weights
    if checkpoint.adapter:
        return
    names = list(checkpoint.tensors)
    config = checkpoint.config if checkpoint.known("config") else {}
    family = str(config.get("model_type") or "")
    found = _prefix(names, family)
    if found is None:
        return
    prefix, wrapper = found
    inside = bool(family) and checkpoint.kind in {"model", "trainer"}
    effect = (
        f"; from_pretrained looks for {names[0].removeprefix(prefix)} and starts it with random "
        "numbers"
        if inside
        else f"; a model that is not wrapped looks for {names[0].removeprefix(prefix)}"
    )
    file = next(file for file in checkpoint.weights if not file.index)
    yield Finding(
        message=f"all {len(names)} names of {file.name} begin with {prefix!r}, as {wrapper} saves "
        f"them{effect}",
        where=_stored.place(file),
        evidence={"prefix": prefix, "names": names[:5], "model_type": family or None},
        remedy="save the model inside: trainer.save_model(), or "
        "accelerator.unwrap_model(model).save_pretrained(folder)"
        if inside
        else f'load_state_dict({{name.removeprefix("{prefix}"): t for name, t in state.items()}})',
        severity=None if inside else Severity.NOTE,
    )


def _prefix(names: list[str], family: str) -> tuple[str, str] | None:
    """Return the prefix that all names share and the model has not, and what puts it there."""
    for prefix, wrapper in _WRAPPERS.items():
        if all(name.startswith(prefix) for name in names):
            return prefix, wrapper
    inner = _INNER.get(family)
    wrapped = all(name.startswith("model.") for name in names)
    if inner is not None and wrapped and any(n.startswith(f"model.{inner}") for n in names):
        return "model.", "a module around the model"
    return None
