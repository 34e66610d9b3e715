"""
What XLA itself would assign to a step of Keras on JAX: it is compiled, and not run.

XLA tells the bytes of what goes in, what comes out and what is temporary, before anything is
computed. They hold for the device that it compiled for, which is the one that JAX has here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pipedoctor.frameworks.memory.step import Pass

ASSIGNED = "assigned"
"""The part of a plan that XLA told in one sum: gradients, activations, and what is temporary."""

MOST_OPERATIONS = 12_000
"""A step of more operations takes minutes to compile, which nothing can stop once it began."""

SECONDS = 40.0
"""No further batch is compiled once so much time went into compiling."""


@dataclass
class Compiler:
    """Compiles the step of a model for batches of several sizes, as long as there is time."""

    model: Any
    frame: Any
    gpu: bool
    fixed: int = 0
    """The bytes of all variables, which XLA counts among what goes in."""
    spent: float = 0.0
    told: dict[int, int] = field(default_factory=dict)
    share: float | None = None
    """What XLA assigned, by what was traced, of the last batch that was compiled."""
    failed: str = ""

    @property
    def meant(self) -> bool:
        """Whether the device that JAX has here is of the kind that is planned for."""
        import jax

        return bool((jax.default_backend() == "gpu") == self.gpu)

    @property
    def exact(self) -> bool:
        """Whether XLA itself told the plan, for the device that is planned for."""
        return self.meant and bool(self.told) and not self.failed

    def corrected(self, traced: Pass, rows: int, operations: int, *, compiles: bool) -> Pass:
        """
        Return what a step takes, as XLA told it where the device is meant, else the larger.

        What is not to be compiled is taken to be off as the last batch was.
        """
        found = self._assigned(rows, traced, operations, compiles=compiles)
        if found is None or (not self.meant and found <= traced.peak):
            return traced
        return _instead(traced, found)

    def _assigned(self, rows: int, traced: Pass, operations: int, *, compiles: bool) -> int | None:
        if compiles and rows not in self.told:
            if operations > MOST_OPERATIONS:
                self.failed = f"the step has {operations:,} operations, too many to compile here"
            elif not self.failed and self.spent < SECONDS:
                begun = time.monotonic()
                try:
                    self.told[rows] = analysed(self.model, self.frame, rows)
                except Exception as error:  # noqa: BLE001 - an optimizer of the user's may raise anything
                    self.failed = f"XLA could not compile the step ({type(error).__name__})"
                self.spent += time.monotonic() - begun
        if compiles and rows in self.told:
            found = max(0, self.told[rows] - self.fixed)
            self.share = found / max(1, traced.peak)
            return found
        return None if self.share is None else int(self.share * traced.peak)


def _instead(traced: Pass, peak: int) -> Pass:
    """Return a pass with the peak that XLA told, of which it does not tell what makes it."""
    batch = min(peak, traced.parts.get("inputs", 0))
    return replace(traced, peak=peak, parts={"inputs": batch, ASSIGNED: peak - batch}, entries=[])


def analysed(model: Any, frame: Any, rows: int) -> int:
    """Return the bytes of all buffers of the step that fit would compile, variables with them."""
    import jax

    with _built(model) as optimizer:
        kinds = (
            model.trainable_variables,
            model.non_trainable_variables,
            optimizer.variables,
            model.metrics_variables,
        )
        state = tuple([_spec(jax, variable) for variable in kind] for kind in kinds)
        batch = frame.made(
            lambda shape, dtype: jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(dtype)),
            rows,
        )
        compute = jax.value_and_grad(model.compute_loss_and_updates, has_aux=True)

        def step(held: Any, fed: Any) -> Any:
            weights, others, slots, counted = held
            (loss, told), gradients = compute(
                weights, others, counted, *fed, training=True, optimizer_variables=slots
            )
            weights, slots = optimizer.stateless_apply(slots, gradients, weights)
            return loss, (weights, told[2], slots, told[3])

        compiled = jax.jit(step, donate_argnums=0).lower(state, batch).compile()
    told = compiled.memory_analysis()
    whole = told.argument_size_in_bytes + told.output_size_in_bytes + told.temp_size_in_bytes
    return int(whole - told.alias_size_in_bytes)


def _spec(jax: Any, variable: Any) -> Any:
    return jax.ShapeDtypeStruct(
        tuple(variable.shape), jax.dtypes.canonicalize_dtype(str(variable.dtype))
    )


@contextmanager
def _built(model: Any) -> Iterator[Any]:
    """Have the optimizer of a model with its variables, or a twin of it whose have no values."""
    mine = model.optimizer
    if mine.built:
        yield mine
        return
    from keras import StatelessScope
    from keras.src.backend.common import global_state

    twin = type(mine).from_config(mine.get_config())
    name = "uninitialized_variables"
    before = list(global_state.get_global_attribute(name, []))
    try:
        with StatelessScope(initialize_variables=False):
            twin.build(model.trainable_variables)
        yield twin
    finally:
        global_state.set_global_attribute(name, before)
