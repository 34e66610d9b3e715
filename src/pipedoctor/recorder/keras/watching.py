"""The training function of a fit, with a guard in it, and with the batch and the states kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.frameworks.fitting import second_step
from pipedoctor.frameworks.fitting.chance import copied
from pipedoctor.frameworks.fitting.library import Library, stored
from pipedoctor.frameworks.fitting.nan.stepping import applied, losses_told
from pipedoctor.frameworks.fitting.untouched import optimizers
from pipedoctor.recorder.keras import guard

FLAG = "pipedoctor_finite"
"""The name under which a step of JAX tells whether it was finite."""


@dataclass
class Step:
    """One step that was stopped: its batch, and the states that it started with."""

    number: int
    data: Any
    before: list[tuple[Any, Any]] = field(default_factory=list)
    loss: float | None = None


Trouble = Callable[[Step], None]


class Watching:
    """Stands in for the training function of a model; `trouble` is told of a step that is bad."""

    def __init__(self, model: Any, library: Library, trouble: Trouble) -> None:
        """Prepare; nothing is replaced yet."""
        self.number = 0
        self._model, self._library, self._trouble = model, library, trouble
        self._scaled = any(hasattr(one, "inner_optimizer") for one in optimizers(model))
        self._before: dict[str, Any] = {}

    def start(self) -> None:
        """Put the function in the model's place for it."""
        model = self._model
        names = ("train_function", "train_step")
        self._before = {name: vars(model)[name] for name in names if name in vars(model)}
        by = {"tensorflow": self._tensorflow, "torch": self._torch, "jax": self._jax}
        vars(model)["train_function"] = by[self._library.backend]()

    def stop(self) -> None:
        """Put the model's own function back."""
        if not self._before:
            return
        for name in ("train_function", "train_step"):
            if name in self._before:
                vars(self._model)[name] = self._before[name]
            else:
                vars(self._model).pop(name, None)
        self._before = {}

    @property
    def _states(self) -> list[Any]:
        """The variables that a forward pass changes: states, and the seeds of dropout."""
        trained = {id(one) for one in self._model.trainable_variables}
        return [one for one in self._model.variables if id(one) not in trained]

    def _together(self) -> int:
        """Return how many steps a call of the training function makes."""
        if not self._library.second:
            return int(self._model.steps_per_execution)
        held = self._model._steps_per_execution  # noqa: SLF001 - Keras 2 has no public way
        return 1 if held is None else int(held.numpy())

    def _bad(self, data: Any, before: list[tuple[Any, Any]], loss: float | None) -> None:
        for variable, value in before:
            variable.assign(value)
        self._trouble(Step(self.number, data, before, loss))

    def _guarded(self, finite: Any, loss: Any) -> Callable[[Any], Any]:
        """Return a step that updates nothing where `finite` becomes false; `loss` gets its loss."""
        import tensorflow as tf

        model = self._model

        def told(value: Any) -> None:
            loss.assign(tf.reduce_mean(tf.cast(value, tf.float32)))
            if self._scaled:  # infinite gradients are its scaler's business, and no fault
                finite.assign(tf.math.is_finite(loss))

        def apply(optimizer: Any, gradients: list[Any], variables: list[Any]) -> None:
            if self._scaled:
                applied_by(optimizer, gradients, variables)
                return
            if not second_step.is_built(optimizer):
                with tf.init_scope():
                    second_step.build(optimizer, variables)
            finite.assign(tf.logical_and(finite, guard.finite_in_tensorflow(gradients)))

            def update() -> Any:
                applied_by(optimizer, gradients, variables)
                return tf.constant(0)

            tf.cond(finite, update, lambda: tf.constant(0))

        def step(data: Any) -> Any:
            before = [tf.identity(stored(one)) for one in self._states]
            finite.assign(True)
            with losses_told(model, told), applied(model, apply, scaled=True):
                logs = model.train_step(data)
            if self._library.second:
                model._train_counter.assign_add(1)  # noqa: SLF001 - as its own function does
            return logs, before

        return step

    def _tensorflow(self) -> Callable[[Any], Any]:
        import tensorflow as tf

        model = self._model
        together = self._together()
        finite, loss = tf.Variable(True, trainable=False), tf.Variable(0.0, trainable=False)
        step = self._guarded(finite, loss)
        if not model.run_eagerly:
            step = tf.function(
                tf.autograph.experimental.do_not_convert(step),
                reduce_retracing=True,
                jit_compile=model.jit_compile,
            )
        if hasattr(model, "_autoconvert_optionals"):
            step = model._autoconvert_optionals(step)  # noqa: SLF001 - as its own function does

        def function(iterator: Any) -> Any:
            logs: Any = None
            for place in range(together):
                try:
                    data = next(iterator)
                except StopIteration:
                    if not place:
                        raise
                    break
                self.number += 1
                logs, before = step(data)
                if not bool(finite.numpy()):
                    states = list(zip(self._states, before, strict=True))
                    self._bad(data, states, float(loss.numpy()))
            return logs

        return function

    def _torch(self) -> Callable[[Any], Any]:
        import torch

        model, losses, good = self._model, list[Any](), True

        def apply(optimizer: Any, gradients: list[Any], variables: list[Any]) -> None:
            nonlocal good
            kind = type(optimizer)
            if self._scaled:
                good = good and all(bool(torch.isfinite(one).all()) for one in losses[-1:])
            else:
                good = good and guard.finite_in_torch(gradients)
            if good or self._scaled:
                kind.apply(optimizer, gradients, variables)

        def function(data: Any) -> Any:
            nonlocal good
            good, self.number = True, self.number + 1
            before = [(one, copied(one)) for one in self._states]
            losses.clear()
            told = losses_told(model, lambda one: losses.append(one.detach()))
            with told, applied(model, apply, scaled=True):
                logs = model.train_step(data[0])
            if not good:
                self._bad(data[0], before, float(losses[-1].mean()) if losses else None)
            return logs

        return function

    def _jax(self) -> Callable[[Any, Any], Any]:
        model = self._model
        original = model.train_step

        def train_step(state: Any, data: Any) -> Any:
            logs, new = original(state, data)
            *kept, finite = guard.kept_if_finite(state[:3], new[:3])
            return {**logs, FLAG: finite}, (*kept[0], *new[3:])

        vars(model)["train_step"] = train_step
        model.make_train_function(force=True)
        inner = model.train_function
        drawn: list[Any] = []

        def function(state: Any, iterator: Any) -> Any:
            drawn.clear()
            logs, state = inner(state, _kept(iterator, drawn))
            self.number += len(drawn)
            if not bool(logs.pop(FLAG)):
                names = ("trainable", "non_trainable", "optimizer", "metrics")
                model._jax_state = {  # noqa: SLF001 - as its own fit has it
                    f"{name}_variables": part for name, part in zip(names, state, strict=True)
                }
                model.jax_state_sync()
                self._bad(drawn[-1], [], None)
            return logs, state

        return function


def applied_by(optimizer: Any, gradients: list[Any], variables: list[Any]) -> None:
    """Have an optimizer of either Keras update variables by its class's own method."""
    kind = type(optimizer)
    if hasattr(kind, "apply"):
        kind.apply(optimizer, gradients, variables)
    else:
        second_step.apply(optimizer, gradients, variables)


def _kept(iterator: Any, drawn: list[Any]) -> Iterator[Any]:
    """Yield what an iterator yields, and keep it."""
    for data in iterator:
        drawn.append(data)
        yield data
