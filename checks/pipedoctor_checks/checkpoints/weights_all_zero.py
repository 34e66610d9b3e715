from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Unavailable, check
from pipedoctor.facts import Checkpoint, SavedValues
from pipedoctor_checks.checkpoints import _stored

_OPTIMIZER = ("optimizer/", "optimizer_weights/", "_optimizer/")
"""Where files of Keras keep the variables of the optimizer."""


@check("CKP060", Severity.WARNING, stage=Stage.CHECKPOINT)
def weights_all_zero(checkpoint: Checkpoint, values: SavedValues) -> Iterator[Finding]:
    """
    Most matrices of the checkpoint, or all that an adapter adds, are zero: nothing was learned.

    One matrix of zeros means little: a gate that starts at zero, or an embedding that a family
    does not use. What the optimizer remembers in a file of Keras starts at zero, and is no weight. Where most are zero, the weights were saved before they were loaded or gathered.
    The second factor of a LoRA starts at zero; where it still is, the adapter was never trained,
    or the adapter that was trained is another one.

    Fails:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 4},
                "tensors": {
                    "base_model.model.q_proj.lora_A.weight": ("F32", (4, 64)),
                    "base_model.model.q_proj.lora_B.weight": ("F32", (64, 4)),
                },
                "elements": {
                    "adapter_model.safetensors": {
                        "base_model.model.q_proj.lora_A.weight": {"total": 256},
                        "base_model.model.q_proj.lora_B.weight": {"total": 256, "all_zero": True},
                    }
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "tensors": {"a.weight": ("F32", (4, 4)), "b.weight": ("F32", (4, 4))},
                "elements": {
                    "model.safetensors": {
                        "a.weight": {"total": 16, "all_zero": True},
                        "b.weight": {"total": 16},
                    }
                },
            }
        }
    """
    for file in checkpoint.weights:
        found = values.elements.get(file.name, {})
        tensors = file.contents.tensors
        keras = "keras" in file.contents.format.lower()
        matrices = [
            name
            for name in found
            if name in tensors
            and len(tensors[name].shape) >= 2
            and not (keras and name.startswith(_OPTIMIZER))
        ]
        seconds = [n for n in matrices if ".lora_B" in n or "lora_embedding_B" in n]
        zero = [n for n in matrices if found[n].all_zero]
        if seconds and all(found[n].all_zero for n in seconds):
            yield Finding(
                message=f"all {len(seconds)} matrices lora_B of {file.name} are zero, as they are "
                "before the first step: the adapter changes nothing",
                where=_stored.place(file),
                evidence={"file": file.name, "zero": len(seconds), "of": len(seconds)},
                remedy="if it was trained: save it with trainer.model.save_pretrained(folder), and "
                "see that its parameters require gradients; as a beginning it is right",
                severity=Severity.NOTE,  # so does every new LoRA begin
            )
        elif not seconds and 2 * len(zero) > len(matrices):
            yield Finding(
                message=f"{len(zero)} of {len(matrices)} matrices of {file.name} are all zero: "
                f"{_stored.some(zero)}",
                where=Location(file=file.path, layer=zero[0]),
                evidence={"file": file.name, "zero": len(zero), "of": len(matrices)},
                remedy="save the model again after its weights were loaded or trained"
                if keras
                else "save the model again from where its weights are loaded and, under FSDP or "
                "ZeRO-3, gathered",
                # A single layer may well start at zero on purpose.
                severity=Severity.NOTE if len(matrices) == 1 else None,
            )
    if not values.elements:
        raise Unavailable("no weights were read")
