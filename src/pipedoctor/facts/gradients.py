"""One backward pass over one real batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite, sqrt

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class Gradient:
    """
    The gradient of one trainable parameter: its norm, None where it got none.

    A norm of 0 means that all of it is zero; it is not finite if any element is not. `reached`
    says whether the parameter got a gradient in any pass: layers may be left out at random while
    training, and experts that no token of a batch is sent to.
    """

    norm: float | None
    size: int
    reached: bool = True


@dataclass(frozen=True)
class Stranger:
    """
    A parameter that the loss depends on, and that is none of `model.parameters()`.

    `name` is where it was found in the model, such as "layers[0].weight": in a list or another
    attribute that registers nothing, whose name is `holder`. Both are empty where the model does
    not hold it. `optimized` says whether the optimizer does, if there is an optimizer.
    """

    shape: tuple[int, ...]
    size: int
    name: str = ""
    holder: str = ""
    optimized: bool | None = None


@dataclass(frozen=True, repr=False, eq=False)
class Gradients(Fact):
    """
    What one training step's backward pass over the first batch gave, before any update.

    `of` has an entry for each trainable parameter. Nothing of the user's is changed: no gradient
    is left behind, no weight is written, and hooks that run once a gradient has been accumulated
    (such as an optimizer that steps in the backward pass) are not called. Hooks that are part of
    the computation are: those of modules, and those of tensors that change a gradient.
    """

    doing = "Running the model forwards and backwards on the first batch"

    model: str
    loss: float
    of: Mapping[str, Gradient]
    connected: bool = UNKNOWN
    """Whether the loss carries a gradient at all; the backward pass raises if not."""
    own_loss: bool = False
    """Whether the loss is the trainer's own (`compute_loss`), not the model's."""
    checkpointing: bool = False
    """Whether the run has gradient checkpointing switched on."""
    cut: tuple[str, ...] = ()
    """Trainable parameters in segments that reentrant checkpointing cut off: no input of the
    segment needed a gradient, so that nothing in it gets one."""
    strangers: tuple[Stranger, ...] = ()
    passes: int = 1
    dead: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Layers behind which most units of a ReLU are 0 for each row, as what goes in is below 0: how
    many of how many."""
    broadcast: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    """The shapes of answers and labels of which the loss makes a square; None: it does not."""
    of_loop: bool = False
    """Whether the passes are those of a loop of the script's own, watched as they happened: then
    `loss` is that of the first, and a gradient that of the first step that had one."""
    where: Location = NOWHERE
    """The line that differentiates, where a loop has one."""
    library: str = "torch"
    """What the model is built with, torch or Keras: a remedy is written in its words."""

    @property
    def without(self) -> tuple[str, ...]:
        """The trainable parameters that got no gradient in any pass."""
        return tuple(name for name, gradient in self.of.items() if not gradient.reached)

    @property
    def size(self) -> int:
        """The number of elements of all trainable parameters."""
        return sum(gradient.size for gradient in self.of.values())

    @property
    def layers(self) -> Mapping[str, float]:
        """The norm of the gradient of each layer, in the order of the model's parameters."""
        squares: dict[str, float] = {}
        for name, gradient in self.of.items():
            if gradient.norm is not None:
                layer = layer_of(name)
                squares[layer] = squares.get(layer, 0.0) + gradient.norm**2
        return {layer: sqrt(square) for layer, square in squares.items()}

    @property
    def norm(self) -> float:
        """The norm of the whole gradient, as Trainer logs it under `grad_norm`."""
        return sqrt(sum((g.norm or 0.0) ** 2 for g in self.of.values()))

    def summary(self) -> Mapping[str, object]:
        """Tell what was seen: proof that it ran."""
        told: dict[str, object] = {"parameters": len(self.of), "without": len(self.without)}
        for name in ("loss", "norm"):
            if name == "loss" and not self.known("loss"):
                continue
            value = getattr(self, name)
            told[name] = value if isfinite(value) else str(value)
        return told


def layer_of(name: str) -> str:
    """Return the layer of a parameter: as far as its first number, else its module."""
    mark = "/" if "/" in name else "."  # of Keras, and of torch
    parts = name.split(mark)
    for place, part in enumerate(parts[:-1]):
        if part.isdecimal():
            return mark.join(parts[: place + 1])
    return mark.join(parts[:-1]) or name


def places(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return the layers that parameters make up, without a part in others; else themselves."""
    shared = {
        ".".join(parts[:n]) for parts in (o.split(".") for o in others) for n in range(len(parts))
    }
    each = ((name, layer_of(name)) for name in names)
    return tuple(dict.fromkeys(name if layer in shared else layer for name, layer in each))


def summarised(names: tuple[str, ...], most: int = 3) -> str:
    """Return names as a sentence lists them: a, b, c and 12 more."""
    told = ", ".join(names[:most])
    return told if len(names) <= most else f"{told} and {len(names) - most} more"
