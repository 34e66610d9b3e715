"""Where the labels of a language model stand beside its tokens, and which of them it compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True, repr=False, eq=False)
class LabelShift(Fact):
    """
    The labels of real batches against the tokens that they stand beside.

    Of `labels` labels that count and have a token behind them, `same` are the token that they
    stand at, `following` the one behind it. `shifts` says whether the model's loss compares the
    answer at each token with the label of the next one, as the models of transformers that
    predict the next token do: it is known where the loss is that, or that without the shift.
    """

    doing = "Comparing labels with tokens"

    labels: int
    same: int
    following: int
    shifts: bool = UNKNOWN
    where: Location = NOWHERE

    def summary(self) -> Mapping[str, object]:
        """Tell the counts."""
        return {"labels": self.labels, "same": self.same, "following": self.following}
