from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Restored, Settings

VALUES = {
    "adafactor": "beta1",
    "adamw": "betas",
    "sgd": "momentum",
    "rmsprop": "square_avg",
    "adagrad": "sum",
}
"""What each kind asks the restored state for first, where another kind has left it."""


@check(
    "CKP053",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"KeyError: '(momentum|betas|beta1|square_avg|exp_avg)'": (
            "optimizer.pt is of another kind of optimizer: set optim to the one it was saved with"
        ),
    },
)
def optimizer_of_another_kind_on_resume(
    restored: Restored, settings: Settings | None
) -> Iterator[Finding]:
    """
    The run makes another kind of optimizer than the checkpoint holds the state of.

    `load_state_dict` takes the groups and values of the saved optimizer as they are, whatever
    kind they are of. The first step then asks them for values that only its own kind has, and
    ends with a `KeyError`. AdamW and its fused twin are one kind.

    Fails:

        settings = {"resume_from_checkpoint": True, "optim": "sgd"}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {
                            "values": {
                                "param_groups.0.params": (0,),
                                "param_groups.0.betas": (0.9, 0.999),
                                "param_groups.0.eps": 1e-8,
                                "param_groups.0.amsgrad": False,
                            },
                        },
                        "scheduler.pt": {},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"resume_from_checkpoint": True, "optim": "adamw_torch"}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {
                            "values": {
                                "param_groups.0.params": (0,),
                                "param_groups.0.betas": (0.9, 0.999),
                                "param_groups.0.eps": 1e-8,
                                "param_groups.0.amsgrad": False,
                            },
                        },
                        "scheduler.pt": {},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.load_state_dict.html>.
    """
    if restored.saved.broken or not restored.loads_optimizer:
        return
    saved, wanted = restored.kind, restored.wanted
    if not saved or saved == wanted:
        return
    before = restored.arguments.get("optim") if restored.known("arguments") else None
    # What training_args.bin says need not be what optimizer.pt is of: one may have been replaced.
    if not isinstance(before, str) or not before.startswith(saved):
        before = ""
    optim = before or ("adamw_torch" if saved == "adamw" else saved)
    yield Finding(
        message=f"optimizer.pt of step {restored.saved.step} is that of {NAMES[saved]}, and this "
        f"run makes {NAMES[wanted]}: its first step ends with KeyError: {VALUES[wanted]!r}",
        where=restored.where if settings is None else settings.where("optim"),
        evidence={"saved": saved, "wanted": wanted},
        remedy="set "
        + (f"optim = {optim!r}" if settings is None else settings.entry("optim", optim))
        + f"; to change the optimizer, delete optimizer.pt and scheduler.pt of {restored.path}: the "
        "run then goes on with a fresh one",
    )


NAMES = {
    "adafactor": "Adafactor",
    "adamw": "AdamW",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
}
