from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Model, ModelFiles, Settings
from pipedoctor_checks.hyperparameters._adapters import adapter_key
from pipedoctor_checks.numerics._precision import demand_files, loaded_as


@check(
    "NUM002",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"Attempting to unscale FP16 gradients": "load the model with dtype=torch.float32 and keep "
        "fp16, or train with bf16"
    },
)
def fp16_weights_with_fp16_amp(
    settings: Settings, files: ModelFiles | None, model: Model | None
) -> Iterator[Finding]:
    """
    The weights are loaded as float16, and `fp16` training refuses to update such weights.

    Mixed precision keeps the weights in float32 and computes in float16; the gradients of float16
    weights can't be unscaled without loss, and PyTorch raises `ValueError: Attempting to unscale
    FP16 gradients.` at the first step. Since transformers 5, `from_pretrained` loads a model in
    the type that its config or its weights state, where older versions made float32 of it, so
    that a script that worked before fails with the same checkpoint.

    Not judged are adapters, whose own weights are float32, DeepSpeed and FSDP, which scale
    gradients themselves, and runs on a CPU.

    Fails:

        settings = {"fp16": True}
        files = {"model": {"config": {"dtype": "float16"}, "tensors": {"w": ("F16", (1000, 1000))}}}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"fp16": True}
        files = {"model": {"config": {"dtype": "float32"}, "tensors": {"w": ("F32", (1000, 1000))}}}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"fp16": True}
        files = {"model": {"config": {"torch_dtype": "float16"}, "tensors": {"w": ("F16", (1000, 1000))}}}
        environment = {"transformers": "4.57.6"}

    See also: <https://github.com/huggingface/transformers/issues/23165>.
    """
    if not settings.fp16 or settings.get("use_cpu") or settings.get("no_cuda"):
        return
    for key in (adapter_key(settings), "deepspeed", "fsdp"):
        if key is not None and settings.stated.get(key):
            raise Unavailable(f"{key} changes which weights are updated, and how")
    source = _loaded(model) if model is not None else _half(settings, files)
    if source is None:
        return
    name = files.name if files is not None else "the model"
    bfloat16 = f"{settings.entry('fp16', value=False)}, {settings.entry('bf16', value=True)}"
    where = "dtype" if "dtype" in settings.stated else "torch_dtype"
    yield Finding(
        message=f"fp16 is set, and the weights of {name} are loaded as float16: {source}; "
        "the first step raises ValueError: Attempting to unscale FP16 gradients",
        where=settings.where(where if where in settings.stated else "fp16"),
        evidence={"fp16": True, "source": source, "transformers": settings.arguments.version},
        remedy="load the model in float32, with from_pretrained(…, dtype=torch.float32)",
        alternatives=(f"train in bfloat16, on a GPU that has it: {bfloat16}",),
    )


def _loaded(model: Model) -> str | None:
    """Return how many weights of a loaded model are float16; None if none of those to update is."""
    trained = [p for p in model.parameters.values() if p.trainable]
    half = [p for p in trained if p.dtype == "float16"]
    return f"{len(half)} of its {len(trained)} tensors" if half else None


def _half(settings: Settings, files: ModelFiles | None) -> str | None:
    """Return what makes the weights float16; None if nothing does."""
    found = loaded_as(settings, demand_files(files))
    return found[1] if found is not None and found[0] == "float16" else None
