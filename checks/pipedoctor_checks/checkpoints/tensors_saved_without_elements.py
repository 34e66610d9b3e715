from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored


@check(
    "CKP067",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"size mismatch for .*torch\.Size\(\[0\]\)": (
            "the weights were saved in parts that were not gathered: set "
            '"stage3_gather_16bit_weights_on_model_save": true'
        )
    },
)
def tensors_saved_without_elements(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The weights were saved without their elements: ZeRO-3 had them spread over the GPUs.

    Under ZeRO stage 3 each process holds a part of every weight, and a tensor that is not in use
    has none: its shape is (0,). A model that is saved in that state is a list of names. The
    training is lost unless the folder `global_step…` was kept beside it.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "llama"},
                "tensors": {
                    "model.embed_tokens.weight": ("BF16", (0,)),
                    "model.layers.0.mlp.up_proj.weight": ("BF16", (0,)),
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "llama"},
                "tensors": {
                    "model.embed_tokens.weight": ("BF16", (32000, 64)),
                    "model.layers.0.mlp.up_proj.weight": ("BF16", (128, 64)),
                },
            }
        }

    See also: <https://huggingface.co/docs/transformers/deepspeed>.
    """
    if checkpoint.adapter or checkpoint.kind == "deepspeed":
        return  # told as an adapter that is empty; ZeRO-3 keeps the elements with the optimizer
    tensors = checkpoint.tensors
    weights = [name for name, tensor in tensors.items() if tensor.floating]
    empty = [name for name in weights if tensors[name].size == 0]
    if 2 * len(empty) <= len(weights):
        return
    file = next(file for file in checkpoint.weights if not file.index)
    yield Finding(
        message=f"{len(empty)} of {len(weights)} tensors have no element: {_stored.some(empty)}",
        where=_stored.place(file),
        evidence={"empty": len(empty), "tensors": len(weights)},
        remedy='"stage3_gather_16bit_weights_on_model_save": true in the config of DeepSpeed; '
        "what was saved is recovered by `python zero_to_fp32.py . out` in the checkpoint's folder",
    )
