from collections.abc import Iterator
from math import isfinite

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import LearningRate, Settings, ShortRuns, UsualRates
from pipedoctor.finding import NOWHERE
from pipedoctor.units import rate

LAST = 10
"""The mean of so many losses at the end is what a rate comes to."""


@check("HYP040", Severity.WARNING, stage=Stage.ARGUMENTS, explains=("LOS003", "GRD011"))
def learning_rate_too_high_to_learn(
    runs: ShortRuns,
    settings: Settings | None,
    schedule: LearningRate | None,
    usual: UsualRates | None = None,
) -> Iterator[Finding]:
    """
    At this learning rate some batches are not learned, which a lower one learns at once.

    A step of Adam changes every weight by about the learning rate. Where that is more than the
    weights are themselves, the first update wipes out what they held, whether it was drawn at
    random or trained before: the loss jumps, then stays where a constant answer is, and the model
    predicts one class. Networks with batch normalisation, or of one layer, may bear it. So it is
    tried: some updates on a few batches with the rate of the run, and with lower ones. All is put
    back. Nothing is run where the rate is smaller than the weights.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = torch.nn.Sequential(
                    torch.nn.Linear(8, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(),
                    torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(),
                    torch.nn.Linear(64, 2),
                )

            def forward(self, x, labels=None):
                logits = self.layers(x)
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        x = torch.randn(64, 8)
        train_data = [{"x": row.tolist(), "labels": int(row[0] > 0)} for row in x]
        optimizer = torch.optim.AdamW(model.parameters(), lr=1.0)
        run = {"trainings": 1}

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = torch.nn.Sequential(
                    torch.nn.Linear(8, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(),
                    torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(),
                    torch.nn.Linear(64, 2),
                )

            def forward(self, x, labels=None):
                logits = self.layers(x)
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        x = torch.randn(64, 8)
        train_data = [{"x": row.tolist(), "labels": int(row[0] > 0)} for row in x]
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        run = {"trainings": 1}

    See also: <https://arxiv.org/abs/1412.6980>, section 2.1.
    """
    if len(runs.curves) < 2 or not runs.curves[-1].reached:
        return
    own, proof = runs.curves[0], runs.curves[-1]
    tail = own.losses[-LAST:]
    last = sum(tail) / len(tail)
    if isfinite(last) and last < runs.base:
        return  # it learns, if slowly
    times = own.rate / proof.rate
    # One rate to set, wherever it is asked for: the table's, unless what was learned at is lower.
    first = None if usual is None or usual.first > proof.rate else usual.first
    value = float(f"{proof.rate:.0e}") if first is None else first
    entry = f"learning_rate={rate(value)}"
    if settings is not None and settings.known("learning_rate"):
        entry = settings.entry("learning_rate", value)
    yield Finding(
        message=f"The learning rate {rate(own.rate)} is too high: each update of {own.optimizer} is "
        f"about {runs.ratio:.2g} times as large as the weights, and after {own.updates} of them on "
        f"{runs.rows} rows the loss is {last:.3g}, where a constant answer has {runs.base:.3g}; at "
        f"{rate(proof.rate)}, {times:.0f} times lower, it is {proof.losses[-1]:.3g} after "
        f"{proof.updates}",
        where=schedule.where if schedule is not None else NOWHERE,
        evidence={
            "learning_rate": own.rate,
            "ratio": runs.ratio,
            "base": runs.base,
            "curves": [curve.figures() for curve in runs.curves],
        },
        remedy=f"set {entry} or lower"
        if usual is None or first is None
        else f"set {entry}, which is usual for {usual.method} of {usual.kind}",
    )
