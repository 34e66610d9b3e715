from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import AdapterTargets
from pipedoctor_checks.language_models._targets import layers, suggested


@check(
    "LLM011",
    Severity.ERROR,
    stage=Stage.MODEL,
    symptoms={
        r"Target modules .* not found in the base model": 'target_modules="all-linear"',
        r"No modules were targeted for adaptation": 'target_modules="all-linear"',
    },
)
def adapter_on_no_layer(targets: AdapterTargets) -> Iterator[Finding]:
    """
    None of the layers that the adapter is meant for exists in this model.

    Each family of models has names of its own for its layers: q_proj in Llama, c_attn in GPT-2,
    query_key_value in GPT-NeoX. PEFT raises if it finds none of those stated, after the model was
    downloaded and loaded.

    Fails:

        settings = {"use_peft": True, "lora_target_modules": ["q_proj", "v_proj"]}
        files = {
            "model": {
                "config": {"model_type": "gpt2"},
                "tensors": {
                    "h.0.attn.c_attn.weight": ("F32", (768, 2304)),
                    "h.0.attn.c_proj.weight": ("F32", (768, 768)),
                },
            }
        }

    Passes:

        settings = {"use_peft": True, "lora_target_modules": ["c_attn"]}
        files = {
            "model": {
                "config": {"model_type": "gpt2"},
                "tensors": {
                    "h.0.attn.c_attn.weight": ("F32", (768, 2304)),
                    "h.0.attn.c_proj.weight": ("F32", (768, 768)),
                },
            }
        }

    See also: <https://huggingface.co/docs/peft/package_reference/lora>.
    """
    if any(targets.matched.values()) or not targets.matched:
        return
    names = ", ".join(targets.matched)
    yield Finding(
        message=f"{names}: 0 layers of {targets.model} have {'this name' if len(targets.matched) == 1 else 'one of these names'}; "
        f"it has {layers(targets)}, and PEFT raises ValueError",
        where=targets.where,
        evidence={"targets": list(targets.matched), "layers": dict(targets.modules)},
        remedy=f"state {suggested(targets)} instead",
        alternatives=('state "all-linear", for all layers but the head',),
    )
