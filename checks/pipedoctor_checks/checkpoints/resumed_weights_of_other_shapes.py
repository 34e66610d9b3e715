from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Model, Restored


@check(
    "CKP056",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"Error\(s\) in loading state_dict for .*": (
            "the model of this run has other shapes than the checkpoint: build it with the same "
            "config, num_labels above all"
        ),
    },
)
def resumed_weights_of_other_shapes(restored: Restored, model: Model) -> Iterator[Finding]:
    """
    The model of this run has tensors of other shapes than the checkpoint that it resumes from.

    Names that one of them lacks are passed over with a warning, but a tensor of another shape
    stops `train()` before its first step: a head for another number of labels, an embedding that
    was resized since.

    Fails:

        import torch

        model = torch.nn.Linear(2, 3)
        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {"model.safetensors": {"tensors": {"weight": ("F32", (2, 2))}}},
                },
            }
        }

    Passes:

        import torch

        model = torch.nn.Linear(2, 2)
        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {"model.safetensors": {"tensors": {"weight": ("F32", (2, 2))}}},
                },
            }
        }

    See also: <https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html>, `load_state_dict`.
    """
    held = restored.saved.checkpoint
    if restored.saved.broken or restored.sharded or held.adapter:
        return
    tensors = held.tensors
    differing = [
        (name, tensors[name].shape, parameter.shape)
        for name, parameter in model.parameters.items()
        if name in tensors and tensors[name].shape != parameter.shape
    ]
    if not differing:
        return
    name, saved, now = differing[0]
    more = f", and {len(differing) - 1} more differ" if len(differing) > 1 else ""
    yield Finding(
        message=f"{name} has shape {saved} in {restored.path}, and {now} in the model of this "
        f"run{more}: loading it is refused",
        where=restored.where,
        evidence={"tensors": [[n, list(s), list(p)] for n, s, p in differing[:10]]},
        remedy="build the model with the config of the checkpoint: "
        f'from_pretrained("{restored.path}")',
    )
