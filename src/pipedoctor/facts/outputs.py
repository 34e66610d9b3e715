"""What comes out of a model, the loss that it meets there, and the labels that it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.facts.compiled import OutputLoss
from pipedoctor.finding import NOWHERE, Location

GRAPH, VALUES = "graph", "values"
"""What an activation was told by: the layers as they are connected, or the numbers that came out."""


@dataclass(frozen=True)
class Targets:
    """
    The labels that one output is compared with.

    `kind` is "int", "float", "bool" or "text" by what was given; `whole` says whether all numbers
    are whole. `shape` is that of one row, () for a single number. `distinct` counts the values,
    None where they are many. `one_hot` says that each row has one 1 and zeros elsewhere,
    `multi_hot` that there are only zeros and ones; None where a row is a single number.
    `rows` is the number of rows looked at; `complete` says whether these were all.
    """

    kind: str
    shape: tuple[int | None, ...]
    dtype: str
    rows: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    whole: bool = False
    distinct: int | None = None
    one_hot: bool | None = None
    multi_hot: bool | None = None
    not_finite: int = 0
    complete: bool = True
    classes: int | None = None
    """How many classes occur: values of integers, columns with a one of one-hot rows, else None."""


@dataclass(frozen=True)
class Output:
    """
    One output.

    `shape` is that of a batch, None for the rows. `units` is the size of the last axis.
    `activation` is the effective one: that of the last layer that has any, past layers which only
    reshape or drop; "linear", "softmax", "sigmoid" …, the name of the user's own function, or ""
    where it can't be told. `told_by` says what it was told by: GRAPH, or VALUES, which hold for
    the rows that were looked at. `logits_below` is the activation right under the last one where
    two follow each other (softmax on softmax). `minimum` … `row_sum` are of the answers to the
    first batch, None where there was no forward pass: `row_sum` is the smallest and the largest
    sum over the last axis. `constant` says that all rows got the same answer.
    """

    name: str
    layer: str = ""
    kind: str = ""
    units: int | None = None
    shape: tuple[int | None, ...] = ()
    activation: str = ""
    told_by: str = ""
    minimum: float | None = None
    maximum: float | None = None
    row_sum: tuple[float, float] | None = None
    constant: bool | None = None
    not_finite: int = 0
    loss: OutputLoss | None = None
    targets: Targets | None = None
    held_out: Targets | None = None
    """The labels of the validation data that it is compared with."""
    where: Location = NOWHERE
    """The line of the layer, else that of the model."""


@dataclass(frozen=True, repr=False, eq=False)
class Outputs(Fact):
    """
    The outputs in the order of the model, each with its loss and its labels.

    `labels` counts the arrays of labels there are: those of a single output that is given
    several, or the other way round, are paired as far as they go.
    """

    doing = "Looking at what the model gives out"

    outputs: tuple[Output, ...]
    labels: int = UNKNOWN

    def summary(self) -> Mapping[str, object]:
        """Tell names and shapes."""
        return {
            "outputs": {
                output.name: {
                    "units": output.units,
                    "activation": output.activation,
                    "told_by": output.told_by,
                    "loss": output.loss.name if output.loss is not None else None,
                }
                for output in self.outputs
            }
        }
