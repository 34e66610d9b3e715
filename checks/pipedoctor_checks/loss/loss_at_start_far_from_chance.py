from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log, sqrt
from statistics import median

from pipedoctor import Finding, Location, Severity, Stage, Train, Unavailable, check
from pipedoctor.facts import Batch, Forward, Head, Labels, Model
from pipedoctor.facts.head import MULTI, REGRESSION

TRAINED = 1.0
"""
How far above chance, in nats, a head that was trained before may start.

MiniLM fine-tuned on 2 and 3 Reuters classes, on batches of 8: 0.02 above chance at most with the
labels as learned (n = 90), 2.9 or more with its 2 labels exchanged (n = 70).
"""

NEW = 3.0
"""
The same for a new head.

MiniLM with new heads of 2, 3, 8 and 20 outputs on batches of 8 Reuters texts: within 0.03 of
chance, and within 0.09 even where all 8 rows had one label (n = 200 and 1,650). Small random
models of 40 encoder families, all rows of one label: 0.7 above at most; ModernBERT, which draws
larger weights, 1.1 (n = 18 to 80 each).
"""

SPREAD = 0.08
"""
What a wide head may start with beyond that, as a share of the root of its width.

Logits grow with that root; this is 4 times the deviation 0.02 that new weights are drawn with.
"""

UNSCALED = ("T5",)
"""Families whose hidden states are not scaled: T5's heads over tokens started 9.5 above chance."""

WIDEST = 4096
"""The width that is assumed where the head's is not known."""

LEAKED = 0.5
"""
The share of the labels' entropy that no new head of an encoder gets below.

A fixed answer can't have a smaller loss than the entropy. New heads were measured at 0.997 of it
and more (n = 942). Decoders are left out: their hidden states are large, their luck varies.
"""


@check("LOS002", Severity.WARNING, stage=Stage.FORWARD)
def loss_at_start_far_from_chance(
    forward: Train[Forward],
    head: Head,
    labels: Train[Labels] | None,
    batch: Train[Batch] | None,
    model: Model | None,
) -> Iterator[Finding]:
    """
    The loss before the first step is far from that of guessing.

    A new head knows nothing, so its answers are nearly even: its cross-entropy starts at ln(C) for
    C classes, 0.69 for 2 and 1.10 for 3, and that of several labels a row at ln(2). A loss far
    above means that the model is sure and wrong: the head's weights are too large, the loss is
    summed instead of averaged, or a head that was trained before numbers the classes otherwise.
    A new head far below has seen the answer. Regressions are not judged: their loss has no scale.

    Fails:

        import torch
        from transformers import BertConfig, BertForSequenceClassification

        torch.manual_seed(0)
        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
                num_labels=3,
            )
        )
        torch.nn.init.normal_(model.classifier.weight, std=100.0)
        train_data = [{"input_ids": [2, row, 3], "label": row % 3} for row in range(16)]

    Passes:

        import torch
        from transformers import BertConfig, BertForSequenceClassification

        torch.manual_seed(0)
        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
                num_labels=3,
            )
        )
        train_data = [{"input_ids": [2, row, 3], "label": row % 3} for row in range(16)]

    See also: <https://karpathy.github.io/2019/04/25/recipe/>.
    """
    if forward.own_loss:
        raise Unavailable(
            "the trainer computes a loss of its own, whose chance level nobody knows"
        )
    loss = forward.loss
    dtype = batch.labels.dtype if batch is not None and batch.labels is not None else "int64"
    problem = head.problem(dtype)
    if problem == REGRESSION or head.outputs < 2 or not isfinite(loss):
        return
    start = Start(loss, forward, head, model)
    chance = log(2) if problem == MULTI else log(head.outputs)
    among = "yes or no" if problem == MULTI else f"{head.outputs:,} classes"
    limit = start.limit(chance)
    if limit is not None and loss > limit:
        yield Finding(
            message=f"The loss of the first {len(forward.rows)} rows is {loss:.2f}; guessing among "
            f"{among} gives {chance:.2f}, and healthy heads start below {limit:.2f}",
            where=Location(split="train"),
            evidence={
                "loss": loss,
                "chance": chance,
                "limit": limit,
                "outputs": head.outputs,
                "rows": list(forward.rows),
            },
            remedy=_too_high(start, chance, labels),
        )
    if (floor := start.floor()) is not None and problem != MULTI and loss < floor:
        yield Finding(
            message=f"The loss of the first {len(forward.rows)} rows is {loss:.2f} with a head that "
            f"was never trained; guessing among {among} gives {chance:.2f}, and the shares of "
            f"their labels alone {floor / LEAKED:.2f}",
            where=Location(split="train"),
            evidence={
                "loss": loss,
                "chance": chance,
                "entropy": floor / LEAKED,
                "outputs": head.outputs,
                "rows": list(forward.rows),
            },
            remedy="look for the labels among the model's inputs, and whether the loss is divided "
            f"twice: {loss:.2f} times {len(forward.rows)} rows is {loss * len(forward.rows):.2f}",
        )


