from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Model, Optimizer, Restored

MOMENTS = ("exp_avg", "exp_avg_sq", "momentum_buffer", "square_avg", "sum")
"""What optimizers remember of each element; Adafactor's sums of rows and columns are smaller."""


@check("CKP052", Severity.ERROR, stage=Stage.CHECKPOINT)
def optimizer_state_of_other_shapes(
    restored: Restored, optimizer: Optimizer | None, model: Model | None
) -> Iterator[Finding]:
    """
    The optimizer's state is that of another model: it has shapes that no saved weight has.

    Loading it compares the number of parameters only. The first step then works on tensors of
    different sizes: in PyTorch's fused AdamW that is a segmentation fault, without a traceback;
    elsewhere a `RuntimeError`; and where the number of elements happens to be the same, the
    training goes on with the wrong state, and says nothing.

    Fails:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (100, 16))}},
                        "optimizer.pt": {
                            "tensors": {"state.0.exp_avg": ("F32", (3,))},
                            "values": {"param_groups.0.params": (0,)},
                        },
                        "scheduler.pt": {},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (100, 16))}},
                        "optimizer.pt": {
                            "tensors": {"state.0.exp_avg": ("F32", (100, 16))},
                            "values": {"param_groups.0.params": (0,)},
                        },
                        "scheduler.pt": {},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.load_state_dict.html>.
    """
    if restored.saved.broken or restored.sharded or not restored.loads_optimizer:
        return
    fault = None
    if optimizer is not None and model is not None and not optimizer.strangers:
        fault = _against_model(restored, optimizer, model)
    fault = fault or _against_weights(restored)
    if fault is None:
        return
    number, name, shape, there = fault
    yield Finding(
        message=f"optimizer.pt remembers {name} of parameter {number} in the shape {shape}, and "
        f"{there}: the first step is a segmentation fault, an error, or wrong",
        where=restored.where,
        evidence={"parameter": number, "name": name, "shape": list(shape)},
        remedy=f"delete optimizer.pt and scheduler.pt of {restored.path} (the run then goes on with "
        "a fresh optimizer), or resume from the checkpoint that optimizer.pt came from",
    )


Fault = tuple[int, str, tuple[int, ...], str]


def _against_model(restored: Restored, optimizer: Optimizer, model: Model) -> Fault | None:
    """Return what the optimizer of this run would be given for a parameter of another shape."""
    numbers = [number for group in restored.groups for number in group.parameters]
    names = [name for group in optimizer.groups for name in group.parameters]
    saved = [len(group.parameters) for group in restored.groups]
    if saved != [len(group.parameters) for group in optimizer.groups]:
        return None  # another fault, told by itself
    tensors = restored.saved.checkpoint.tensors
    for number, parameter in zip(numbers, names, strict=True):
        found = _moment(restored, number)
        shape = model.parameters[parameter].shape
        if parameter in tensors and tensors[parameter].shape != shape:
            continue  # another fault as well: the weights are refused first
        if found is not None and found[1] != shape:
            return number, *found, f"that is {parameter}, of shape {shape}"
    return None


def _against_weights(restored: Restored) -> Fault | None:
    """Return what the optimizer remembers in a shape that no weight beside it has."""
    held = restored.saved.checkpoint
    if held.adapter or restored.in_parts:
        return None
    shapes = {tensor.shape for tensor in held.tensors.values()}
    for number in restored.moments:
        found = _moment(restored, number)
        if found is not None and found[1] not in shapes:
            return number, *found, "no tensor of the weights beside it has that shape"
    return None


def _moment(restored: Restored, number: int) -> tuple[str, tuple[int, ...]] | None:
    moments = restored.moments.get(number, {})
    return next(((name, moments[name]) for name in MOMENTS if name in moments), None)
