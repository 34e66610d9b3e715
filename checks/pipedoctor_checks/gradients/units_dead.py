from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import Batch, Gradients
from pipedoctor.facts.gradients import summarised

DEAD = 0.98
"""
The share of units of a layer that are 0 for every row before anything is said.

Of a new layer, half the units are 0 for one row, and next to none for all of eight. Large
pretrained models with ReLU (OPT) have layers in which seven of ten units are hardly ever active,
and work well.
"""

FEWEST = 4
"""In a batch of fewer rows than this, many units are 0 by chance."""


@check("GRD010", Severity.WARNING, stage=Stage.FORWARD, explains=("GRD001", "LOS003"))
def units_dead(gradients: Gradients, batch: Train[Batch]) -> Iterator[Finding]:
    """
    A layer of ReLU units gives 0 for every row, so that nothing passes, forwards or backwards.

    A unit whose input is below 0 for all data has an output of 0 and a gradient of 0: it never
    comes back. A learning rate that was too high, biases that start far below 0, or inputs that
    are not scaled kill whole layers. Only layers with hardly a unit left are named.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(2, 16)
                self.head = torch.nn.Linear(16, 2)
                torch.nn.init.constant_(self.body.bias, -100.0)

            def forward(self, x, labels=None):
                logits = self.head(torch.relu(self.body(x)))
                return {"loss": torch.nn.functional.cross_entropy(logits, labels)}

        model = Model()
        train_data = [{"x": [row / 16, 1.0], "labels": row % 2} for row in range(16)]

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(2, 16)
                self.head = torch.nn.Linear(16, 2)

            def forward(self, x, labels=None):
                logits = self.head(torch.relu(self.body(x)))
                return {"loss": torch.nn.functional.cross_entropy(logits, labels)}

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [row / 16, 1.0], "labels": row % 2} for row in range(16)]

    See also: <https://arxiv.org/abs/1903.06733>.
    """
    rows = max((array.shape[0] for array in batch.arrays.values() if array.shape), default=0)
    found = {
        n: (dead, units) for n, (dead, units) in gradients.dead.items() if dead >= DEAD * units
    }
    if rows < FEWEST or not found:
        return
    layer, (dead, units) = next(iter(found.items()))
    told = f"{dead:,} of {units:,} units behind {layer}"
    if len(found) > 1:
        told += f" and most of those behind {summarised(tuple(found)[1:])}"
    yield Finding(
        message=f"{told} are 0 for each of the {rows} rows of the first batch, as what goes into "
        "the ReLU is below 0: no gradient passes through them",
        where=Location(layer=layer, split="train"),
        evidence={"layers": {name: list(counts) for name, counts in found.items()}, "rows": rows},
        remedy=f"start the biases at 0, torch.nn.init.zeros_(model.{layer}.bias), and scale the "
        "inputs to about 1; GELU and LeakyReLU do not die",
    )
