from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import ModelFiles, Script, Settings
from pipedoctor.facts.settings import number as shown
from pipedoctor.probes.values import number
from pipedoctor_checks.hyperparameters._adapters import adapter_key
from pipedoctor_checks.numerics._precision import loaded_as

HIGHEST = 5e-5
"""
Rates up to this are judged.

Weights of transformers are about 0.03. There the next bfloat16 number is 0.00012 away, and what is
less than half of that is rounded away.
"""

CONSEQUENCES = {
    "bfloat16": "beside 0.03 the next number is 0.00012 away, and a step of {rate} is less than half "
    "of that",
    "float16": "what is below 6e-8 is 0 in it: Adam's eps, and the squares of gradients below 2e-4 "
    "that it divides by",
}


@check("NUM004", Severity.WARNING, stage=Stage.ARGUMENTS, explains=("NUM003",))
def weights_loaded_in_sixteen_bits(
    settings: Settings, files: ModelFiles, script: Script | None
) -> Iterator[Finding]:
    """
    Nobody chose a type for the weights, and they are trained in the 16 bits of the checkpoint.

    Until transformers 4, `from_pretrained` made float32 of any checkpoint; since 5 it keeps the
    type that config.json or the weights state. The same script that trained float32 weights now
    trains bfloat16 ones, whose steps are mostly rounded away at the rates that fine-tuning
    takes: beside 0.03, the next bfloat16 number is 0.00012 away. In float16, Adam divides by 0.

    Not judged are a type that is stated, adapters, whose own weights are float32, DeepSpeed and
    FSDP, which keep float32 copies, optimizers other than Adam's kind, and rates above 5e-5.

    Fails:

        settings = {"bf16": True, "learning_rate": 2e-5}
        files = {"model": {"config": {"dtype": "bfloat16"}, "tensors": {"w": ("BF16", (100, 100))}}}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"bf16": True, "learning_rate": 2e-5}
        files = {"model": {"config": {"dtype": "float32"}, "tensors": {"w": ("F32", (100, 100))}}}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"bf16": True, "learning_rate": 2e-5}
        files = {"model": {"config": {"torch_dtype": "bfloat16"}, "tensors": {"w": ("BF16", (9, 9))}}}
        environment = {"transformers": "4.57.6"}

    See also: <https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md>.
    """
    if any(settings.stated.get(key) is not None for key in ("dtype", "torch_dtype")):
        return
    if script is not None and any(
        {"dtype", "torch_dtype"} & call.arguments.keys() for call in script.calls
    ):
        return
    for key in (adapter_key(settings), "deepspeed", "fsdp"):
        if key is not None and settings.stated.get(key):
            raise Unavailable(f"{key} changes which weights are updated, and how")
    found = loaded_as(settings, files)
    rate = number(settings, "learning_rate")
    adam = "optim" not in settings.stated or settings.word("optim").startswith("adamw_torch")
    if found is None or not adam or not 0 < rate <= HIGHEST:
        return
    kind, source = found
    if kind == "float16" and settings.fp16:
        return  # that does not even begin: NUM002
    yield Finding(
        message=f"The weights of {files.name} are loaded and trained as {kind} ({source}): "
        + CONSEQUENCES[kind].format(rate=shown(rate)),
        where=settings.where("learning_rate"),
        evidence={"dtype": kind, "source": source, "learning_rate": rate},
        remedy="load the model in float32, with from_pretrained(..., dtype=torch.float32), and "
        f"compute in bfloat16: {settings.entry('bf16', value=True)}",
    )
