"""How a model was compiled: optimizer, losses, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class OutputLoss:
    """
    The loss of one output.

    `name` is that of its function ("sparse_categorical_crossentropy"), also where a class of
    Keras was given; of the user's own, it is the name of their function or class, and `own` says
    so. `from_logits` is None where the loss has no such thing. `parameters` are its other figures
    ("label_smoothing", "ignore_class", "delta" …). `weight` is that of `loss_weights`.
    """

    output: str
    name: str
    from_logits: bool | None = None
    reduction: str = ""
    by_name: bool = False
    """Whether it was given as a text, so that everything else is the default."""
    own: bool = False
    weight: float = 1.0
    parameters: Mapping[str, object] = field(default_factory=dict)
    where: Location = NOWHERE


@dataclass(frozen=True, repr=False, eq=False)
class Compiled(Fact):
    """
    What `compile` was given, and what it made of it.

    `optimizer` is the class of the optimizer, `learning_rate` its rate (of a schedule: that of
    the first step) and `schedule` the class of the schedule, "" where the rate is a number.
    `hyper` holds the optimizer's other figures ("weight_decay", "epsilon", "clipnorm" …).
    `metrics` are the names as `fit` logs them, "loss" included and without "val_", which goes
    before each with validation data; `metric_kinds` the class or function behind each.
    """

    doing = "Reading how the model is compiled"

    library: str
    """Which of the two Keras it is: keras, or tf_keras."""
    version: str
    backend: str
    """What computes: tensorflow, torch or jax."""
    optimizer: str = UNKNOWN
    optimizer_by_name: bool = False
    """Whether it is as its name alone would make it ("adam"): no figure was stated."""
    learning_rate: float = UNKNOWN
    schedule: str = ""
    schedule_parameters: Mapping[str, object] = field(default_factory=dict)
    hyper: Mapping[str, object] = field(default_factory=dict)
    loss_scaling: bool = False
    """Whether a LossScaleOptimizer is around the optimizer, as mixed_float16 needs."""
    losses: tuple[OutputLoss, ...] = UNKNOWN
    """One for each output that has one; none where the model computes its loss itself."""
    own_losses: int = 0
    """The terms that layers add themselves: regularizers and `add_loss`."""
    metrics: tuple[str, ...] = UNKNOWN
    metric_kinds: Mapping[str, str] = field(default_factory=dict)
    own_train_step: bool = False
    """Whether the class of the model has a `train_step` of its own."""
    own_compute_loss: bool = False
    own_test_step: bool = False
    lender: str = ""
    """The package whose model it is, of those that lend theirs out: "transformers"."""
    pretrained: str = ""
    """The name or folder that such a model was loaded from; "" where it began with chance."""
    jit_compile: bool = UNKNOWN
    run_eagerly: bool = False
    steps_per_execution: int = 1
    where: Location = NOWHERE
    places: Mapping[str, Location] = field(default_factory=dict)

    def at(self, *names: str) -> Location:
        """Return the place of the first of these arguments that is stated, else that of the call."""
        found = next((self.places[name] for name in names if name in self.places), None)
        return found or replace(self.where, key=names[0] if names else None)

    def loss_of(self, output: str) -> OutputLoss | None:
        """Return the loss of an output."""
        return next((loss for loss in self.losses if loss.output == output), None)

    def summary(self) -> Mapping[str, object]:
        """Tell what it was compiled with, and what runs it."""
        told: dict[str, object] = {
            "library": self.library,
            "version": self.version,
            "backend": self.backend,
        }
        for name in ("optimizer", "learning_rate"):
            if self.known(name):
                told[name] = getattr(self, name)
        if self.known("losses"):
            told["losses"] = [loss.name for loss in self.losses]
        if self.known("metrics"):
            told["metrics"] = list(self.metrics)
        return told
