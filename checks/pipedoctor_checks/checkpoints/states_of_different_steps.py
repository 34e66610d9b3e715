from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Resumable, SavedSteps


@check("CKP071", Severity.WARNING, stage=Stage.CHECKPOINT)
def states_of_different_steps(steps: SavedSteps, resumable: Resumable | None) -> Iterator[Finding]:
    """
    The files of one checkpoint were saved at different steps, and were put together later.

    Trainer writes all of them at one step, and each tells it: the folder by its name,
    trainer_state.json as `global_step`, scheduler.pt as `last_epoch`, optimizer.pt by the steps
    that its parameters have taken. A training that goes on from a mixture raises nothing. It takes
    rows anew or leaves some out, or works with averages and a learning rate of another time. Told
    is only what no training writes by itself: an optimizer behind its own schedule, or a
    trainer_state.json behind all the others. An optimizer that was begun anew on the way is
    behind the state together with its schedule, and is passed over.

    Fails:

        files = {
            "saved": {
                "path": "out/checkpoint-12",
                "kind": "trainer",
                "state": {"global_step": 12},
                "files": {
                    "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                    "optimizer.pt": {"values": {"state.0.step": 4}},
                    "scheduler.pt": {"values": {"last_epoch": 12}},
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "path": "out/checkpoint-12",
                "kind": "trainer",
                "state": {"global_step": 12},
                "files": {
                    "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                    "optimizer.pt": {"values": {"state.0.step": 12}},
                    "scheduler.pt": {"values": {"last_epoch": 12}},
                },
            }
        }

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>, `train`.
    """
    if resumable is not None and resumable.saved.odd:
        return  # it is of other weights altogether
    state, schedule, optimizer = steps.state, steps.schedule, steps.optimizer
    folder = steps.folder if steps.known("folder") else state
    if optimizer < schedule == state == folder:  # fp16 skips a step of both
        odd, told = "optimizer.pt", optimizer
        rest = f"scheduler.pt and trainer_state.json at step {schedule:,}"
    elif state < schedule == optimizer == folder:
        odd, told = "trainer_state.json", state
        rest = f"optimizer.pt and scheduler.pt at step {schedule:,}, as the folder is called"
    else:
        return
    yield Finding(
        message=f"{odd} was saved at step {told:,}, {rest}: a training that goes on from "
        f"{steps.path} mixes them, and raises nothing",
        where=Location(file=f"{steps.path}/{odd}"),
        evidence={
            "folder": folder,
            "state": state,
            "schedule": schedule,
            "optimizer": optimizer,
        },
        remedy=f"copy {odd} of step {schedule:,} back from the save that it was written by, or resume "
        "from another checkpoint",
    )
