from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import SpoiltLabels


@check("LAB010", Severity.ERROR, stage=Stage.LOSS, explains=("NUM020", "NUM011", "LOS001"))
def label_not_finite(labels: SpoiltLabels) -> Iterator[Finding]:
    """
    The label of some rows is NaN or infinite, and so is the loss of these rows.

    The batch that holds such a row makes every weight NaN, however far the training has come. The
    rows are run to see it: a loss that leaves labels of NaN out is no fault.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(1, 1)

            def forward(self, x, labels=None):
                return {"loss": (self.linear(x)[:, 0] - labels).square().mean()}

        model = Model()
        train_data = [{"x": [0.1 * n], "labels": 1.0} for n in range(32)]
        train_data[29]["labels"] = float("inf")

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(1, 1)

            def forward(self, x, labels=None):
                return {"loss": (self.linear(x)[:, 0] - labels).square().mean()}

        model = Model()
        train_data = [{"x": [0.1 * n], "labels": 1.0} for n in range(32)]

    See also: <https://pandas.pydata.org/docs/user_guide/missing_data.html>.
    """
    if not labels.count or not labels.known("loss") or abs(labels.loss) < float("inf"):
        return
    rows = f"{labels.count:,} of {labels.of:,} rows"
    yield Finding(
        message=f"{labels.column} is NaN or infinite in {rows}, and the loss of these is {labels.loss}",
        where=Location(split="train", column=labels.column, rows=labels.rows[:3]),
        evidence={"rows": list(labels.rows), "count": labels.count, "of": labels.of},
        remedy="leave these rows out: dataset.filter(lambda row: "
        f"math.isfinite(row[{labels.column!r}])), DataFrame.dropna(subset=[{labels.column!r}])",
    )
