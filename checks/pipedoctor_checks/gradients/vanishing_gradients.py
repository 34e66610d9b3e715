from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Gradients

VANISHED = 1e-7
"""
The gradient of a layer, relative to the largest one, below which it has vanished.

New models of transformers with 6 layers each, 56 kinds of classifiers and language models, were
at 2.5e-4 and above; what is exactly 0 (adapters that start at 0, say) is not counted.
"""

FEWEST = 3
"""So many layers there have to be, or there is no depth to vanish in."""


@check("GRD001", Severity.WARNING, stage=Stage.BACKWARD, explains=("LOS003",))
def vanishing_gradients(gradients: Gradients) -> Iterator[Finding]:
    """
    The gradient of the first layers is millions of times smaller than that of the last ones.

    Each layer multiplies the gradient on its way back. Many sigmoids or tanhs in a row, which
    pass on a quarter at most, leave next to nothing for the first layers: with SGD they stay as
    they were made, and Adam, which divides by the size, makes steps of rounding errors.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                layers = [torch.nn.Linear(8, 8) for _ in range(20)]
                self.layers = torch.nn.ModuleList(layers)

            def forward(self, x, labels=None):
                for layer in self.layers:
                    x = torch.sigmoid(layer(x))
                return {"loss": torch.nn.functional.cross_entropy(x, labels)}

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [row / 16] * 8, "labels": row % 8} for row in range(16)]

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                layers = [torch.nn.Linear(8, 8) for _ in range(20)]
                self.layers = torch.nn.ModuleList(layers)

            def forward(self, x, labels=None):
                for layer in self.layers:
                    x = x + torch.sigmoid(layer(x))
                return {"loss": torch.nn.functional.cross_entropy(x, labels)}

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [row / 16] * 8, "labels": row % 8} for row in range(16)]

    See also: <https://proceedings.mlr.press/v9/glorot10a.html>.
    """
    norms = {layer: norm for layer, norm in gradients.layers.items() if 0 < norm < float("inf")}
    if len(norms) < FEWEST:
        return
    layer = min(norms, key=norms.__getitem__)
    last = max(norms, key=norms.__getitem__)
    small, large = norms[layer], norms[last]
    if small >= VANISHED * large:
        return
    vanished = [name for name, norm in norms.items() if norm < VANISHED * large]
    yield Finding(
        message=f"The gradient of {layer} has a norm of {small:.1e}, that of {last} {large:.1e}; "
        f"{len(vanished)} of {len(norms)} layers get less than {VANISHED:g} of the largest one",
        where=Location(layer=layer, split="train"),
        evidence={"smallest": small, "largest": large, "layers": vanished[:20]},
        remedy="add residual connections (x = x + layer(x)) or normalisation between the layers, or "
        "use GELU or ReLU in place of sigmoid and tanh",
    )
