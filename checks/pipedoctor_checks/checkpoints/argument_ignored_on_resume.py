from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Restored, Resume, Settings
from pipedoctor.facts.settings import number as shown
from pipedoctor.probes.values import number, positive
from pipedoctor.units import count

BATCH, ACCUMULATION = "per_device_train_batch_size", "gradient_accumulation_steps"

HELD = {
    "learning_rate": "initial_lr",
    "weight_decay": "weight_decay",
    "adam_beta1": "betas",
    "adam_beta2": "betas",
    "adam_epsilon": "eps",
}
"""Arguments that the groups of a saved optimizer hold, and under which names."""

ROUNDING = 1e-6
"""What is logged was computed in double precision from the rate that was stated."""


@check("CKP010", Severity.WARNING, stage=Stage.CHECKPOINT)
def argument_ignored_on_resume(
    settings: Settings, resume: Resume, environment: Environment, restored: Restored | None
) -> Iterator[Finding]:
    """
    The run resumes from a checkpoint with another learning rate or batch size than it was made with.

    The optimizer's state holds the learning rate, weight decay and more, and what is restored
    wins: others that were stated since are never used, higher or lower. (Another shape of the
    schedule, another warmup or end *is* used, with the old rate as its peak.) With another batch
    size, or accumulation, Trainer counts the steps that were made as steps of the new size, so that
    rows are seen twice, or left out, and the epochs change. Nothing of it is an error; the log has
    one line of warning for the batch size.

    Fails:

        settings = {"resume_from_checkpoint": "out/checkpoint-500", "learning_rate": 1e-5}
        files = {
            "checkpoint": {
                "global_step": 500,
                "max_steps": 3000,
                "log_history": [{"step": 500, "learning_rate": 4.5e-5}],
            }
        }
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"resume_from_checkpoint": "out/checkpoint-500", "learning_rate": 5e-5}
        files = {
            "checkpoint": {
                "global_step": 500,
                "max_steps": 3000,
                "log_history": [{"step": 500, "learning_rate": 4.5e-5}],
            }
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/issues/34053>.
    """
    if restored is not None and restored.saved.broken:
        return
    yield from _ignored(settings, resume, restored)
    yield from _rebased(settings, resume, restored, environment)


def _ignored(settings: Settings, resume: Resume, restored: Restored | None) -> Iterator[Finding]:
    """Yield the arguments that what is restored wins over."""
    if restored is None or not restored.loads_optimizer or not restored.known("groups"):
        if restored is None and resume.known("learning_rate"):
            yield from _lower(settings, resume)
        return
    before = restored.arguments if restored.known("arguments") else {}
    first = restored.groups[0].values
    for key, value in HELD.items():
        old, held = before.get(key), first.get(value)
        if key == "learning_rate" and old is None:
            old = (
                held if len({group.values.get(value) for group in restored.groups}) == 1 else None
            )
        if isinstance(held, tuple) and len(held) == 2 and key.startswith("adam_beta"):
            held = held[key == "adam_beta2"]
        if not isinstance(old, float) or not isinstance(held, float):
            continue
        now = number(settings, key)
        if abs(now - old) <= ROUNDING * abs(old):
            continue
        yield Finding(
            message=f"{key} is {shown(now)} and was {shown(old)} up to step {resume.step}; "
            f"optimizer.pt is restored with {shown(held)}, and the new value is never used",
            where=settings.where(key),
            evidence={key: now, "checkpoint": old, "restored": held, "step": resume.step},
            remedy=f"to go on as before, set {settings.entry(key, old)}; to train on with another "
            "value, load the checkpoint as the model and start a new run in another output_dir",
        )


def _lower(settings: Settings, resume: Resume) -> Iterator[Finding]:
    """Yield a rate below one that was logged: what the checkpoint holds is not known here."""
    rate, before = number(settings, "learning_rate"), resume.learning_rate
    if 0 < rate < before * (1 - ROUNDING):
        yield Finding(
            message=f"learning_rate is {shown(rate)}, but the checkpoint of step {resume.step} "
            f"was trained with at least {shown(before)}; the optimizer's state is restored, "
            "and the rate with it",
            where=settings.where("learning_rate"),
            evidence={"learning_rate": rate, "checkpoint": before, "step": resume.step},
            remedy="to train on with another rate, load the checkpoint as the model and start "
            "a new run in another output_dir",
        )


def _rebased(
    settings: Settings, resume: Resume, restored: Restored | None, environment: Environment
) -> Iterator[Finding]:
    """Yield a batch of another size: the steps made are taken for steps of the new size."""
    if settings.get("auto_find_batch_size"):
        return  # the size in the checkpoint is used, whatever is stated
    held = restored.arguments if restored is not None and restored.known("arguments") else {}
    batch, before = positive(settings, BATCH), held.get(BATCH)
    groups, groups_before = 1, held.get(ACCUMULATION)
    if isinstance(groups_before, int):
        groups = int(positive(settings, ACCUMULATION))
    else:
        groups_before = 1
    if not isinstance(before, int):
        if not resume.known("batch_size"):
            return
        # Trainer stores the rows of all devices that one process feeds, and compares the same way.
        before = resume.batch_size // max(1, environment.gpus if environment.known("gpus") else 1)
    now, then = batch * groups, before * groups_before
    if now == then:
        return
    key, old = (BATCH, before) if batch != before else (ACCUMULATION, groups_before)
    yield Finding(
        message=f"{key} is {int(settings.get(key))} and was {old} up to step {resume.step}: "
        f"Trainer takes these steps for {count(resume.step * now)} rows a device, though "
        f"{count(resume.step * then)} were trained, so that "
        + ("rows are left out" if now > then else "rows come again")
        + ", and counts the epochs anew",
        where=settings.where(key),
        evidence={"batch_size": now, "checkpoint": then, "step": resume.step},
        remedy=f"set {settings.entry(key, old)}"
        if batch == before or groups == groups_before
        else f"set {settings.entry(BATCH, before)} and {settings.entry(ACCUMULATION, groups_before)}",
    )
