from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored


@check("CKP014", Severity.ERROR, stage=Stage.CHECKPOINT)
def adapter_nearly_empty(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The file of the adapter holds no weights, so all that was trained is lost.

    A `state_dict` that was replaced before saving, as scripts for older releases of PEFT did, or
    ZeRO-3 without gathering, leave a file of some hundred bytes. It loads, and changes nothing.

    Fails:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 8},
                "files": {
                    "adapter_model.safetensors": {
                        "size": 443,
                        "tensors": {
                            "base_model.model.q_proj.lora_A.weight": ("F32", (0,)),
                            "base_model.model.q_proj.lora_B.weight": ("F32", (0,)),
                        },
                    }
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 8},
                "tensors": {
                    "base_model.model.q_proj.lora_A.weight": ("F32", (8, 64)),
                    "base_model.model.q_proj.lora_B.weight": ("F32", (64, 8)),
                },
            }
        }

    See also: <https://github.com/tloen/alpaca-lora/issues/334>.
    """
    if not checkpoint.adapter:
        return
    for file in checkpoint.weights:
        tensors = file.contents.tensors
        if not file.sound or file.index or any(tensor.size for tensor in tensors.values()):
            continue
        yield Finding(
            message=f"{file.name} has {file.size:,} bytes: {len(tensors):,} tensors with no element "
            "in them",
            where=_stored.place(file),
            evidence={"file": file.name, "bytes": file.size, "tensors": len(tensors)},
            remedy="save again with model.save_pretrained(folder), without replacing state_dict; "
            "under ZeRO-3, gather first (stage3_gather_16bit_weights_on_model_save)",
        )
