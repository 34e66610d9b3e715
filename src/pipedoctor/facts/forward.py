"""One forward pass over one real batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class Forward(Fact):
    """
    The model's answer to the first batch, without dropout and without gradients.

    `row_losses` is the loss of each row, in the order of `rows`, their indices in the data.
    `outputs` names what the model returned, loss included.
    """

    doing = "Running the model on the first batch"
    per_split = True

    rows: tuple[int, ...]
    outputs: tuple[str, ...]
    loss: float = UNKNOWN
    row_losses: tuple[float, ...] = UNKNOWN
    labels: tuple[float, ...] = UNKNOWN
    """The label of each row, where a row has one."""

    own_loss: bool = False
    """Whether the loss is the trainer's own (`compute_loss`), not the model's."""

    shifts: bool = UNKNOWN
    """Whether the loss compares each answer with the label of the next token."""

    def summary(self) -> Mapping[str, object]:
        """Tell what was seen: proof that it ran."""
        told: dict[str, object] = {"rows": len(self.rows)}
        if self.known("loss"):
            told["loss"] = self.loss
        return told
