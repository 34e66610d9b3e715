from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import MixedTypes, Settings
from pipedoctor.facts.labels import listed
from pipedoctor.units import count


@check(
    "NUM010",
    Severity.ERROR,
    stage=Stage.FORWARD,
    symptoms={
        r"(m1 and m2|mat1 and mat2) (to have|must have) the same dtype": (
            "bring the weights to one type (model.to(torch.float32)), or train with bf16=True, "
            "which casts where types meet"
        ),
    },
    explains=("RUN001",),
)
def types_meet_without_autocast(types: MixedTypes, settings: Settings | None) -> Iterator[Finding]:
    """
    Some weights are of another type than the rest, and the model can't multiply one by the other.

    A base model in bfloat16 with a head or an adapter in float32 is trained in mixed precision
    (`bf16=True`), which brings values to one type where they meet. Without it the first step
    raises "expected mat1 and mat2 to have the same dtype". The model is run as the training would
    run it: many layers, those of PEFT's LoRA among them, cast by themselves, and are no fault.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.base = torch.nn.Linear(2, 4).to(torch.bfloat16)
                self.head = torch.nn.Linear(4, 1)

            def forward(self, x, labels=None):
                h = self.base(x.to(torch.bfloat16))
                return {"loss": (self.head(h)[:, 0] - labels).square().mean()}

        model = Model()
        train_data = [{"x": [0.1 * n, 1.0], "labels": 1.0} for n in range(32)]
        settings = {"bf16": False}

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.base = torch.nn.Linear(2, 4).to(torch.bfloat16)
                self.head = torch.nn.Linear(4, 1)

            def forward(self, x, labels=None):
                h = self.base(x.to(torch.bfloat16))
                return {"loss": (self.head(h)[:, 0] - labels).square().mean()}

        model = Model()
        train_data = [{"x": [0.1 * n, 1.0], "labels": 1.0} for n in range(32)]
        settings = {"bf16": True}

    See also: <https://github.com/huggingface/peft/issues/1515>.
    """
    if not types.raised:
        return
    told = listed([f"{count(number)} {name}" for name, number in sorted(types.counts.items())])
    main = max(types.counts, key=lambda name: (types.counts[name], name))
    place = types.module or "the model"
    own = f", whose weights are {listed(types.own)}" if types.own and types.module else ""
    inner = f"model.get_submodule({types.module!r})" if types.module else "model"
    one = f"bring it to the type of what it is given: {inner}.to(torch.{main})"
    if types.own == (main,):
        one = f"bring all weights to one type: model.to(torch.{main})"
    key = "fp16" if "bfloat16" not in types.counts and "float16" in types.counts else "bf16"
    cast = f"{key}=True" if settings is None else settings.entry(key, True)
    yield Finding(
        message=f"The model has parameters of several types ({told}), and can't be run: in "
        f"{place}{own}, it raises {types.raised!r}",
        where=Location(layer=types.module or None),
        evidence={
            "types": dict(types.counts),
            "module": types.module,
            "own": list(types.own),
            "raised": types.raised,
        },
        remedy=one if types.cast else f"{cast}, which casts where types meet",
        alternatives=() if types.cast else (one,),
    )
