from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Resumable, Saved

PAIR = ("optimizer.pt", "scheduler.pt")


@check("CKP051", Severity.WARNING, stage=Stage.CHECKPOINT)
def optimizer_state_dropped_on_resume(resumable: Resumable) -> Iterator[Finding]:
    """
    The run resumes, but begins with a fresh optimizer and at the first step of its schedule.

    Trainer loads optimizer.pt and scheduler.pt only if both are there. If one is missing, so that
    of the other, too, nothing is used, and nothing is said: the learning rate starts again from
    its warmup or its peak, though the steps are counted on, so that it never falls to its end.
    That is how `save_only_model=True` saves.

    Fails:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500, "max_steps": 1000},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {},
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
                    "state": {"global_step": 500, "max_steps": 1000},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {},
                        "scheduler.pt": {},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>, `train`.
    """
    restored = resumable.restored
    if restored is None:
        yield from _by_itself(resumable)
        return
    if restored.saved.broken or restored.sharded or restored.loads_optimizer:
        return
    missing = [name for name in PAIR if name not in restored.names]
    there = [name for name in PAIR if name in restored.names]
    unused = f", and {there[0]} is not used without it" if there else ""
    yield Finding(
        message=f"{restored.path} has no {' and no '.join(missing)}{unused}: the run goes on at step "
        f"{_step(restored.saved)} with a fresh optimizer, and its learning rate from step 0 of the "
        "schedule",
        where=restored.where,
        evidence={"checkpoint": restored.path, "missing": missing, "unused": there},
        remedy="resume from a checkpoint that has both files"
        + (f': "{restored.whole}"' if restored.known("whole") and restored.whole else "")
        + "; where there is none, train on from its weights with a schedule for the steps that "
        "are left, as a new run",
    )


def _step(saved: Saved) -> int:
    """Return the step that the state tells; the name of the folder may be any."""
    checkpoint = saved.checkpoint
    told = checkpoint.state.get("global_step") if checkpoint.known("state") else None
    return told if isinstance(told, int) else saved.step


def _by_itself(resumable: Resumable) -> Iterator[Finding]:
    """Yield what a training that went on from a checkpoint would lose, with none at hand."""
    missing = [name for name in PAIR if name not in resumable.names]
    if resumable.saved.broken or resumable.sharded or not missing:
        return
    path = resumable.saved.checkpoint.path
    yield Finding(
        message=f"{path} has no {' and no '.join(missing)}: a training that goes on from it "
        "starts with a fresh optimizer and at step 0 of its schedule",
        where=Location(file=path),
        evidence={"checkpoint": path, "missing": missing},
        remedy="resume from a checkpoint that has both files; to use its weights, nothing is "
        "missing",
    )
