from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Features
from pipedoctor.units import count


@check("DAT018", Severity.ERROR, stage=Stage.DATA, explains=("NUM001", "NUM007"))
def inputs_not_finite(features: Features) -> Iterator[Finding]:
    """
    Some numbers that go into the model are NaN, infinite or missing.

    One of them makes the loss of its batch NaN, and the weights after that step. A table that is
    read by pandas has a NaN wherever a cell is empty.

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
        rows = [{"x": [0.1 * n, 1.0], "labels": 0.5} for n in range(20)]
        rows[7]["x"] = [float("nan"), 1.0]
        train_data = Dataset.from_list(rows)

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
        train_data = Dataset.from_list([{"x": [0.1 * n, 1.0], "labels": 0.5} for n in range(20)])

    See also: <https://pandas.pydata.org/docs/user_guide/missing_data.html>.
    """
    bad = {name: one for name, one in features.of_name.items() if one.not_finite}
    if not bad:
        return
    worst = max(bad, key=lambda name: bad[name].not_finite)
    rows = tuple(sorted({row for one in bad.values() for row in one.first_bad}))[:3]
    others = f" (and {count(len(bad) - 1)} other inputs)" if len(bad) > 1 else ""
    looked = "" if features.of is None else f" that were drawn of {count(features.of)}"
    yield Finding(
        message=f"{worst}{others} is NaN, infinite or missing in {count(bad[worst].not_finite)} of "
        f"{count(features.rows)} rows{looked}",
        where=replace(features.where, column=worst.partition("[")[0], rows=rows),
        evidence={
            "features": {name: one.not_finite for name, one in list(bad.items())[:20]},
            "rows": features.rows,
        },
        remedy="leave these rows out, or fill them with the mean of the training rows",
    )
