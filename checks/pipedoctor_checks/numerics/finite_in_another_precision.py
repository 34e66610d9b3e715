from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings, Trace

KEYS = {"bfloat16": "bf16", "float16": "fp16"}


@check("NUM011", Severity.WARNING, stage=Stage.FORWARD)
def finite_in_another_precision(trace: Trace, settings: Settings) -> Iterator[Finding]:
    """
    A step in mixed precision is not finite, and in another type the same batch is.

    float16 reaches no further than 65,504; bfloat16 reaches as far as float32, but knows only
    some three digits: 0.999 is 1 there, and log(1 - 0.999) infinite. So each of them has models
    that only the other one can train. The batch that fails is run in each of them, once.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(1, 1)
                torch.nn.init.constant_(self.linear.weight, 8.0)
                torch.nn.init.zeros_(self.linear.bias)

            def forward(self, x, labels=None):
                p = torch.sigmoid(self.linear(x))
                return {"loss": -torch.log(1 - p).mean()}

        model = Model()
        settings = {"bf16": True}
        train_data = [{"x": [1.0], "labels": [0.0]} for _ in range(16)]

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(1, 1)
                torch.nn.init.constant_(self.linear.weight, 8.0)
                torch.nn.init.zeros_(self.linear.bias)

            def forward(self, x, labels=None):
                return {"loss": -torch.nn.functional.logsigmoid(-self.linear(x)).mean()}

        model = Model()
        settings = {"bf16": True}
        train_data = [{"x": [1.0], "labels": [0.0]} for _ in range(16)]

    See also: <https://huggingface.co/docs/transformers/perf_train_gpu_one>.
    """
    good = [name for name, finite in trace.precisions.items() if finite]
    if trace.finite or not good:
        return
    bad = [trace.precision, *(n for n, finite in trace.precisions.items() if not finite)]
    birth = trace.root
    key = KEYS[trace.precision]
    off = settings.entry(key, value=False)
    half = next((name for name in good if name in KEYS), None)
    on = f", {settings.entry(KEYS[half], value=True)}" if half is not None else ""
    yield Finding(
        message=f"Batch {trace.batch} is not finite in {' or '.join(bad)}; in "
        f"{' and '.join(good)} it is",
        where=replace(settings.where(key), key=None)
        if birth is None
        else replace(birth.line, layer=birth.module or None, split="train", rows=trace.rows),
        evidence={"finite": good, "not_finite": bad, "batch": trace.batch},
        remedy=f"{off}{on}" + ("" if half is not None else ": train in float32"),
        alternatives=(
            "leave the one operation in float32: with torch.autocast(..., enabled=False)",
        ),
    )
