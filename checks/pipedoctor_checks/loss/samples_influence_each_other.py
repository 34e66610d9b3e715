from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Mixing

_TIME_FIRST = frozenset(
    {"LSTM", "GRU", "RNN", "MultiheadAttention", "Transformer", "TransformerEncoder"}
    | {"TransformerDecoder", "TransformerEncoderLayer", "TransformerDecoderLayer"}
)
"""Layers of torch that take the first dimension for that of time, unless they are told otherwise."""


@check("LOS007", Severity.ERROR, stage=Stage.FORWARD)
def samples_influence_each_other(mixing: Mixing) -> Iterator[Finding]:
    """
    The answer to one row of a batch depends on the other rows.

    A `view` or `reshape` where a `transpose` was meant, a softmax or a mean over the first
    dimension, a recurrent layer without `batch_first`: the shapes are right, the loss falls, and
    the model learns from rows that it will not have beside it later. A few rows of the first batch
    are run in evaluation mode, and again with one of them replaced: the answers to the others must
    stay. What mixes rows on purpose is let alone: batch normalisation while training, losses
    that compare rows, answers for pairs of rows, experts with room for a part of the batch.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.lstm = torch.nn.LSTM(4, 8)
                self.head = torch.nn.Linear(8, 2)

            def forward(self, x, labels=None):
                states, _ = self.lstm(x)
                logits = self.head(states[:, -1])
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [[n / 8, 1.0, k, 0.5] for k in range(3)], "labels": n % 2} for n in range(8)]

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.lstm = torch.nn.LSTM(4, 8, batch_first=True)
                self.head = torch.nn.Linear(8, 2)

            def forward(self, x, labels=None):
                states, _ = self.lstm(x)
                logits = self.head(states[:, -1])
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [[n / 8, 1.0, k, 0.5] for k in range(3)], "labels": n % 2} for n in range(8)]

    See also: <https://karpathy.github.io/2019/04/25/recipe/>.
    """
    if not mixing.mixed:
        return
    layer = mixing.layer
    others = ", ".join(map(str, mixing.changed))
    what = (
        f"With another row {mixing.replaced} in the batch, the answers to rows {others} change by up "
        f"to {mixing.change:.2g} (they go up to {mixing.scale:.2g}), where they should stay"
    )
    if layer is not None:
        what += f"; {layer.name} ({layer.kind}) is the first layer to mix rows"
    yield Finding(
        message=what,
        where=Location(),
        evidence={
            "replaced": mixing.replaced,
            "changed": list(mixing.changed),
            "change": mixing.change,
            "largest_answer": mixing.scale,
            "layer": layer.name if layer is not None else None,
        },
        remedy=_remedy(mixing),
    )


def _remedy(mixing: Mixing) -> str:
    layer = mixing.layer
    if layer is not None and (layer.batch_first is False or layer.kind in _TIME_FIRST):
        return f"make {layer.name} with batch_first=True: it takes the first dimension for time"
    if layer is not None and layer.axis == 0:
        return f"make {layer.name} with axis=-1: axis 0 is that of the rows"
    where = f"in {layer.name}" if layer is not None else "between the layers"
    if mixing.library == "keras":
        return (
            f"look {where} for a reshape where keras.ops.transpose was meant, and for a softmax or a "
            "mean over axis 0"
        )
    return (
        f"look {where} for view() or reshape() where transpose() was meant, and for a softmax or a "
        "mean over dim=0"
    )
