from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings, Updates
from pipedoctor.facts.settings import number as shown
from pipedoctor.units import count


@check("NUM003", Severity.WARNING, stage=Stage.UPDATE)
def updates_rounded_away(
    updates: Updates, settings: Settings | None, *, share: float = 0.5
) -> Iterator[Finding]:
    """
    Weights are held in 16 bits, and a step is too small to change most of them.

    bfloat16 knows 128 numbers between one power of two and the next: beside 0.03 the next one is
    0.0001 away. What an update adds that is less than half of that is rounded away, each time
    anew, so that such a weight never moves. One step with the highest learning rate of the run is
    taken and undone; counted are weights that have a gradient. Steps of Adam are never longer
    than the first, so what it leaves as it is, later ones leave too. Float32 weights under mixed
    precision (`bf16=True`) don't have this fault. Optimizers that are not torch's own are not
    judged: they may keep float32 copies, or round at random.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(4, 4, dtype=torch.bfloat16)
                torch.nn.init.constant_(self.linear.weight, 0.3)

            def forward(self, x, labels=None):
                return {"loss": self.linear(x.bfloat16()).square().mean()}

        model = Model()
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
        train_data = [{"x": [1.0, 2.0, 3.0, 4.0]} for _ in range(16)]

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(4, 4)
                torch.nn.init.constant_(self.linear.weight, 0.3)

            def forward(self, x, labels=None):
                return {"loss": self.linear(x).square().mean()}

        model = Model()
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
        train_data = [{"x": [1.0, 2.0, 3.0, 4.0]} for _ in range(16)]

    See also: <https://github.com/pytorch/pytorch/issues/120376>.
    """
    if not updates.elements or updates.share <= share:
        return
    rate = shown(updates.learning_rate)
    moved = f"; the largest that moved is {updates.largest:.2g}" if updates.largest else ""
    keys: dict[str, object] = {}
    if settings is not None:
        keys["where"] = settings.where("learning_rate")
    yield Finding(
        message=f"{count(updates.unchanged)} of {count(updates.elements)} {updates.dtype} weights "
        f"with a gradient ({updates.share:.0%}) are the same after a step of {updates.optimizer} "
        f"with the learning rate {rate}{moved}",
        evidence={
            "elements": updates.elements,
            "unchanged": updates.unchanged,
            "dtype": updates.dtype,
            "learning_rate": updates.learning_rate,
        },
        remedy="hold the weights in float32 and compute in bfloat16: from_pretrained(..., "
        "dtype=torch.float32) and bf16=True",
        alternatives=("an optimizer that rounds at random, such as those of torchao.optim",),
        **keys,  # type: ignore[arg-type]  # a place, where there are settings
    )
