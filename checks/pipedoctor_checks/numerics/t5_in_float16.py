from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import ModelFiles, Settings

FAMILY = frozenset({"t5", "mt5", "umt5", "longt5", "switch_transformers"})
"""The kinds of models (`model_type`) whose layers were shaped in bfloat16 as T5's were."""

LIMIT = 65_504
"""The largest float16."""


@check("NUM005", Severity.WARNING, stage=Stage.ARGUMENTS)
def t5_in_float16(settings: Settings, files: ModelFiles) -> Iterator[Finding]:
    """
    A model of the T5 family is trained in float16, whose range its activations exceed.

    T5 was trained in bfloat16, which reaches as far as float32. Its feed-forward layers give
    values beyond 65,504, the most that float16 holds; they become infinite, and the loss NaN.
    bfloat16 has no such limit, float32 is slower but safe. Runs on a CPU are not judged.

    Fails:

        settings = {"fp16": True}
        files = {"model": {"config": {"model_type": "t5"}, "tensors": {"w": ("F32", (8, 8))}}}

    Passes:

        settings = {"bf16": True}
        files = {"model": {"config": {"model_type": "t5"}, "tensors": {"w": ("F32", (8, 8))}}}

    Passes:

        settings = {"fp16": True}
        files = {"model": {"config": {"model_type": "bert"}, "tensors": {"w": ("F32", (8, 8))}}}

    See also: <https://github.com/huggingface/transformers/pull/10956>.
    """
    if not settings.fp16 or settings.get("use_cpu") or settings.get("no_cuda"):
        return
    kind = str(files.config.get("model_type"))
    if kind not in FAMILY:
        return
    off, on = settings.entry("fp16", value=False), settings.entry("bf16", value=True)
    yield Finding(
        message=f"fp16 is set for {files.name}, a model of the type {kind}: activations of "
        f"this family go beyond {LIMIT:,}, the most that float16 holds",
        where=settings.where("fp16"),
        evidence={"model_type": kind, "fp16": True, "limit": LIMIT},
        remedy=f"train in bfloat16: {off}, {on}",
        alternatives=(f"train in float32: {off}",),
    )
