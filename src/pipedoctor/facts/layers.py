"""The layers of a model, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class Weight:
    """
    One weight of a layer, in a few numbers.

    `std`, `minimum` and `maximum` are of the finite elements; `not_finite` counts the others.
    `alike` counts the columns (the last axis: units) that are the same as the first one, which is
    among them: all of them where it is the size of that axis. It is 1 for what has no columns.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    trainable: bool
    mean: float = 0.0
    std: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0
    not_finite: int = 0
    alike: int = 1

    @property
    def constant(self) -> bool:
        """Whether all elements are the same number."""
        return not self.not_finite and self.minimum == self.maximum


@dataclass(frozen=True)
class Layer:
    """
    One layer without layers inside of it; `path` names those that it lies in, with slashes.

    `kind` is its class; `own` says that the class is the user's. `activation` is the name of the
    function, "linear" where a layer that could have one has none, None where it can't have one.
    `units` are the outputs of a row (units, filters, or the width of an embedding). `inputs` are
    the names of the layers that it gets its input from, where a graph of layers tells that.
    `settings` holds the plain figures of its configuration ("momentum", "epsilon", "rate",
    "axis", "input_dim", "scale" …). `trainable` is the flag: whether it was set to be trained.
    """

    name: str
    path: str
    kind: str
    own: bool = False
    activation: str | None = None
    units: int | None = None
    trainable: bool = True
    compute_dtype: str = "float32"
    variable_dtype: str = "float32"
    parameters: int = 0
    inputs: tuple[str, ...] = ()
    output_shape: tuple[int | None, ...] | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    weights: tuple[Weight, ...] = ()
    where: Location = NOWHERE


@dataclass(frozen=True, repr=False, eq=False)
class Layers(Fact):
    """
    The layers in the order in which the model holds them.

    `form` is "Sequential", "Functional" or "subclassed"; of the last, the order may be another
    than that in which the layers are called. `policy` is the dtype policy of the model
    ("float32", "mixed_float16"). `built` says whether the weights were there before pipedoctor
    looked; if not, they were built as fit would.
    """

    doing = "Looking at the layers"

    model: str
    form: str
    layers: tuple[Layer, ...]
    policy: str = "float32"
    built: bool = True
    trainable: bool = True
    """The flag of the model itself."""
    where: Location = NOWHERE

    def of(self, *kinds: str) -> Iterator[Layer]:
        """Yield the layers of these classes."""
        return (layer for layer in self.layers if layer.kind in kinds)

    def named(self, name: str) -> Layer | None:
        """Return a layer by its name."""
        return next((layer for layer in self.layers if layer.name == name), None)

    def summary(self) -> Mapping[str, object]:
        """Tell how many there are."""
        told: dict[str, object] = {"model": self.model, "form": self.form}
        told |= {"layers": len(self.layers), "policy": self.policy, "built": self.built}
        return told | {"parameters": sum(layer.parameters for layer in self.layers)}
