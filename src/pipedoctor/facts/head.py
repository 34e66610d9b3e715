"""What the model's head is built to predict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location

SINGLE = "single_label_classification"
MULTI = "multi_label_classification"
REGRESSION = "regression"


@dataclass(frozen=True, repr=False, eq=False)
class Head(Fact):
    """
    The outputs of the model and the kind of problem they are for.

    `outputs` is the number of logits per row (or per token). `problem_type` is one of
    `single_label_classification`, `multi_label_classification`, `regression`, where it is stated;
    Transformers infers it from the first batch otherwise, and `inferred` tells what from.
    `new` says whether the head starts from random weights.
    """

    doing = "Loading the model"

    outputs: int
    problem_type: str = UNKNOWN
    names: Mapping[int, str] = field(default_factory=dict)
    new: bool = UNKNOWN
    per_token: bool = False
    origin: Location = NOWHERE
    """Where the number of outputs is stated, or comes from."""
    inferred: str = ""
    """What the problem type was inferred from; empty where it is stated or not known."""

    vocabulary: bool = False
    """Whether the outputs are the tokens of a vocabulary, and the labels token ids."""
    casts: bool = False
    """Whether the model's own code judges labels by their shape, not by their type (DeBERTa)."""

    @property
    def casts_labels(self) -> bool:
        """
        Whether one label a row, of any type, is taken for a class, and left out if negative.

        Where no problem type is stated, DeBERTa does so; with a list of labels a row it takes
        the cross-entropy with them as shares.
        """
        return self.casts and not self.stated and self.outputs > 1 and not self.per_token

    @property
    def stated(self) -> bool:
        """Whether somebody stated the problem type, and the loss goes by it."""
        return self.known("problem_type") and not self.inferred and not self.per_token

    def problem(self, dtype: str) -> str:
        """
        Return the kind of problem that the loss is computed for, given the dtype of the labels.

        It is the one stated; where none is, Transformers takes one output for a regression, and
        else integers for classes and anything else for several labels a row. A loss over tokens
        is always that of classes.
        """
        if self.per_token:
            return SINGLE
        if self.stated:
            return self.problem_type
        if self.outputs == 1:
            return REGRESSION
        return SINGLE if self.casts or dtype in {"int64", "int32"} else MULTI

    def summary(self) -> Mapping[str, object]:
        """Tell the figures."""
        told: dict[str, object] = {"outputs": self.outputs}
        if self.known("problem_type"):
            told["problem_type"] = self.problem_type
        return told
