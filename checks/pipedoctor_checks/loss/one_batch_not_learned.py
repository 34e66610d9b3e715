from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Overfit
from pipedoctor.facts.overfit import CANNOT, INCONCLUSIVE
from pipedoctor.units import rate


@check("LOS003", Severity.ERROR, stage=Stage.UPDATE)
def one_batch_not_learned(overfit: Overfit) -> Iterator[Finding]:
    """
    The pipeline cannot learn a single batch by heart, or not in the steps that the run has.

    Any network that is wired rightly brings the loss of a few rows well below what a constant
    answer can reach within some dozen updates. If it does not, no amount of data will help. One real
    batch that holds every label is trained on with the pipeline's own loss, collator, precision,
    optimizer and rate, and then with AdamW at rates that ought to work; the floor that
    contradictory labels and label smoothing leave is taken into account, and a control in which
    each row has the label of another one shows whether the learned weights tell the rows apart.
    `pipedoctor overfit` shows the curves. Model, optimizer and random states are put back.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(2, 32)
                self.head = torch.nn.Linear(32, 1)

            def forward(self, x, labels=None):
                answers = self.head(torch.relu(self.body(x)))
                return {"loss": ((answers - labels) ** 2).mean(), "logits": answers}

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [float(n % 4), n / 16], "labels": n * 1.0} for n in range(16)]
        settings = {"learning_rate": 1e-2, "max_steps": 1000}
        overfit = {"steps": 50}

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(2, 32)
                self.head = torch.nn.Linear(32, 1)

            def forward(self, x, labels=None):
                answers = self.head(torch.relu(self.body(x))).squeeze(-1)
                return {"loss": ((answers - labels) ** 2).mean(), "logits": answers}

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [float(n % 4), n / 16], "labels": n * 1.0} for n in range(16)]
        settings = {"learning_rate": 1e-2, "max_steps": 1000}
        overfit = {"steps": 50}

    See also: <https://karpathy.github.io/2019/04/25/recipe/>.
    """
    if overfit.learns or overfit.verdict == INCONCLUSIVE:
        return
    own = overfit.own
    first, last = (own.losses[0], own.losses[-1]) if own is not None else (0.0, 0.0)
    cause = overfit.reasons[0] if overfit.reasons else None
    tries = f"{overfit.steps} updates on {len(overfit.rows)} rows"
    said = f"The pipeline {overfit.verdict}"
    if own is not None:
        said += (
            f": the loss went from {first:.4g} to {last:.4g} with {own.optimizer} at {rate(own.rate)} "
            f"({tries} in all"
        )
        said += f"; {overfit.chance:.4g} is a constant answer's)" if overfit.chance else ")"
    yield Finding(
        message=f"{said}: {cause.message}" if cause is not None else said,
        where=Location(split="train", rows=overfit.rows),
        evidence={
            "verdict": overfit.verdict,
            "reasons": [reason.kind for reason in overfit.reasons],
            "first": first,
            "last": last,
            "floor": overfit.floor if overfit.bounded else None,
            "chance": overfit.chance,
            "steps": overfit.steps,
        },
        remedy=cause.remedy
        if cause is not None
        else "look at the curves with `pipedoctor overfit`, and at the batch with `pipedoctor batch`",
        severity=None if overfit.verdict == CANNOT else Severity.WARNING,
    )
