"""A step of Keras on TensorFlow, run eagerly with each operation looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.facts.trace import BACKWARD, FORWARD, OPTIMIZER, WEIGHTS
from pipedoctor.finding import NOWHERE
from pipedoctor.frameworks.fitting.library import Library, path_of, stored
from pipedoctor.frameworks.fitting.nan.calls import Calls, lines, running
from pipedoctor.frameworks.fitting.nan.journal import Journal, Site
from pipedoctor.frameworks.fitting.nan.values import kind

GRADIENT = "_gradient_function"
"""The function of TensorFlow that computes the derivative of one operation."""
UPDATES = ("ResourceApply", "ResourceSparseApply")
"""The operations by which optimizers of before 2.11 make an update as a whole."""
BACKWARDS = "imperative_grad"


class Operations:
    """
    Sees each operation that TensorFlow runs, forwards and backwards, and keeps a journal of them.

    TensorFlow calls back after every eager operation, as its own check of numerics has it do. The
    line of an operation is noted with its outputs, so that its derivative can be led back to it.
    """

    def __init__(self, library: Library, model: Any, size: int) -> None:
        """Look at nothing yet."""
        shapes = frozenset(tuple(map(int, one.shape)) for one in model.variables)
        self.journal = Journal(size, shapes)
        self.updating = False
        self._calls = Calls(library)
        self._made: dict[Any, Site] = {}
        self._variables = {key(stored(one).handle): stored(one) for one in model.variables}
        for variable in model.variables:
            self.journal.came_with(
                key(stored(variable).handle), stored(variable), WEIGHTS, path_of(variable)
            )

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what is run inside; functions that TensorFlow compiled run as they are written."""
        import tensorflow as tf
        from tensorflow.python.autograph.core import ag_ctx
        from tensorflow.python.framework import op_callbacks

        # A loss of the user's own would run as the code that autograph makes of it.
        as_written = ag_ctx.ControlStatusCtx(status=ag_ctx.Status.DISABLED)
        eagerly = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        op_callbacks.add_op_callback(self._ran)
        try:
            with as_written, self._calls.watched():
                yield
        finally:
            op_callbacks.remove_op_callback(self._ran)
            tf.config.run_functions_eagerly(eagerly)

    def _ran(
        self,
        operation: Any,
        inputs: Any,
        _attributes: Any,
        outputs: Any,
        op_name: Any = None,
        graph: Any = None,
    ) -> None:
        del op_name
        if graph is not None:
            return
        name = operation.decode() if isinstance(operation, bytes) else str(operation)
        given = [(key(one), one) for one in inputs]
        site = self._site()
        for one in outputs:
            self._made[key(one)] = site
        self._made[name, tuple(number for number, _ in given)] = site
        made = [(key(one), one) for one in outputs]
        if name.startswith(UPDATES) and given[0][0] in self._variables:
            # It gives out nothing, and writes to the variable that it is given first.
            made = [(given[0][0], self._variables[given[0][0]])]
        if name.startswith("Assign") and len(given) > 1:
            (variable, _), *given = given
            if name != "AssignVariableOp" and not kind(given[0][1]):
                return  # what is added is finite: the variable stays what it was
            made = [(variable, given[0][1])]
        self.journal.ran(name, given, made, lambda: site)

    def _site(self) -> Site:
        """Return where the operation that has just run belongs."""
        found: list[tuple[str, int]] = []
        when = OPTIMIZER if self.updating else FORWARD
        for path, function, line, frame in running():
            if function == GRADIENT:
                return self._derivative(frame.f_locals)
            if function == BACKWARDS:
                when = BACKWARD
                break
            found.append((path, line))
        where, library = lines(found, "tensorflow")
        return Site(when, self._calls.current, where, library)

    def _derivative(self, held: Any) -> Site:
        """Return the place of the operation whose derivative is computed."""
        name = str(held.get("op_name") or "")
        outputs, inputs = held.get("outputs") or (), held.get("inputs") or ()
        site = next((self._made[key(o)] for o in outputs if key(o) in self._made), None)
        if site is None:
            site = self._made.get((name, tuple(key(one) for one in inputs)))
        if site is None:
            site = Site(where=NOWHERE)
        return Site(BACKWARD, site.module, site.where, site.library, name)


def key(tensor: Any) -> Any:
    """Return what tells a tensor from all others, before and after it."""
    number = getattr(tensor, "_id", None)
    return number if number is not None else f"object {id(tensor)}"
