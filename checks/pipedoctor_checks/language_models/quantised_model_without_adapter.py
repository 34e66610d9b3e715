from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Reading, Settings
from pipedoctor_checks.hyperparameters._adapters import adapter_key

BITS = ("load_in_4bit", "load_in_8bit", "quantization_bit")

ADAPTERS = {"TRL": ("use_peft", True), "Axolotl": ("adapter", "qlora")}
"""What to state for an adapter; LLaMA-Factory's own default is one."""


@check(
    "LLM016",
    Severity.ERROR,
    stage=Stage.MODEL,
    symptoms={
        r"cannot perform fine-tuning on purely quantized models": "train an adapter on it: in TRL with use_peft, in Axolotl with adapter: qlora",
    },
)
def quantised_model_without_adapter(settings: Settings, tool: Reading) -> Iterator[Finding]:
    """
    The model is loaded in 4 or 8 bits, and no adapter is there that could be trained.

    Quantised weights can't be updated. Trainer refuses to start, after the model was loaded;
    Axolotl and LLaMA-Factory refuse the config. It is judged where a tool's own arguments say
    whether there is an adapter; a script of one's own may add one anywhere.

    Fails:

        from pipedoctor.targets.dialects import snippet

        settings = snippet("trl", "{dataset_name: imdb, load_in_4bit: true}")
        tool = settings.reading

    Passes:

        from pipedoctor.targets.dialects import snippet

        settings = snippet("trl", "{dataset_name: imdb, load_in_4bit: true, use_peft: true}")
        tool = settings.reading

    See also: <https://github.com/huggingface/transformers/issues/27702>.
    """
    if adapter_key(settings) is not None or settings.get("inference"):
        return
    for key in BITS:
        value = settings.stated.get(key)
        if value is None or isinstance(value, str) or not value:
            continue
        name, on = ADAPTERS.get(tool.tool, ("finetuning_type", "lora"))
        bits = value if key == "quantization_bit" else key.removeprefix("load_in_").rstrip("bit")
        yield Finding(
            message=f"{key} loads the model in {bits} bits, and {name} asks for no adapter: "
            "0 weights could be trained, and the run refuses to start",
            where=settings.where(key),
            evidence={"key": key, "value": value, "adapter": settings.get(name)},
            remedy=f"set {settings.entry(name, on)}",
            alternatives=(f"delete {key}, and train all weights",),
        )
