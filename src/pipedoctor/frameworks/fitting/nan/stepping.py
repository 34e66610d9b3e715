"""One training step of a model of Keras, whose optimizer hands its gradients to us instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.frameworks.fitting import second, second_step
from pipedoctor.frameworks.fitting.drawing import Drawn
from pipedoctor.frameworks.fitting.library import Library, of_model, path_of
from pipedoctor.frameworks.fitting.nan import values
from pipedoctor.frameworks.fitting.own_step import named_loss
from pipedoctor.frameworks.fitting.step import tensors
from pipedoctor.frameworks.fitting.untouched import optimizers

Apply = Callable[[Any, list[Any], list[Any]], None]
"""Gets the optimizer, the gradients and the variables."""


class Halt(Exception):  # noqa: N818 - no error: the rest of the step is of no interest
    """The step has told what there is to be told."""


@dataclass
class Seen:
    """What a step showed: its losses, and each gradient with the path of its variable."""

    losses: list[Any] = field(default_factory=list)
    gradients: list[tuple[str, Any]] = field(default_factory=list)
    halted: bool = False

    @property
    def ends(self) -> list[Any]:
        """All that a step is to make finite."""
        return [*self.losses[-1:], *(one for _, one in self.gradients if one is not None)]

    @property
    def bad(self) -> bool:
        """Whether something of it is not finite."""
        return any(values.kind(one) for one in self.ends)


def packed(library: Library, batch: Drawn | tuple[Any, Any, Any]) -> Any:
    """Return inputs, labels and weights as a training step gets them."""
    given = (batch.x, batch.y, batch.sample_weight) if isinstance(batch, Drawn) else batch
    parts = (tensors(library, part) for part in given)
    if library.second:
        return second.packed(library, parts)
    pack = library.module("trainers.data_adapters.data_adapter_utils").pack_x_y_sample_weight
    return pack(*parts)


def one_step(model: Any, data: Any, apply: Apply) -> Seen:
    """Run the model's own training step; `apply` stands in for its optimizers' own."""
    seen = Seen()

    def told(optimizer: Any, gradients: list[Any], variables: list[Any]) -> None:
        pairs = zip(variables, gradients, strict=False)
        seen.gradients.extend((path_of(variable), gradient) for variable, gradient in pairs)
        apply(optimizer, gradients, variables)

    with losses_told(model, seen.losses.append), applied(model, told):
        try:
            logs = model.train_step(data)
        except Halt:
            seen.halted = True
            return seen
    if not seen.losses and (loss := named_loss(logs)) is not None:
        seen.losses.append(loss)
    return seen


@contextmanager
def losses_told(model: Any, tell: Callable[[Any], None]) -> Iterator[None]:
    """Tell each loss that the model computes."""
    names = ("_compute_loss", "compute_loss")
    before = {name: vars(model)[name] for name in names if name in vars(model)}

    def kept(original: Any) -> Any:
        def compute(*words: Any, **keywords: Any) -> Any:
            loss = original(*words, **keywords)
            tell(loss)
            return loss

        return compute

    ours = {name: kept(getattr(model, name)) for name in names if hasattr(model, name)}
    vars(model).update(ours)
    library = of_model(model)
    try:
        with second_step.losses_told(library, tell) if library.second else nullcontext():
            yield
    finally:
        for name in ours:
            del vars(model)[name]
        vars(model).update(before)


@contextmanager
def applied(model: Any, apply: Apply, *, scaled: bool = False) -> Iterator[None]:
    """Have `apply` called in place of the optimizers; no loss is scaled, unless it is to be."""
    held = optimizers(model)
    inner = {id(getattr(one, "inner_optimizer", None)) for one in held}
    undo = [_replace(one, apply, scaled=scaled) for one in held if id(one) not in inner]
    try:
        yield
    finally:
        for put_back in undo:
            put_back()


def _replace(optimizer: Any, apply: Apply, *, scaled: bool) -> Callable[[], None]:
    def instead(grads: Any, trainable_variables: Any = None) -> None:
        variables = trainable_variables
        if variables is None:
            variables = optimizer._trainable_variables  # noqa: SLF001 - those that it was built with
        apply(optimizer, list(grads), list(variables))

    def pairs(given: Any, *_words: Any, **_: Any) -> None:
        both = [tuple(one) for one in given]
        apply(optimizer, [gradient for gradient, _ in both], [variable for _, variable in both])

    ours: dict[str, Any] = {"apply": instead, "apply_gradients": pairs}
    if not scaled:
        ours |= {"scale_loss": lambda loss: loss, **second_step.UNSCALED}
    before = {name: vars(optimizer)[name] for name in ours if name in vars(optimizer)}
    vars(optimizer).update(ours)

    def put_back() -> None:
        for name in ours:
            vars(optimizer).pop(name, None)
        vars(optimizer).update(before)

    return put_back


class Working:
    """
    The optimizers that do the work: the model's own where they are built, else doubles.

    A double leaves the model's one unbuilt, as it was found.
    """

    def __init__(self) -> None:
        """Have made no double yet."""
        self._doubles: dict[int, Any] = {}

    def apply(self, optimizer: Any, gradients: list[Any], variables: list[Any]) -> None:
        """Apply the gradients of an unscaled loss as an optimizer would."""
        real = self._of(optimizer)
        if hasattr(type(real), "apply"):
            type(real).apply(real, gradients, variables)  # what stands in for it comes back here
        else:
            second_step.apply(real, gradients, variables)

    def _of(self, optimizer: Any) -> Any:
        real = getattr(optimizer, "inner_optimizer", optimizer)
        if second_step.is_built(real):
            return real
        if id(real) not in self._doubles:
            self._doubles[id(real)] = type(real).from_config(real.get_config())
        return self._doubles[id(real)]

    def built(self, optimizer: Any, variables: list[Any]) -> Any:
        """Return what applies the gradients of an unscaled loss, built for these variables."""
        real = self._of(optimizer)
        if not real.built:
            real.build(variables)
        return real

    @property
    def variables(self) -> list[Any]:
        """The variables of the doubles."""
        return [one for double in self._doubles.values() for one in second_step.state(double)]
