from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Birth, Trace

WHEN = {
    "data": "in the data",
    "weights": "in the weights",
    "forward": "in the forward pass",
    "backward": "in the backward pass",
    "optimizer": "in the optimizer's step",
}


@check(
    "NUM020",
    Severity.ERROR,
    stage=Stage.FORWARD,
    explains=("LOS001", "LOS003", "NUM011"),
)
def nan_born(trace: Trace) -> Iterator[Finding]:
    """
    A training step gives a loss, a gradient or a weight that is not a finite number.

    One such value makes every weight NaN with the next update, and nothing is learned after it.
    Trainer hides it: with `logging_nan_inf_filter` (the default) the log shows the mean of earlier
    losses instead, or 0.0. Named are the operation that the value is born in, its line, its layer
    and the rows it comes from. Infinities in masks, and what comes up and is thrown away again, are
    no fault and not mentioned. `pipedoctor nan-trace` looks at more than the first batch.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(1, 1)

            def forward(self, x, labels=None):
                return {"loss": (self.linear(torch.log(x)) - labels).square().mean()}

        model = Model()
        train_data = [{"x": [float(row)], "labels": [1.0]} for row in range(16)]

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(1, 1)

            def forward(self, x, labels=None):
                x = torch.log(x.clamp_min(1e-6))
                return {"loss": (self.linear(x) - labels).square().mean()}

        model = Model()
        train_data = [{"x": [float(row)], "labels": [1.0]} for row in range(16)]

    See also: <https://pytorch.org/docs/stable/notes/faq.html>.
    """
    if trace.finite:
        return
    if trace.of_loop and trace.origin is None:
        yield _not_found(trace)
        return
    if trace.origin is None:
        yield Finding(
            message=f"Loss or gradients of batch {trace.batch} are not finite, but were when the "
            "batch was replayed operation by operation",
            evidence={"batch": trace.batch, "batches": trace.batches},
            remedy="run it without torch.compile and with deterministic operations, then "
            "`pipedoctor nan-trace` again",
        )
        return
    origin, root = trace.origin, trace.root
    assert root is not None
    to_blame = origin if root.intended else root
    yield Finding(
        message=_message(trace, origin, root),
        where=replace(
            to_blame.line,
            layer=to_blame.module or None,
            split="train" if trace.rows else None,
            rows=trace.rows,
        ),
        evidence={
            "when": origin.when,
            "operation": origin.operation,
            "module": origin.module,
            "what": origin.what,
            "count": origin.count,
            "rows": list(trace.rows),
            "batch": trace.batch,
            "step": trace.step,
            "family": to_blame.family,
            "from": [cause.named for cause in trace.causes],
        },
        remedy=to_blame.cure or origin.cure,
        shows=trace.shows,
    )


def _not_found(trace: Trace) -> Finding:
    """Say that a loop came to such a value, where no second run has shown what made it."""
    why = (
        "it did not come up when the script was run again, each operation looked at"
        if trace.replayed
        else "there was no time for a second run that looks at each operation"
    )
    notes = "; ".join(trace.notes)
    return Finding(
        message=f"Step {trace.step} of the loop made a loss, a gradient or a weight that is not "
        f"finite; {why}" + (f"; {notes}" if notes else ""),
        evidence={"step": trace.step, "batches": trace.batches},
        remedy="pipedoctor nan-trace train.py --time 300, with a seed set in the script: "
        "torch.manual_seed(0)",
    )


def _message(trace: Trace, origin: Birth, root: Birth) -> str:
    """Say what is born where, from what, and why."""
    verb = "is born" if origin.operation else "stands"
    text = f"{origin.what} {verb} in {origin.named}, {WHEN[origin.when]}"
    if origin.operation and origin.name:
        text += f", which writes {origin.name}"
    text += f" ({origin.count:,} of {origin.size:,} values"
    if trace.places and trace.batch_rows:
        text += f", from {len(trace.places)} of {trace.batch_rows} rows"
    text += ")"
    if trace.of_loop:
        text += f", in step {trace.step} of the loop"
    if root is not origin:
        text += f", from {root.what} {'of' if root.operation else 'in'} {root.named}"
        place = root.line
        if place.line is not None and place.file is not None:
            text += f" in line {place.line}"
    to_blame = origin if root.intended else root
    return f"{text}: {to_blame.why}" if to_blame.why else text
