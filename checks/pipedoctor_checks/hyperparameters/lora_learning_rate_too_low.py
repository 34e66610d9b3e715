from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Model, Settings
from pipedoctor.fix import put
from pipedoctor.units import millions
from pipedoctor.usual_rates import LORA_DECODER, short
from pipedoctor_checks.hyperparameters._adapters import adapter_key, has_lora, is_lora
from pipedoctor_checks.hyperparameters._optimizers import adamw

PREFERENCES = ("beta", "num_generations", "pref_beta", "desirable_weight", "reward_model")
STAGES = frozenset({"dpo", "kto", "orpo", "ppo", "rm", "grpo", "ipo", "simpo", "gdpo", "ebft"})
"""Signs of training on preferences, for which lower rates are usual."""


@check("HYP002", Severity.WARNING, stage=Stage.ARGUMENTS)
def lora_learning_rate_too_low(
    settings: Settings, model: Model | None = None, *, lowest: float = 5e-5
) -> Iterator[Finding]:
    """
    A LoRA is trained with a learning rate that is meant for full fine-tuning.

    LoRA's matrices start at zero effect and are few, and they take about ten times the rate of
    full fine-tuning: 2e-4 where the whole model would get 2e-5. With the default of
    `TrainingArguments`, 5e-5, or less, the loss falls slowly or hardly at all, and nothing says why.

    The option `lowest` is the rate below which a stated one is too low: half of the lowest that
    QLoRA's authors used. A rate that is stated is only noted, since examples of maintained tools
    state 1e-5 with LoRA too; the default nobody chose. Training on preferences (DPO and its kin)
    is not judged.

    Fails:

        settings = {"use_peft": True, "lora_r": 16, "learning_rate": 2e-5}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"use_peft": True, "lora_r": 16, "learning_rate": 2e-4}
        environment = {"transformers": "5.23.0"}

    See also: <https://arxiv.org/abs/2305.14314>, <https://thinkingmachines.ai/blog/lora/>.
    """
    key = adapter_key(settings)
    if (not has_lora(model)) if key is None else (not is_lora(settings, key)):
        return
    if (sign := _preferences(settings)) is not None:
        raise Unavailable(f"{sign} speaks of training on preferences, which takes lower rates")
    if (why := _untrained(settings)) is not None:
        raise Unavailable(f"{why}: nothing is trained")
    optimizer = adamw(settings)
    rate = settings.learning_rate
    stated = "learning_rate" in settings.stated
    if stated and rate >= lowest:
        return
    if not rate > 0:  # nor is it nan
        return  # then nothing is trained at all, LoRA or not
    low, high = LORA_DECODER.low, LORA_DECODER.high
    of_whom = "" if stated else ", the default, meant for full fine-tuning"
    yield Finding(
        message=f"The learning rate is {short(rate)}{of_whom}; {_asked(key, model)} LoRA, which is "
        f"trained with {low / rate:.0f} to {high / rate:.0f} times that ({short(low)} to "
        f"{short(high)})",
        where=settings.where("learning_rate"),
        evidence={
            "learning_rate": rate,
            "stated": stated,
            "usual_low": low,
            "usual_high": high,
            "adapter_key": key,
            "optim": optimizer,
        },
        remedy=f"set {settings.entry('learning_rate', high)}",
        severity=Severity.NOTE if stated else None,
        fix=settings.fix(put("learning_rate", high), safe=False),
    )


def _asked(key: str | None, model: Model | None) -> str:
    if key is not None or model is None:
        return f"{key} asks for"
    return f"{millions(model.trainable)} of {millions(model.size)} elements are trained, those of"


def _untrained(settings: Settings) -> str | None:
    """Return what says that no weight is changed at all."""
    train = settings.stated.get("do_train")
    if train is False:
        return "do_train is false"
    if settings.reading is None or settings.reading.tool != "LLaMA-Factory":
        return None
    other = next((key for key in ("do_predict", "do_eval") if settings.stated.get(key)), None)
    if train is None and other is not None:
        return f"{other} is stated, and do_train is not"
    # Where nothing lies there yet, LLaMA-Factory tokenises the data into it, and ends.
    alone = "tokenized_path" in settings.stated and "learning_rate" not in settings.stated
    return "tokenized_path may be for preparing the data alone" if alone else None


def _preferences(settings: Settings) -> str | None:
    for key in ("stage", "rl"):
        if str(settings.stated.get(key, "")).lower() in STAGES:
            return key
    if (settings.script or "").startswith("trl ") and settings.script != "trl sft":
        return settings.script
    known = {*settings.stated, *(settings.script_keys if settings.dialect == "python" else ())}
    return next((key for key in PREFERENCES if key in known), None)