@dataclass(frozen=True)
class Start:
    """The first loss, and what it is to be measured against."""

    loss: float
    forward: Forward
    head: Head
    model: Model | None

    @property
    def trained(self) -> bool:
        """Whether the head is known to come from a checkpoint."""
        return self.head.known("new") and not self.head.new

    @property
    def new(self) -> bool:
        """Whether the head is known to start from random weights."""
        return self.head.known("new") and self.head.new

    @property
    def encoder(self) -> bool:
        """Whether the model is known to be an encoder, with hidden states of a usual size."""
        model = self.model
        if model is None or not model.known("decoder_only") or model.decoder_only:
            return False
        return not any(family in model.name for family in UNSCALED)

    @property
    def weight(self) -> tuple[str, int] | None:
        """The name of the head's weight and its width, where the model has such a parameter."""
        parameters = {} if self.model is None else self.model.parameters
        found = [
            (name, parameter.shape[1])
            for name, parameter in parameters.items()
            if len(parameter.shape) == 2 and parameter.shape[0] == self.head.outputs
        ]
        return found[-1] if found else None

    def limit(self, chance: float) -> float | None:
        """Return the highest loss that is still healthy; None if that can't be said."""
        if not self.new and median(_finite(self.forward.row_losses)) <= chance:
            return None  # a good head can be sure and wrong in a few rows, not in half of them
        if self.trained:
            return chance + TRAINED
        vocabulary = self.head.per_token and self.head.outputs >= Labels.MOST_DISTINCT
        if not self.encoder and not vocabulary:
            return None  # hidden states without a bound that a limit could rest on
        width = self.weight[1] if self.weight is not None else WIDEST
        return chance + max(NEW, SPREAD * sqrt(width))

    def floor(self) -> float | None:
        """Return the lowest loss that a new head can have without seeing the answer."""
        forward = self.forward
        if not self.new or not self.encoder or not forward.known("labels"):
            return None
        entropy = _entropy(forward.labels)
        # Below half a nat the rows are nearly all of one label, and little is to be seen.
        return LEAKED * entropy if entropy >= 0.5 else None


def _finite(losses: Sequence[float]) -> list[float]:
    """Return the losses of the rows that have one; rows without a label have NaN."""
    return [loss for loss in losses if isfinite(loss)] or [0.0]


def _entropy(labels: Sequence[float]) -> float:
    counts = Counter(labels).values()
    return -sum(count / len(labels) * log(count / len(labels)) for count in counts)


def _too_high(start: Start, chance: float, labels: Labels | None) -> str:
    rows, head = len(start.forward.rows), start.head
    if rows > 1 and abs(start.loss / (rows * chance) - 1) < 0.1:
        return f'average the loss, reduction="mean": {start.loss:.2f} is {rows} rows times {chance:.2f}'
    names = {} if labels is None else labels.names
    if head.names and names and dict(head.names) != dict(names):
        column = "label" if labels is None else labels.column
        return (
            f"train_data = train_data.align_labels_with_mapping(model.config.label2id, "
            f'"{column}"): the head has {_order(head.names)}, the data {_order(names)}'
        )
    order = "number the labels as model.config.id2label does"
    scale = "start the head with small weights"
    if start.weight is not None:
        scale += f": torch.nn.init.normal_(model.{start.weight[0]}, std=0.02)"
    if start.trained:
        return order
    return scale if head.known("new") else f"{scale}; or, if it was trained before, {order}"


def _order(names: Mapping[int, str]) -> str:
    return ", ".join(f"{value} {names[value]}" for value in sorted(names)[:6])
