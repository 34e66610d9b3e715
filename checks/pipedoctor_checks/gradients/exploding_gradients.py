from collections.abc import Iterator, Sequence
from math import isfinite
from statistics import median

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Loop

FEW = 5
"""The first and the last so many steps are compared, by their median."""

GROWN = 30.0
"""
How many times as large losses and gradients are in the end.

Within a few hundred steps a loss that is learned falls; one that rises for a while with a rate
that warms up does so by less than ten times.
"""

CLIP = (
    "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) before the step, if single batches "
    "throw it off"
)


@check("GRD002", Severity.WARNING, stage=Stage.UPDATE)
def exploding_gradients(loop: Loop) -> Iterator[Finding]:
    """
    Loss and gradients grow from step to step: the training diverges.

    With each update the weights overshoot further, the next gradient is larger still, and in the
    end a number is too large for its type and everything is NaN. Mostly the learning rate is too
    high; else a loss that is summed over the batch, or inputs that were not scaled. Losses of two
    models that work against each other are not judged, nor those that can be negative.

    Fails:

        import torch

        def loop():
            torch.manual_seed(0)
            model = torch.nn.Linear(3, 1)
            optimizer = torch.optim.SGD(model.parameters(), lr=1.2)
            x = torch.randn(64, 3)
            for _ in range(20):
                optimizer.zero_grad()
                (model(x) - x.sum(1, keepdim=True)).square().mean().backward()
                optimizer.step()

    Passes:

        import torch

        def loop():
            torch.manual_seed(0)
            model = torch.nn.Linear(3, 1)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            x = torch.randn(64, 3)
            for _ in range(20):
                optimizer.zero_grad()
                (model(x) - x.sum(1, keepdim=True)).square().mean().backward()
                optimizer.step()

    See also: <https://arxiv.org/abs/1211.5063>.
    """
    steps = [
        (step.loss, step.norm)
        for step in loop.steps
        if step.loss is not None and step.norm is not None
    ]
    if len(loop.optimizers) != 1 or len(steps) < 3 * FEW or any(loss <= 0 for loss, _ in steps):
        return
    first, last = map(_medians, (steps[:FEW], steps[-FEW:]))
    grown = all(b > GROWN * a for a, b in zip(first, last, strict=True))
    if not grown or not isfinite(last[0]):
        return
    rates = [step.rate for step in loop.steps if step.rate]
    rate = f", with a learning rate of {rates[-1]:g}" if rates else ""
    lower = f"lr={rates[-1] / 10:.1g}" if rates else "a tenth of the learning rate"
    yield Finding(
        message=f"Within {len(steps)} steps the loss grew from {first[0]:.3g} to {last[0]:.3g} and "
        f"the gradient from {first[1]:.3g} to {last[1]:.3g}{rate}: the training diverges",
        where=loop.step,
        evidence={
            "steps": len(steps),
            "losses": [first[0], last[0]],
            "norms": [first[1], last[1]],
            "rate": rates[-1] if rates else None,
        },
        remedy=f"try {lower}, and less still if it goes on",
        alternatives=(CLIP,),
    )


def _medians(steps: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the median loss and gradient of some steps."""
    return median(loss for loss, _ in steps), median(norm for _, norm in steps)
