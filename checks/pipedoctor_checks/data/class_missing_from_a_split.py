from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import exp

from pipedoctor import Eval, Finding, Severity, Stage, Train, check
from pipedoctor.facts import Fit, Head, Labels
from pipedoctor.facts.labels import IGNORED, listed
from pipedoctor.units import count
from pipedoctor_checks.data._splitting import split_by_class

CHANCE = 1e-6
"""A class is missing by chance with this probability at most: of a million splits, in one."""


@check("DAT031", Severity.WARNING, stage=Stage.DATA)
def class_missing_from_a_split(
    train: Train[Labels],
    evaluation: Eval[Labels],
    head: Head | None,
    fit: Fit | None = None,
    *,
    share: float = 0.01,
) -> Iterator[Finding]:
    """
    A class is only in the training data, or only in the evaluation data, and not by chance.

    What is not trained on can't be answered: those rows of the evaluation are lost, which is told
    from `share` of them on. And a class that the evaluation lacks, though a random part of the
    data would hold it, tells that the data were split in their order, by `select(range(n))` for
    instance: the score then speaks of some classes only.

    Fails:

        train_data = {"label": [0] * 300 + [1] * 300}
        eval_data = {"label": [1] * 50 + [2] * 50}

    Passes:

        train_data = {"label": [0] * 300 + [1] * 300 + [2] * 3}
        eval_data = {"label": [0, 1] * 50}

    See also: <https://huggingface.co/docs/datasets/process#split>.
    """
    mine, theirs = _classes(train, head), _classes(evaluation, head)
    if not mine or not theirs or min(sum(mine.values()), sum(theirs.values())) < 20:
        return
    unseen = {value: number for value, number in theirs.items() if value not in mine}
    total, rows = sum(theirs.values()), sum(mine.values())
    if sum(unseen.values()) >= share * total:
        lost = sum(unseen.values())
        yield Finding(
            message=f"{'Classes' if len(unseen) > 1 else 'Class'} {listed(unseen)} "
            f"{'are' if len(unseen) > 1 else 'is'} in {count(lost)} of {count(total)} evaluation rows "
            f"({lost / total:.0%}), and in 0 of {count(rows)} training rows: they can't be learned",
            where=replace(evaluation.where, split="eval", rows=_examples(evaluation, unseen)),
            evidence={"classes": list(unseen), "eval_rows": lost, "train_rows": 0},
            remedy=split_by_class(fit, evaluation.column),
        )
    absent = [
        value
        for value, number in mine.items()
        if value not in theirs and exp(-total * number / rows) * len(mine) < CHANCE
    ]
    if absent and len(theirs.keys() & mine.keys()) > 0:
        number = sum(mine[value] for value in absent)
        yield Finding(
            message=f"{'Classes' if len(absent) > 1 else 'Class'} {listed(absent)} "
            f"{'are' if len(absent) > 1 else 'is'} in {count(number)} of {count(rows)} training rows "
            f"({number / rows:.0%}), and in 0 of {count(total)} evaluation rows, where about "
            f"{count(round(total * number / rows))} were to be expected: the score does not speak of "
            f"{'them' if len(absent) > 1 else 'it'}",
            where=replace(train.where, split="train", rows=_examples(train, absent)),
            evidence={"classes": absent, "eval_rows": 0, "train_rows": number},
            remedy=split_by_class(fit, train.column),
        )


def _classes(labels: Labels, head: Head | None) -> dict[int | str | bool, int]:
    """
    Return the classes and their rows, where each row has one, and these are all.

    A label that the head has no output for is another fault, and no class.
    """
    if labels.kind not in {"int", "text", "bool"} or labels.width is not None or labels.partial:
        return {}
    if labels.per_token or not labels.known("counts") or len(labels.counts) > 200:
        return {}
    return {
        value: number
        for value, number in labels.counts.items()
        if not isinstance(value, float)
        and value not in {IGNORED, -1}
        and not (head is not None and type(value) is int and value >= head.outputs > 1)
    }


def _examples(labels: Labels, values: object) -> tuple[int, ...]:
    assert isinstance(values, (dict, list))
    return tuple(row for value in list(values)[:3] for row in labels.examples.get(value, ())[:1])
