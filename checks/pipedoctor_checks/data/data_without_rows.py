from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Split, Stage, Train, check
from pipedoctor.facts import Rows, Trainings


@check(
    "DAT026",
    Severity.ERROR,
    stage=Stage.DATA,
    symptoms={
        r"training requires a train_dataset": "pass train_dataset to the Trainer",
        r"the \w+ data, an? \w+, yields no batch|generator must yield at least one batch": (
            "print how many rows are left after each filter, take and skip: one of them leaves none"
        ),
        r"num_samples should be a positive integer value, but got num_samples=0": (
            "print len(train_data), and look where the rows were lost: a filter, a select, a path"
        ),
    },
    explains=("DAT001", "DAT002"),
)
def data_without_rows(
    rows: Rows, train: Train[Rows] | None, trainings: Trainings | None
) -> Iterator[Finding]:
    """
    There is nothing to train or to evaluate on: the data has no rows, or the Trainer has no data.

    A filter that keeps nothing, a path that matches no file or a split of another name leave an
    empty data set, which loads without a word. Trainer fails where it makes its sampler, or ends
    at once; an evaluation over no rows has no loss and no metric. A Trainer without
    `train_dataset` can evaluate; `train()` raises.

    Fails:

        train_data = []
        settings = {"num_train_epochs": 3}

    Passes:

        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]
        settings = {"num_train_epochs": 3}
    """
    if rows.used != 0:
        return
    trains = trainings is not None and trainings.started > 0
    if rows.absent:
        yield Finding(
            message="The Trainer has no train_dataset (it is None): train() raises, with 0 rows "
            "to train on",
            where=Location(split="train"),
            evidence={"rows": 0, "train_dataset": None},
            remedy="Trainer(..., train_dataset=train_data), if it is to train",
            severity=None if trains else Severity.NOTE,
        )
        return
    split = Split.TRAIN if rows is train else Split.EVAL
    name = "training" if split is Split.TRAIN else "evaluation"
    yield Finding(
        message=f"The {name} data has 0 rows",
        where=Location(split=split.value),
        evidence={"rows": 0, "split": split.value},
        remedy=f"print the number of rows of {split.value}_data after each filter, select and split: "
        "one of them leaves nothing",
        severity=None if split is Split.TRAIN else Severity.WARNING,
    )
