from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Features
from pipedoctor.facts.labels import listed
from pipedoctor.units import count


@check("DAT034", Severity.NOTE, stage=Stage.DATA)
def input_that_never_changes(
    features: Train[Features], *, share: float = 0.5, least: int = 100
) -> Iterator[Finding]:
    """
    Inputs are the same number in all rows, so that the model learns nothing from them.

    It happens where a column is read that the data do not fill, or where it was filled with a
    default. It is a note, since the rest can be learned; a warning if at least `share` of all
    inputs are like that. Judged are data of at least `least` rows.

    Fails:

        from datasets import Dataset
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(2, 1)

            def forward(self, x, labels=None):
                return {"loss": ((self.layer(x)[:, 0] - labels) ** 2).mean()}

        model = Net()
        train_data = Dataset.from_list([{"x": [0.0, 0.1 * n], "labels": 0.5} for n in range(200)])

    Passes:

        from datasets import Dataset
        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(2, 1)

            def forward(self, x, labels=None):
                return {"loss": ((self.layer(x)[:, 0] - labels) ** 2).mean()}

        model = Net()
        train_data = Dataset.from_list([{"x": [n % 3, 0.1 * n], "labels": 0.5} for n in range(200)])

    See also: <https://scikit-learn.org/stable/modules/feature_selection.html>.
    """
    if features.rows < least:
        return
    same = {
        name: one.minimum
        for name, one in features.of_name.items()
        if one.minimum == one.maximum and not one.not_finite
    }
    if not same or len(same) > 64:  # so many places of one column are an image with a margin
        return
    total = len(features.of_name)
    told = [f"{name} is {value:g}" for name, value in list(same.items())[:8]]
    looked = "" if features.of is None else f" that were drawn of {count(features.of)}"
    yield Finding(
        message=f"{count(len(same))} of {count(total)} inputs are the same in all "
        f"{count(features.rows)} rows{looked}: {listed(told, 4)}",
        where=replace(features.where, column=next(iter(same)).partition("[")[0]),
        evidence={"inputs": dict(list(same.items())[:20]), "of": total, "rows": features.rows},
        remedy="look at how this column is read; leave it out if it has nothing to tell",
        severity=Severity.WARNING if len(same) >= share * total else None,
    )
