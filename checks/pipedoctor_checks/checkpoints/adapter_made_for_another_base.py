from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import lora
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored


@check(
    "CKP015",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"size mismatch for base_model\.model\.": (
            "load the adapter onto the model that it was trained on; see `pipedoctor checkpoint` "
            "of its folder"
        ),
        r"Target modules .* not found in the base model": (
            "load the adapter onto the model that it was trained on"
        ),
    },
)
def adapter_made_for_another_base(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The matrices of a LoRA adapter don't fit its own config, or the base model that it names.

    An adapter is added to matrices of its base by their names, so it fits that model and its
    like. With another width the load stops; with other names the adapter is not applied, and
    the model answers as if it had never been trained.

    Fails:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 8},
                "tensors": {
                    "base_model.model.model.layers.0.q_proj.lora_A.weight": ("F32", (4, 64)),
                    "base_model.model.model.layers.0.q_proj.lora_B.weight": ("F32", (64, 4)),
                },
            }
        }

    Fails:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 4},
                "tensors": {
                    "base_model.model.model.layers.0.q_proj.lora_A.weight": ("F32", (4, 64)),
                    "base_model.model.model.layers.0.q_proj.lora_B.weight": ("F32", (64, 4)),
                },
                "base": {
                    "config": {"model_type": "llama"},
                    "tensors": {"model.layers.0.q_proj.weight": ("F32", (128, 128))},
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 4},
                "tensors": {
                    "base_model.model.model.layers.0.q_proj.lora_A.weight": ("F32", (4, 64)),
                    "base_model.model.model.layers.0.q_proj.lora_B.weight": ("F32", (64, 4)),
                },
                "base": {
                    "config": {"model_type": "llama"},
                    "tensors": {"model.layers.0.q_proj.weight": ("F32", (64, 64))},
                },
            }
        }

    See also: <https://github.com/huggingface/peft/issues/2566>.
    """
    for clash in lora.clashes(checkpoint):
        yield Finding(
            message=clash.message,
            where=_stored.place(checkpoint.weights[0]),
            evidence=clash.evidence,
            remedy=clash.remedy,
        )
