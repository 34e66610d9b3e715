"""
The steps of a run, by the arithmetic of `Trainer.train` and its `DefaultFlowCallback`.

Where releases of transformers count differently, `habits` knows which does what.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable, unknown
from pipedoctor.facts.environment import Environment
from pipedoctor.facts.rows import Rows
from pipedoctor.facts.schedule import NEVER, Marks, Schedule
from pipedoctor.facts.settings import Settings
from pipedoctor.finding import Location
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.probe import probe
from pipedoctor.probes import habits
from pipedoctor.probes.values import guarded, number, positive, whole

LONGEST = 10**15
"""No run has so many steps; what says so is a mistake, and `len` can't count them."""

WITHOUT_WARMUP = frozenset({"constant", "reduce_lr_on_plateau", "greedy"})
"""The schedulers that `get_scheduler` builds without a warm-up."""


@dataclass(frozen=True, repr=False, eq=False)
class Epoch:
    """One pass over the data: its batches, and its optimizer steps."""

    batches: int
    accumulation: int
    steps: int

    def reached(self, step: int) -> float:
        """Return the epoch that Trainer reports after a step."""
        full, rest = divmod(step, self.steps)
        return full + rest * self.accumulation / self.batches if rest else float(full)


@dataclass(frozen=True, repr=False, eq=False)
class Run:
    """A run as far as it is counted, which is what its marks are made of."""

    settings: Settings
    total: int
    planned: int
    """What shares are shares of: the total, but nothing where `max_steps` is 0."""
    epoch: Epoch | Unavailable


@probe(Schedule, Cost.STATIC)
def schedule(pipeline: Pipeline, _split: Split) -> Schedule:
    """
    Count the steps; rows are needed for it, unless `max_steps` says it all.

    With `max_steps` alone, what goes by epochs stays unknown, for the reason why rows are.
    """
    settings = pipeline.fact(Settings)
    if settings.script is not None and settings.stated.get("do_train") is False:
        raise Unavailable(f"do_train is false, so {settings.script} trains nothing")
    devices, spread = _devices(pipeline, settings)
    batch = positive(settings, "per_device_train_batch_size") * devices
    accumulation = positive(settings, "gradient_accumulation_steps")
    limit = _limit(settings)
    run = _count(pipeline, settings, limit, batch)
    epoch = run.epoch
    return Schedule(
        total_steps=run.total,
        steps_per_epoch=epoch.steps if isinstance(epoch, Epoch) else unknown(epoch),
        batches_per_epoch=epoch.batches if isinstance(epoch, Epoch) else unknown(epoch),
        epochs=run.total / epoch.steps if isinstance(epoch, Epoch) else unknown(epoch),
        batch_size=batch * accumulation,
        warmup_steps=guarded(lambda: _warmup(run)),
        checkpoints=guarded(lambda: _checkpoints(run)),
        evaluations=guarded(lambda: _evaluations(run)),
        logs=guarded(lambda: _logs(run)),
        origin=_origin(settings, limit is not None, spread if devices > 1 else ""),
    )


def _count(pipeline: Pipeline, settings: Settings, limit: int | None, batch: int) -> Run:
    epoch: Epoch | Unavailable
    try:
        epoch = _epoch(settings, pipeline.fact(Rows, Split.TRAIN), batch)
    except (Unavailable, ProbeFailed) as reason:
        if limit is None:
            raise
        epoch = reason if isinstance(reason, Unavailable) else Unavailable(str(reason))
    if limit is None:
        assert isinstance(epoch, Epoch)
        planned = total = _by_epochs(settings, epoch)
    elif limit == 0:  # one step is made before Trainer sees that it was one too many
        planned, total = 0, 1 if number(settings, "num_train_epochs") > 0 else 0
    else:
        planned = total = limit
    # Before short groups made steps, the end of an epoch could fall anywhere between two.
    if isinstance(epoch, Epoch) and not _regular(settings, epoch):
        epoch = Unavailable(
            f"{epoch.batches} batches an epoch are no multiple of gradient_accumulation_steps "
            f"{epoch.accumulation}, which transformers {settings.arguments.version} counts "
            "unevenly"
        )
    return Run(settings, total, planned, epoch)


