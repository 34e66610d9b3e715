from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import CheckpointPlan, Disk, Schedule, Settings
from pipedoctor.fix import put
from pipedoctor.units import count, plural, size


@check(
    "CKP001",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"No space left on device": "make room where output_dir is, or keep fewer checkpoints: "
        '"save_total_limit": 2',
        r"Disk quota exceeded": "free some of your quota, or keep fewer checkpoints: "
        '"save_total_limit": 2',
        r"PytorchStreamWriter failed writing file": "the disk was probably full: keep fewer "
        'checkpoints, "save_total_limit": 2',
    },
)
def checkpoints_fill_the_disk(
    plan: CheckpointPlan, disk: Disk, settings: Settings, schedule: Schedule | None
) -> Iterator[Finding]:
    """
    The checkpoints of the run need more room than the disk has left.

    By default Trainer saves every 500 steps and deletes nothing. A checkpoint holds the weights
    and, with AdamW, twice as much again for the optimizer: 12 bytes a parameter, 1.3 GB for BERT
    base. When the disk is full, training stops in the middle of a write, the checkpoint that was
    begun is useless, and whatever else writes to that disk fails as well.

    Counted is the most that exists at one time: with a limit, the new checkpoint is written
    before the oldest is deleted.

    Fails:

        settings = {"output_dir": "out", "per_device_train_batch_size": 8}
        train_data = range(104743)
        files = {
            "output_dir": "out",
            "model": {"config": {"model_type": "bert"}, "tensors": {"w": ("F32", (108310, 1000))}},
        }
        environment = {"transformers": "5.23.0", "disk_free": 61_200_000_000, "gpus": 0}

    Passes:

        settings = {"output_dir": "out", "per_device_train_batch_size": 8, "save_total_limit": 3}
        train_data = range(104743)
        files = {
            "output_dir": "out",
            "model": {"config": {"model_type": "bert"}, "tensors": {"w": ("F32", (108310, 1000))}},
        }
        environment = {"transformers": "5.23.0", "disk_free": 61_200_000_000, "gpus": 0}

    See also: <https://github.com/databrickslabs/dolly/issues/139>.
    """
    each, need = plan.bytes_each, plan.peak_bytes
    if need <= disk.free:
        return
    fit = disk.free // each
    evidence: dict[str, object] = {
        "checkpoints": plan.count,
        "peak": plan.peak,
        "bytes_each": each,
        "peak_bytes": need,
        "free": disk.free,
        "path": disk.path,
        "fit": fit,
    }
    message = (
        f"{plural(plan.peak, 'checkpoint')} of {size(each)} {'needs' if plan.peak == 1 else 'need'} "
        f"{size(need)}; the disk of {disk.path} has {size(disk.free)} free"
    )
    full = _full(settings, schedule, fit)
    if full is not None and schedule is not None:
        evidence |= {"full_at_step": full, "total_steps": schedule.total_steps}
        message += (
            f". Checkpoint {count(fit + 1)}, at step {count(full)} of {count(schedule.total_steps)}, "
            f"no longer fits, after {full / schedule.total_steps:.0%} of the run"
        )
    cures = list(_cures(plan, disk, settings, schedule))
    limit = _limit(plan, disk, settings)
    room = f"put output_dir on a disk with more than {size(need)} free"
    yield Finding(
        message=message,
        where=settings.where(
            "save_total_limit" if settings.get("save_total_limit") else "output_dir"
        ),
        evidence=evidence,
        remedy=cures[0] if cures else room,
        alternatives=(*cures[1:], room) if cures else (),
        fix=settings.fix(put("save_total_limit", limit), safe=False) if limit else None,
    )


def _full(settings: Settings, schedule: Schedule | None, fit: int) -> int | None:
    """Return the step of the first checkpoint that does not fit, if that is sure."""
    if schedule is None or not schedule.known("checkpoints"):
        return None
    # Until the limit is reached all checkpoints stay. Only with a limit of 1 and the best kept
    # besides it depends on the scores when three stand there.
    if settings.get("save_total_limit") == 1 and fit == 2:
        return None
    return next(islice(schedule.checkpoints, fit, None), None)


def _limit(plan: CheckpointPlan, disk: Disk, settings: Settings) -> int | None:
    """Return how many checkpoints can be kept while another is written, if any."""
    limit: int = min(3, disk.free // plan.bytes_each - 1)
    return limit if limit >= (2 if settings.get("load_best_model_at_end") else 1) else None


def _cures(
    plan: CheckpointPlan, disk: Disk, settings: Settings, schedule: Schedule | None
) -> Iterator[str]:
    """Yield the changes that would do, each with what it needs."""
    each, best = plan.bytes_each, bool(settings.get("load_best_model_at_end"))
    limit = _limit(plan, disk, settings)
    if limit is not None:
        kept = (limit + 1) * each
        yield f"set {settings.entry('save_total_limit', limit)}: at most {size(kept)} while one is written"
    if (
        schedule is not None
        and schedule.known("steps_per_epoch")
        and schedule.known("epochs")
        and settings.get("save_strategy") == "steps"
    ):
        number = math.ceil(schedule.epochs)
        if number < plan.peak and number * each <= disk.free:
            lines = settings.entry("save_strategy", "epoch")
            if best:  # Trainer then wants both of a kind
                lines += f", {settings.entry(settings.eval_name, 'epoch')}"
            first = min(schedule.steps_per_epoch, schedule.total_steps)
            yield (
                f"set {lines}: {plural(number, 'checkpoint')}, {size(number * each)}, "
                f"the first at step {count(first)}"
            )
    if plan.known("weights_bytes") and not settings.get("save_only_model"):
        kept = plan.peak * plan.weights_bytes
        if kept <= disk.free:
            yield (
                f"set {settings.entry('save_only_model', value=True)}: {size(kept)}, but no checkpoint can "
                "be resumed from"
            )
