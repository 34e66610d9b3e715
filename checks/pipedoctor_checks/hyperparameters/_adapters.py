"""Whether settings ask for an adapter such as LoRA, in the words of several tools."""

from __future__ import annotations

from pipedoctor.facts import Model, Settings

SWITCHES = ("use_peft", "use_lora", "use_qlora", "lora_enable", "enable_lora")
RANKS = ("lora_r", "lora_rank", "lora_dim")
KINDS = ("finetuning_type", "adapter", "peft_method", "peft_type", "tuner_type", "train_type")
NO_ADAPTER = {"", "full", "none", "freeze"}


def adapter_key(settings: Settings) -> str | None:
    """Return the key that asks for an adapter; None if the settings ask for none."""
    stated = settings.stated
    if settings.reading is not None:
        return _of_tool(settings)
    switches = [key for key in SWITCHES if key in stated]
    if switches:  # it decides: TRL's configs state a rank even where it is off
        return next((key for key in switches if stated[key]), None)
    for key in KINDS:
        if key in stated:
            return None if str(stated[key] or "").lower() in NO_ADAPTER else key
    return next((key for key in RANKS if stated.get(key)), None)


def _of_tool(settings: Settings) -> str | None:
    """Return the key where the tool's own arguments are known: nothing else makes an adapter."""
    if "use_peft" in settings.arguments.fields:
        return "use_peft" if settings.get("use_peft") is True else None
    for key in ("finetuning_type", "adapter"):
        if key in settings.arguments.fields:
            return None if str(settings.get(key) or "").lower() in NO_ADAPTER else key
    return None


def is_lora(settings: Settings, key: str) -> bool:
    """Whether the adapter that a key asks for is a LoRA, and not a prompt or a prefix."""
    if key not in KINDS:
        return True
    return "lora" in str(settings.get(key)).lower()


def has_lora(model: Model | None) -> bool:
    """Whether a model holds matrices of a LoRA, and trains nothing of what they are added to."""
    if model is None:
        return False
    trained = [name for name, parameter in model.parameters.items() if parameter.trainable]
    added = [name for name in trained if "lora_" in name]
    heads = sum(model.parameters[name].size for name in trained) < model.size / 2
    return bool(added) and heads


def freezes(settings: Settings) -> str | None:
    """Return a key that leaves a part of the model out of training, by what its name says."""
    if settings.get("finetuning_type") == "freeze":
        return "finetuning_type"
    return next((key for key, on in settings.stated.items() if "freeze" in key and on), None)
