from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Restored
from pipedoctor.units import plural

MOMENTS = ("exp_avg", "exp_avg_sq", "momentum_buffer", "square_avg", "sum")
"""What optimizers remember of each element; Adafactor's sums of rows and columns are smaller."""


@check("CKP052", Severity.ERROR, stage=Stage.CHECKPOINT)
def optimizer_state_of_other_shapes(restored: Restored) -> Iterator[Finding]:
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
    held = restored.saved.checkpoint
    if restored.saved.broken or restored.sharded or held.adapter or not restored.loads_optimizer:
        return
    saved = Counter(tensor.shape for tensor in held.tensors.values())
    remembered: Counter[tuple[int, ...]] = Counter()
    examples: dict[tuple[int, ...], str] = {}
    for number, moments in restored.moments.items():
        for name in MOMENTS:
            if name in moments:
                remembered[moments[name]] += 1
                examples[moments[name]] = f"{name} of parameter {number}"
                break
    for shape, times in remembered.items():
        if times <= saved[shape]:
            continue
        yield Finding(
            message=f"optimizer.pt remembers {plural(times, 'parameter')} of shape {shape} "
            f"({examples[shape]}), and the weights beside it hold {saved[shape]} of that shape: "
            "the first step is a segmentation fault, an error, or wrong",
            where=restored.where,
            evidence={"shape": list(shape), "optimizer": times, "weights": saved[shape]},
            remedy=f"delete {held.path}/optimizer.pt and scheduler.pt (the run then goes on with a "
            "fresh optimizer), or resume from the checkpoint that optimizer.pt came from",
        )
        return
