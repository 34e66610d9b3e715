from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import MixedBatch


@check("DAT023", Severity.ERROR, stage=Stage.DATA)
def samples_mixed_in_the_batch(mixed: Train[MixedBatch]) -> Iterator[Finding]:
    """
    The collator puts parts of one row into the places of others.

    A `reshape` where a `transpose` was meant, or statistics that are taken over the batch: each
    place then holds a mixture, and what the model learns of a row depends on the rows that happen
    to be beside it. A batch of a few rows is made twice, the second time with one row replaced: in
    the other places nothing may change. Arrays that are drawn at random, and batches whose length
    changes with the row, are let alone.

    Fails:

        import torch

        def collator(rows):
            columns = torch.tensor([[row["one"] for row in rows], [row["two"] for row in rows]])
            return {"x": columns.reshape(len(rows), 2), "labels": torch.tensor([0] * len(rows))}

        model = torch.nn.Linear(2, 1)
        settings = {"remove_unused_columns": False}
        train_data = [{"one": n * 1.0, "two": n * 10.0} for n in range(16)]

    Passes:

        import torch

        def collator(rows):
            columns = torch.tensor([[row["one"] for row in rows], [row["two"] for row in rows]])
            return {"x": columns.T, "labels": torch.tensor([0] * len(rows))}

        model = torch.nn.Linear(2, 1)
        settings = {"remove_unused_columns": False}
        train_data = [{"one": n * 1.0, "two": n * 10.0} for n in range(16)]
    """
    for name, places in mixed.arrays.items():
        others = ", ".join(map(str, places))
        yield Finding(
            message=f"With another row in place {mixed.replaced} of a batch of {mixed.rows}, "
            f"{name!r} changes in place {others} too: it mixes the rows",
            where=Location(split="train", column=name),
            evidence={"array": name, "replaced": mixed.replaced, "changed": list(places)},
            remedy="look in the collator for reshape() or view() where transpose() was meant, and "
            "for means over the rows",
        )
