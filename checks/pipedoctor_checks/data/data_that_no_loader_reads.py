from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Split, Stage, Train, check
from pipedoctor.facts import Rows


@check(
    "DAT027",
    Severity.ERROR,
    stage=Stage.DATA,
    symptoms={
        r"object of type 'generator' has no len\(\)": (
            "train_data = datasets.IterableDataset.from_generator(rows), with the function that "
            "yields the rows"
        ),
        r"Invalid key: \d+\. Please first select a split": 'train_data = train_data["train"]',
    },
)
def data_that_no_loader_reads(rows: Rows, train: Train[Rows] | None) -> Iterator[Finding]:
    """
    The data is of a kind that Trainer's data loader can't read: a generator, or all splits at once.

    PyTorch reads data in two ways: by index, from what has a length, or in its own order, from an
    `IterableDataset`. A generator, a `map` or a `zip` is neither, and the first step fails with
    "object of type 'generator' has no len()". `load_dataset` without `split=` returns a
    `DatasetDict`: its length is the number of its splits, and it has no row 0.

    Fails:

        from datasets import Dataset, DatasetDict

        data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 16, "labels": [0, 1] * 8})
        train_data = DatasetDict({"train": data, "test": data})

    Passes:

        from datasets import Dataset, DatasetDict

        data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 16, "labels": [0, 1] * 8})
        train_data = DatasetDict({"train": data, "test": data})["train"]

    See also: <https://pytorch.org/docs/stable/data.html>.
    """
    if rows.unreadable is None:
        return
    split = Split.TRAIN if rows is train else Split.EVAL
    name = f"{split.value}_data"
    whose = "training" if split is Split.TRAIN else "evaluation"
    if rows.splits:
        chosen = next((n for n in rows.splits if n.startswith(split.value)), rows.splits[0])
        what = f"with the {len(rows.splits)} entries {', '.join(rows.splits)}, and has no row 0"
        remedy = f'{name} = {name}["{chosen}"]'
    else:
        what = "object, which is no IterableDataset and gives no row for an index"
        remedy = (
            f"{name} = datasets.IterableDataset.from_generator(rows), with the function rows that "
            f"yields them, and max_steps; or {name} = list({name}), if it fits into memory"
        )
    yield Finding(
        message=f"The {whose} data is a {rows.unreadable} {what}: the data loader can't read it",
        where=Location(split=split.value),
        evidence={"type": rows.unreadable, "splits": list(rows.splits)},
        remedy=remedy,
    )
