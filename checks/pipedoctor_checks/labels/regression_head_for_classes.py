from collections.abc import Iterator

from pipedoctor import Finding, Severity, Split, Stage, Train, check
from pipedoctor.facts import Head, Labels
from pipedoctor.facts.labels import listed
from pipedoctor_checks.labels._heads import place, sized

MOST_CLASSES = 20
"""More distinct integers than this are rather quantities than classes."""


@check("LAB009", Severity.WARNING, stage=Stage.MODEL, explains=("LOS002",))
def regression_head_for_classes(labels: Train[Labels], head: Head) -> Iterator[Finding]:
    """
    The head has one output, which makes it a regression, and the labels are classes.

    With `num_labels=1` Transformers uses the squared error. The model then learns that class 2 is
    twice class 1 and that a text between 0 and 2 is a 1; the accuracy stays low and nothing says
    why. One output for two classes belongs to `BCEWithLogitsLoss`, which Transformers does not
    use for it: it wants two outputs. If the integers are a scale, such as stars or grades, a
    regression can be right: say so with `problem_type="regression"`, and this check is quiet.

    Fails:

        train_data = {"text": ["yes", "no", "perhaps", "no"], "label": [0, 1, 2, 1]}
        settings = {"num_labels": 1}

    Passes:

        train_data = {"text": ["yes", "no", "perhaps", "no"], "label": [0, 1, 2, 1]}
        settings = {"num_labels": 3}

    Passes:

        train_data = {"text": ["warm", "cold", "mild", "hot"], "label": [21.5, 3.0, 14.2, 33.1]}
        settings = {"num_labels": 1}

    See also: <https://huggingface.co/docs/transformers/main_classes/configuration>.
    """
    if head.outputs != 1 or head.per_token or head.stated:
        return
    if labels.kind not in {"int", "bool"} or labels.per_token or labels.width not in {None, 1}:
        return
    if (
        not (labels.known("counts") or labels.partial)
        or not 2 <= len(labels.classes) <= MOST_CLASSES
    ):
        return
    classes = labels.classes
    number = len(classes)
    from_zero = classes == tuple(range(number))
    if not from_zero and number > 2 and classes != tuple(range(1, number + 1)):
        return  # integers with gaps are as likely counts or years
    names = [labels.names[value] for value in classes if value in labels.names]
    told = f" ({listed(names)})" if names else ""
    renumber = "" if from_zero else f", and number the classes from 0 to {number - 1}"
    yield Finding(
        message=f"The head has 1 output, so the loss is the squared error; the {labels.rows:,} "
        f"labels are {number} integers, {listed(classes)}{told}",
        where=place(labels, head, Split.TRAIN),
        evidence={
            "num_labels": head.outputs,
            "labels": list(classes),
            "counts": {str(value): count for value, count in labels.counts.items()},
        },
        remedy=sized(head, number) + renumber,
        alternatives=('problem_type="regression", if the labels are a scale',),
        # 1 to n with three values or more is how stars and grades are written.
        severity=None if from_zero or number == 2 else Severity.NOTE,
    )
