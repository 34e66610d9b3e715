from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings, Trace


@check("LOS001", Severity.NOTE, stage=Stage.FORWARD)
def nan_logged_as_zero(trace: Trace, settings: Settings) -> Iterator[Finding]:
    """
    The loss is NaN, and the log of the run will show 0.0, or the mean of earlier losses.

    With `logging_nan_inf_filter`, which is on by default, Trainer adds the mean of the losses so
    far in the place of one that is not finite: 0.0 if there was none, less and less later on. What
    tells is `grad_norm`, which is not filtered: 'loss': 0.0, 'grad_norm': nan. A run was stopped
    by nobody for hours since its loss looked better than ever.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(1, 1)

            def forward(self, x, labels=None):
                return {"loss": (self.linear(torch.log(x)) - labels).square().mean()}

        model = Model()
        settings = {"logging_steps": 1}
        train_data = [{"x": [float(row)], "labels": [1.0]} for row in range(16)]

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(1, 1)

            def forward(self, x, labels=None):
                return {"loss": (self.linear(torch.log(x)) - labels).square().mean()}

        model = Model()
        settings = {"logging_nan_inf_filter": False}
        train_data = [{"x": [float(row)], "labels": [1.0]} for row in range(16)]

    See also: <https://github.com/huggingface/trl/issues/6668>.
    """
    if trace.finite or not trace.known("loss") or trace.loss - trace.loss == 0:
        return
    if settings.logging_nan_inf_filter is not True:
        return
    birth = trace.root
    where = settings.where("logging_nan_inf_filter")
    if birth is not None:
        where = replace(birth.line, layer=birth.module or None, rows=trace.rows)
        where = replace(where, split="train" if trace.rows else None)
    yield Finding(
        message=f"The loss of batch {trace.batch} is {trace.loss}, and logging_nan_inf_filter is "
        "on: the log shows 0.0 or a mean of earlier losses instead, and only grad_norm says nan",
        where=where,
        evidence={"loss": str(trace.loss), "batch": trace.batch},
        remedy=f"{settings.entry('logging_nan_inf_filter', value=False)}, so that the log tells",
    )
