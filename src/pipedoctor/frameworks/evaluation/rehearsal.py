"""A rehearsal of the evaluation: its step and the user's metrics function, on a few real rows."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.evaluation import Evaluation, names_of
from pipedoctor.facts.label_tokens import LabelTokens
from pipedoctor.facts.labels import IGNORED, Labels
from pipedoctor.facts.model import Model
from pipedoctor.facts.rehearsal import Rehearsal
from pipedoctor.facts.rows import Rows
from pipedoctor.facts.settings import Settings
from pipedoctor.frameworks.data.batches import Batches, Collated, of_rows
from pipedoctor.frameworks.data.source import Data
from pipedoctor.frameworks.evaluation import metrics_call, prediction_steps
from pipedoctor.frameworks.evaluation.metrics_call import Call
from pipedoctor.frameworks.evaluation.prediction_steps import FEW, Step
from pipedoctor.frameworks.restoring.restore import evaluating
from pipedoctor.frameworks.restoring.undisturbed import undisturbed
from pipedoctor.frameworks.training.memory import demand_weights
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes.evaluation import sets
from pipedoctor.probes.feeding import batch_size

MOST_CLASSES = 64
"""With more classes than this, not every one of them is shown to the metrics function."""

WANTS_MORE = re.compile(
    r"Only one class (is )?present|does not match size of target_names|only one (label|class)\b"
    r"|not equal to the number of columns in 'y_score'|length at least|at least (two|2)\b"
)
"""What metrics of scikit-learn and scipy say of rows in which not every class is met, or too few."""

Compute = Callable[..., Any]


def rehearse(pipeline: Pipeline, model: Any) -> Rehearsal:
    """
    Evaluate a few rows, and call the metrics function with what comes of them.

    Raises:
        Unavailable: The evaluation goes another way than the usual one.
        Exception: Whatever the model, or the trainer's own code, raises.

    """
    demand_weights(model)
    trainer = pipeline.parts.get("trainer")
    if trainer is not None:
        prediction_steps.demand_plain_inputs(trainer)
    compute: Any = pipeline.parts.get("metrics")
    reason = _why_not(pipeline, trainer, compute)
    if reason and trainer is None:
        raise Unavailable(reason)
    batches = [*pipeline.fact(Batches, Split.EVAL).made, *_more(pipeline)]
    with undisturbed(*([compute] if reason == "" else [])), evaluating(model):
        if trainer is None:
            names = [n for n in pipeline.fact(Model).label_names if n != "return_loss"]
            steps = tuple(prediction_steps.plain(model, batches, names))
        else:
            names = list(trainer.label_names)
            steps = tuple(_steps(pipeline, trainer, model, batches, only_loss=bool(reason)))
        told = replace(_told(steps, names), generated=not reason and _generates(trainer))
        if reason or not told.has_labels or steps[0].logits is None:
            reason = reason or "the evaluation batches have no labels"
            unproven = trainer is not None and prediction_steps.users_own(trainer)
            return replace(told, reason=reason, unproven=unproven)
        counted = tuple(step for step in steps if step.rows not in _unlabelled(pipeline))
        if told.generated:
            counted = _of_unequal_length(pipeline, trainer, model, counted)
        return _judged(compute, _asked(pipeline, trainer, counted or steps), told)


def evaluation(pipeline: Pipeline) -> Evaluation:
    """
    Return the names of the figures that the rehearsed evaluation gives.

    Raises:
        Unavailable: The metrics function was not called, or a check knows why it raised.
        Exception: What the metrics function raised.

    """
    told = pipeline.fact(Rehearsal)
    if told.raised is not None:
        if told.cure:
            raise Unavailable(f"the metrics function raised {told.error}")
        raise told.raised
    if not told.called:
        raise Unavailable(told.reason)
    given = sets(pipeline)
    return Evaluation(
        has_data=True,
        has_labels=True,
        metrics=names_of(told.names, given),
        rehearsed=True,
        sets=given,
    )


def _why_not(pipeline: Pipeline, trainer: Any, compute: Any) -> str:
    """Return why the metrics function is not called; empty if it is."""
    if compute is None:
        stand_in = getattr(trainer, "compute_metrics", None) is not None
        return "a metric could not be loaded here" if stand_in else "there is no metrics function"
    if not callable(compute):
        return "the metrics are given by name, there is no function to call"
    if trainer is not None:
        only = trainer.args.prediction_loss_only
        return "prediction_loss_only is set" if only else prediction_steps.unlike_trainer(trainer)
    settings = pipeline.optional(Settings)
    for name in ("predict_with_generate", "prediction_loss_only"):
        if settings is not None and settings.get(name):
            return f"{name} is set, and there is no trainer to do it"
    return ""


def _more(pipeline: Pipeline) -> Iterator[Collated]:
    """Yield batches with a row of each class that is not met yet, and with rows without labels."""
    table = pipeline.optional(Data, Split.EVAL)
    if table is None or table.source is None:
        return  # rows that can't be read by their numbers
    labels = pipeline.optional(Labels, Split.EVAL)
    met = {row for one in pipeline.fact(Batches, Split.EVAL).made for row in one.rows}
    groups = _unlabelled(pipeline)
    if labels is not None and labels.known("counts") and labels.width is None:
        shown = labels.examples.values() if len(labels.counts) <= MOST_CLASSES else ()
        lacking = sorted({rows[0] for rows in shown if rows and not met.intersection(rows)})
        size = batch_size(pipeline, Split.EVAL)
        groups += [tuple(lacking[n : n + size]) for n in range(0, len(lacking), size)]
    for rows in groups:
        yield of_rows(pipeline, Split.EVAL, rows)


def _unlabelled(pipeline: Pipeline) -> list[tuple[int, ...]]:
    """Return rows of the first batch in which no label counts, as a group of its own."""
    found = pipeline.optional(LabelTokens, Split.EVAL)
    return [found.empty_rows[:FEW]] if found is not None and found.empty_rows else []


def _steps(
    pipeline: Pipeline, trainer: Any, model: Any, batches: Sequence[Collated], *, only_loss: bool
) -> Iterator[Step]:
    called = pipeline.parts.get("call", {})
    return prediction_steps.of_trainer(
        trainer,
        model,
        batches,
        only_loss=only_loss,
        ignored_keys=called.get("ignore_keys_for_eval"),
    )


def _generates(trainer: Any) -> bool:
    return bool(getattr(getattr(trainer, "args", None), "predict_with_generate", False))


def _of_unequal_length(
    pipeline: Pipeline, trainer: Any, model: Any, steps: tuple[Step, ...]
) -> tuple[Step, ...]:
    """
    Have the last of several generated batches end one token before the others.

    Our texts are short, and all filled up to one length. Those of the run are longer than that
    length, if they may be; then batches differ, and -100 fills the shorter ones.
    """
    arguments = trainer.args
    rows = pipeline.optional(Rows, Split.EVAL)
    several = rows is None or rows.used is None or rows.used > arguments.eval_batch_size
    if not several or len(steps) < 2:
        return steps
    longest = arguments.generation_max_length
    if longest is not None and longest <= model.generation_config.max_length:
        return steps
    *others, last = steps
    return (*others, replace(last, logits=last.logits[:, :-1]))


def _asked(pipeline: Pipeline, trainer: Any, steps: tuple[Step, ...]) -> Call:
    rows = pipeline.optional(Rows, Split.EVAL)
    call = Call(steps, rows.used if rows is not None else None)
    if trainer is None:
        return call
    arguments = trainer.args
    tokenizer = getattr(trainer, "processing_class", None)
    return replace(
        call,
        include=tuple(getattr(arguments, "include_for_metrics", ())),
        main_input=getattr(trainer.model, "main_input_name", "input_ids"),
        in_batches=bool(getattr(arguments, "batch_eval_metrics", False)),
        joined=bool(getattr(arguments, "eval_do_concat_batches", True)),
        fill=getattr(tokenizer, "pad_token_id", None) or 0,
    )


def _told(steps: Sequence[Step], names: Sequence[str]) -> Rehearsal:
    """Return what the steps alone tell."""
    first = steps[0]
    nested = isinstance(first.logits, (tuple, list))
    arrays = first.logits if nested else [first.logits]
    found = all(step.labels is not None or step.loss is not None for step in steps)
    return Rehearsal(
        rows=sum(len(step.rows) for step in steps),
        has_labels=found,
        label_names=tuple(names),
        losses=tuple(float(step.loss) for step in steps if step.loss is not None),
        label_counts=tuple(_counted(step, names) for step in steps),
        batch_rows=tuple(step.rows for step in steps),
        shapes=tuple(tuple(array.shape) for array in arrays if hasattr(array, "shape")),
        parts=len(arrays),
    )


def _counted(step: Step, names: Sequence[str]) -> int:
    """Return how many labels of a batch count."""
    given = [step.inputs[name] for name in names if step.inputs.get(name) is not None]
    return sum(int((array != IGNORED).sum()) for array in given if hasattr(array, "shape"))


def _judged(compute: Compute, asked: Call, told: Rehearsal) -> Rehearsal:
    """Call the metrics function, and say what came of it."""
    from pipedoctor.failures import user_frame

    try:
        result = metrics_call.call(compute, asked)
    except Exception as error:  # noqa: BLE001 - the user's own, and the whole point of the rehearsal
        where = user_frame(error)
        traceback.clear_frames(error.__traceback__)  # they hold the arrays
        found = metrics_call.cures(compute, asked)
        if found is not None and found[0] == metrics_call.MORE:
            return replace(told, called=True, names=tuple(map(str, found[1])))
        if found is None and _wants_more(error, asked):
            text = f"{type(error).__name__}: {error}".split("\n")[0]
            return replace(
                told, reason=f"the metrics function wants more rows than a few ({text})"
            )
        return replace(
            told,
            ignored=metrics_call.ignored(asked),
            called=True,
            raised=error,
            cure="" if found is None else found[0],
            where=where,
        )
    return replace(told, called=True, names=tuple(map(str, result)))


def _wants_more(error: Exception, asked: Call) -> bool:
    """Whether an error speaks of the number of rows, which is another one in the real evaluation."""
    numbers = re.findall(r"\d+", str(error))
    whole = asked.rows is not None and str(asked.rows) in numbers
    return whole or WANTS_MORE.search(str(error)) is not None
