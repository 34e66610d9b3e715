from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Reading, Settings
from pipedoctor_checks.hyperparameters._adapters import adapter_key

SWITCHES = {"TRL": ("use_peft", True), "Axolotl": ("adapter", "lora")}
"""What makes a LoRA of them; without it, these two train all weights."""

TOLD = ("lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "lora_target_linear")


@check("LLM030", Severity.WARNING, stage=Stage.ARGUMENTS)
def lora_arguments_without_lora(settings: Settings, tool: Reading) -> Iterator[Finding]:
    """
    Rank and scale of a LoRA are stated, but nothing asks for the LoRA: all weights are trained.

    TRL looks at `lora_r` only with `use_peft: true`, Axolotl only with `adapter: lora`. Without
    that, the run starts, needs several times the memory, and trains the whole model, with a
    learning rate that was chosen for an adapter. Where the switch is stated and off, nothing is
    said.

    Fails:

        from pipedoctor.targets.dialects import snippet

        settings = snippet("trl", "{dataset_name: imdb, lora_r: 16}")
        tool = settings.reading

    Passes:

        from pipedoctor.targets.dialects import snippet

        settings = snippet("trl", "{dataset_name: imdb, lora_r: 16, use_peft: true}")
        tool = settings.reading

    See also: <https://huggingface.co/docs/trl/peft_integration>.
    """
    if tool.tool not in SWITCHES or adapter_key(settings) is not None:
        return
    name, on = SWITCHES[tool.tool]
    stated = [key for key in TOLD if settings.stated.get(key)]
    if not stated or name in settings.stated or name in tool.blank:
        return
    value = settings.stated[stated[0]]
    yield Finding(
        message=f"{stated[0]} is {value}, but {name} is not stated, so that {tool.tool} makes no "
        "LoRA, and trains all weights",
        where=settings.where(stated[0]),
        evidence={"keys": stated, "switch": name},
        remedy=f"set {settings.entry(name, on)}",
    )
