from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import AdapterTargets
from pipedoctor_checks.language_models._targets import ATTENTION, layers


@check("LLM012", Severity.NOTE, stage=Stage.MODEL)
def adapter_misses_named_layers(targets: AdapterTargets) -> Iterator[Finding]:
    """
    Some of the layers that the adapter is meant for do not exist in this model.

    PEFT raises only if it finds none of the names; of a list written for another family of models
    it takes what fits, and says nothing. In Phi-3, the names of Llama fit o_proj and down_proj
    only: query, key and value are one layer, qkv_proj, and get no adapter. It is a warning if
    none of the names that fit belongs to the attention's inputs, where others were stated for
    them, else a note.

    Fails:

        settings = {"use_peft": True, "lora_target_modules": ["q_proj", "v_proj", "o_proj"]}
        files = {
            "model": {
                "config": {"model_type": "phi3"},
                "tensors": {
                    "model.layers.0.self_attn.qkv_proj.weight": ("F32", (96, 32)),
                    "model.layers.0.self_attn.o_proj.weight": ("F32", (32, 32)),
                },
            }
        }

    Passes:

        settings = {"use_peft": True, "lora_target_modules": ["qkv_proj", "o_proj"]}
        files = {
            "model": {
                "config": {"model_type": "phi3"},
                "tensors": {
                    "model.layers.0.self_attn.qkv_proj.weight": ("F32", (96, 32)),
                    "model.layers.0.self_attn.o_proj.weight": ("F32", (32, 32)),
                },
            }
        }

    See also: <https://huggingface.co/docs/peft/package_reference/lora>.
    """
    missed = [name for name, number in targets.matched.items() if not number]
    met = {name: number for name, number in targets.matched.items() if number}
    if not missed or not met:
        return
    grave = any(_of_attention(name) for name in missed) and not any(map(_of_attention, met))
    fits = ", ".join(f"{name} ({number} layers)" for name, number in met.items())
    yield Finding(
        message=f"{len(missed)} of {len(targets.matched)} names match no layer of {targets.model}: "
        f"{', '.join(missed)}; the adapter is on {fits} only. The model has {layers(targets)}",
        where=targets.where,
        evidence={"missed": missed, "matched": met, "layers": dict(targets.modules)},
        remedy=f"replace {', '.join(missed)} by the names that these layers have here",
        alternatives=('state "all-linear", for all layers but the head',),
        severity=Severity.WARNING if grave else None,
    )


def _of_attention(name: str) -> bool:
    """Whether a layer makes queries, keys or values."""
    return name in {*ATTENTION, "k_proj", "key", "k", "k_lin", "key_proj"}