def _epoch(settings: Settings, counted: Rows, batch: int) -> Epoch:
    accumulation = positive(settings, "gradient_accumulation_steps")
    if counted.known("batches") and counted.batches > 0:  # of the user's own data loader
        return Epoch(counted.batches, accumulation, steps=-(-counted.batches // accumulation))
    rows = counted.used
    if rows is None:
        raise Unavailable("the data has no length, so an epoch has no known number of steps")
    if rows == 0:
        raise Unavailable("the training data has no rows")
    batches = rows // batch if settings.dataloader_drop_last else -(-rows // batch)
    if batches == 0:
        raise Unavailable(
            f"dataloader_drop_last leaves no batch: there are {rows} rows for batches of {batch}"
        )
    return Epoch(batches, accumulation, steps=-(-batches // accumulation))


def _by_epochs(settings: Settings, epoch: Epoch) -> int:
    steps = epoch.steps
    if not _regular(settings, epoch):
        version = settings.arguments.version
        if habits.SHORT_GROUPS.known(version) is None:
            raise habits.SHORT_GROUPS.unknown(version)
        steps = epoch.batches // epoch.accumulation
    total = ceil(number(settings, "num_train_epochs") * steps)
    if total > LONGEST:
        raise Unavailable(f"num_train_epochs makes {total:.1e} steps, which no run will end")
    return max(total, 0)


def _regular(settings: Settings, epoch: Epoch) -> bool:
    """Whether every epoch has the same number of steps, in this version of transformers."""
    full = epoch.batches % epoch.accumulation == 0 or epoch.batches < epoch.accumulation
    return full or habits.SHORT_GROUPS.known(settings.arguments.version) is True


def _limit(settings: Settings) -> int | None:
    """Return the limit that `max_steps` sets, None where the epochs decide."""
    limit = whole(settings, "max_steps")
    if limit > LONGEST:
        raise Unavailable(f"max_steps is {limit}, which no run will end")
    if limit != 0:
        return limit if limit > 0 else None
    counts = habits.ZERO_IS_A_LIMIT.known(settings.arguments.version)
    if counts is None:
        raise habits.ZERO_IS_A_LIMIT.unknown(settings.arguments.version)
    return 0 if counts else None


def _checkpoints(run: Run) -> Marks:
    strategy = _strategy(run, "save_strategy", "best")
    if strategy == "no":
        return NEVER
    if strategy == "epoch":
        return _each_epoch(run)
    if strategy == "best":
        if not len(_evaluations(run)):
            return NEVER  # what is best is only asked after an evaluation
        raise Unavailable("with save_strategy best, the metric decides when it is saved")
    every = max(_interval(run, "save_steps"), 0)
    version = run.settings.arguments.version
    at_end = habits.CHECKPOINT_AT_END.known(version)
    if at_end is None and (every == 0 or run.total % every):
        raise habits.CHECKPOINT_AT_END.unknown(version)
    return Marks(every, run.total, last=bool(at_end))


def _evaluations(run: Run) -> Marks:
    strategy = _strategy(run, run.settings.eval_key)
    if strategy == "no":
        return NEVER
    delay = number(run.settings, "eval_delay")
    if strategy == "epoch":
        return _delayed(_each_epoch(run), delay, run.epoch)
    # Neither None nor 0 is an interval: logging_steps takes their place.
    every = _positive_interval(run, "eval_steps" if run.settings.eval_steps else "logging_steps")
    version = run.settings.arguments.version
    at_end = habits.EVALUATION_AT_END.known(version)
    if at_end is None and run.total % every:
        raise habits.EVALUATION_AT_END.unknown(version)
    return Marks(every, run.total, last=bool(at_end), start=max(ceil(delay), 0))


def _delayed(ends: Marks, delay: float, epoch: Epoch | Unavailable) -> Marks:
    """Leave out the ends of epochs before a delay, which counts in epochs here."""
    assert isinstance(epoch, Epoch)
    start = max(ceil(delay * epoch.steps), 0)
    if ends.total % epoch.steps == 0:
        return replace(ends, start=start)
    if delay > epoch.reached(ends.total):  # the last epoch may be cut short
        return replace(ends, start=start, last=False)
    return replace(ends, start=min(start, ends.total))


def _logs(run: Run) -> Marks:
    strategy = _strategy(run, "logging_strategy")
    first = bool(run.settings.logging_first_step)
    if strategy == "no":
        return Marks(0, run.total, also_first=first)
    if strategy == "epoch":
        return replace(_each_epoch(run), also_first=first)
    return Marks(_positive_interval(run, "logging_steps"), run.total, also_first=first)


def _each_epoch(run: Run) -> Marks:
    """Return the ends of the epochs; the last one counts, however short it is cut."""
    if isinstance(run.epoch, Unavailable):
        raise run.epoch
    return Marks(run.epoch.steps, run.total, last=True)


def _warmup(run: Run) -> int:
    settings = run.settings
    if settings.word("lr_scheduler_type") in WITHOUT_WARMUP:
        return 0
    steps = number(settings, "warmup_steps")
    ratio = None
    if "warmup_ratio" in settings.arguments.fields and settings.warmup_ratio is not None:
        ratio = number(settings, "warmup_ratio")
    if habits.WARMUP_IS_A_SHARE.known(settings.arguments.version):
        # One argument for both: below 1 it is a share. The old one, while there is one, wins.
        value = steps if ratio is None else ratio
        share = value < 1
    else:
        share = steps <= 0
        value = (ratio or 0.0) if share else steps
        if not share and steps != int(steps):
            raise Unavailable(f"warmup_steps is {steps!r}, which is no number of steps")
    if value < 0:
        raise Unavailable(f"the warm-up is {value!r}, which Trainer does not take")
    return ceil(run.planned * value) if share else int(value)


def _devices(pipeline: Pipeline, settings: Settings) -> tuple[int, str]:
    """
    Return how many devices share a step, and the words for it.

    Started plainly, Trainer puts the model on all GPUs it sees, and makes its batches larger by
    their number; started with one process for each, every process has a batch of its own. The
    steps are the same. What a launcher was told counts, wherever it is looked at.
    """
    launched: Any = pipeline.parts.get("launch", {}).get("processes")
    if isinstance(launched, int):
        return launched, f"in {launched} processes"
    machine = pipeline.optional(Environment)
    if machine is None or not machine.known("gpus"):
        return 1, ""
    if settings.get("use_cpu") is True or settings.get("no_cuda") is True:
        return 1, ""
    return max(machine.gpus, 1), f"on {machine.gpus} GPUs"


def _origin(settings: Settings, limited: bool, spread: str) -> Location:
    key = "max_steps" if limited else "num_train_epochs"
    told = "derived from " + (key if limited else f"{key} and the number of rows")
    if spread:
        told += f", {spread}"
    return replace(settings.where(key), origin=told)


def _strategy(run: Run, name: str, *more: str) -> str:
    word = run.settings.word(name)
    if word not in {"no", "steps", "epoch", *more}:
        raise Unavailable(f"{name} is {word!r}, which is no strategy")
    return word


def _positive_interval(run: Run, name: str) -> int:
    every = _interval(run, name)
    if every < 1 and run.total:  # a share of no steps at all is none, and none is needed
        raise Unavailable(f"{name} is {getattr(run.settings, name)!r}, which is no interval")
    return every


def _interval(run: Run, name: str) -> int:
    """Return every how many steps something happens; below 1 a share of all steps is meant."""
    value = number(run.settings, name)
    if value < 1:
        return ceil(run.planned * value)
    if value != int(value):
        raise Unavailable(f"{name} is {value!r}, which is neither steps nor a share of them")
    return int(value)
