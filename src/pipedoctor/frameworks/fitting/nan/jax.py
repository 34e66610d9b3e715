"""
A step of Keras on JAX, evaluated primitive by primitive with each one looked at.

The step is traced once, and what was traced is evaluated here: forward and backward pass are both
in it, and each primitive knows the line that it was made for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.trace import BACKWARD, DATA, FORWARD, OPTIMIZER, WEIGHTS
from pipedoctor.frameworks.fitting import stateless
from pipedoctor.frameworks.fitting.drawing import Drawn
from pipedoctor.frameworks.fitting.library import named
from pipedoctor.frameworks.fitting.nan import values
from pipedoctor.frameworks.fitting.nan.calls import OURS, lines
from pipedoctor.frameworks.fitting.nan.engine import Engine, Outcome, told_once
from pipedoctor.frameworks.fitting.nan.journal import Journal, Site
from pipedoctor.frameworks.fitting.nan.stepping import packed
from pipedoctor.frameworks.fitting.nan.words import ATEN, DERIVED
from pipedoctor.frameworks.fitting.own_step import named_loss
from pipedoctor.frameworks.tracing.replay import Found, chosen

INSIDE = ("jaxpr", "call_jaxpr", "fun_jaxpr")
"""The parameters under which a primitive holds others that it stands for."""

WHOLE = frozenset({"while", "scan", "cond"})
"""Loops and branches are looked at as one primitive."""


AHEAD = frozenset({"sqrt", "rsqrt", "pow", "integer_pow", "acos", "asin"})
"""The factor of their derivative is computed on the way forwards."""


OTHER_UPDATES = (
    "the model's own train_step does not hand the gradients of all weights to the optimizer of "
    "compile, once each: with jax no updates are made then; without --steps each batch is looked at "
    "alone"
)


class JaxEngine(Engine):
    """Runs the model's training step, which is a function of all its variables."""

    _usual = True
    """Whether the last step handed each gradient once to the optimizer of compile."""

    def run(self, batch: Drawn, *, update: bool) -> Outcome:
        """Run a step; without `update`, or where it is not finite, no weight is changed."""
        state = self._state()
        losses, gradients, others = self._step(state, packed(self.library, batch))
        number = values.number(losses[0]) if losses else None
        if any(values.kind(one) for one in (*losses, *gradients)):
            return Outcome(number, bad=True, when=BACKWARD)
        if not update:
            return Outcome(number, bad=False)
        if not self._usual:
            raise Unavailable(OTHER_UPDATES)
        optimizer = self.working.built(self.model.optimizer, self.model.trainable_variables)
        held = [one.value for one in optimizer.variables]
        weights, inner = self._update(optimizer, held, gradients, list(state[0]))
        bad = any(values.kind(one) for one in weights)
        for variables, new in (
            (self.model.trainable_variables, weights),
            (self.model.non_trainable_variables, others),
            (optimizer.variables, inner),
        ):
            for variable, value in zip(variables, new, strict=True):
                variable.assign(value)
        return Outcome(number, bad=bad, when=OPTIMIZER if bad else "")

    def _traced(self, batch: Drawn) -> Found | None:
        import jax

        state, data = self._state(), packed(self.library, batch)
        primitives = Primitives(self.model, batch.size)
        journal: Any = primitives.journal
        given = [primitives.new(one) for one in jax.tree.leaves((state, data))]
        names = self._names(data)
        for (key, value), (when, name) in zip(given, names, strict=True):
            journal.came_with(key, value, when, name)
        made, shapes = jax.make_jaxpr(self._step, return_shape=True)(state, data)
        out = primitives.run(made.jaxpr, made.consts, given)
        count = len(shapes[0])
        losses, gradients = out[:count], out[count : count + len(shapes[1])]
        ends = [pair for pair in losses if values.kind(pair[1])]
        ends = ends or [pair for pair in gradients if values.kind(pair[1])]
        if ends:
            return told_once(chosen(journal, [key for key, _ in ends]), self.library)
        if not self._usual:
            return None
        primitives.updating = True
        optimizer = self.working.built(self.model.optimizer, self.model.trainable_variables)
        inner = [primitives.new(one.value) for one in optimizer.variables]

        def update(held: Any, grads: Any, weights: Any) -> Any:
            return self._update(optimizer, held, grads, weights)[0]

        weights = given[: len(state[0])]
        plain = [[value for _, value in part] for part in (inner, gradients, weights)]
        made = jax.make_jaxpr(update)(*plain)
        out = primitives.run(made.jaxpr, made.consts, [*inner, *gradients, *weights])
        paths = [one.path for one in self.model.trainable_variables]
        bad = [
            (key, path) for (key, one), path in zip(out, paths, strict=True) if values.kind(one)
        ]
        found = told_once(chosen(journal, [key for key, _ in bad]), self.library)
        if found is None:
            return None
        return replace(found, origin=replace(found.origin, name=found.origin.name or bad[0][1]))

    def _state(self) -> tuple[list[Any], ...]:
        """Return what the variables hold, in the order of the training step; metrics anew."""
        self.model.reset_metrics()
        held = (
            self.model.trainable_variables,
            self.model.non_trainable_variables,
            getattr(self.model.optimizer, "variables", ()),
            self.model.metrics_variables,
        )
        return tuple([one.value for one in part] for part in held)

    def _names(self, data: Any) -> list[tuple[str, str]]:
        """Return what each array is that a step gets: phase and name."""
        model = self.model
        held = (model.trainable_variables, model.non_trainable_variables)
        others = (*getattr(model.optimizer, "variables", ()), *model.metrics_variables)
        leaves = named(dict(zip(("x", "y", "sample_weight"), data, strict=False)), "")
        sorted_ = {id(leaf): name for name, leaf in leaves}
        import jax

        return [
            *((WEIGHTS, one.path) for part in held for one in part),
            *((WEIGHTS, one.path) for one in others),
            *((DATA, sorted_.get(id(leaf), "")) for leaf in jax.tree.leaves(data)),
        ]

    def _step(self, state: Any, data: Any) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the loss if it is told, the gradients, and the states after the step."""
        with stateless.kept(self.model, state[0]) as found:
            logs, new = self.model.train_step(state, data)
        by = {one.place: one for one in found}
        told = [by[place] for place in sorted(by)]
        own = self.model.optimizer
        alone = all(one.optimizer in {own, getattr(own, "inner_optimizer", own)} for one in told)
        self._usual = alone and len(told) == len(found) == len(state[0])
        loss = named_loss(logs)
        return [] if loss is None else [loss], [one.gradient for one in told], list(new[1])

    @staticmethod
    def _update(
        optimizer: Any, held: list[Any], gradients: list[Any], weights: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        new, inner = type(optimizer).stateless_apply(optimizer, held, gradients, weights)
        return list(new), list(inner)


class Primitives:
    """Evaluates what was traced, and keeps a journal of it."""

    def __init__(self, model: Any, size: int) -> None:
        """Look at nothing yet."""
        shapes = frozenset(tuple(map(int, one.shape)) for one in model.variables)
        self.journal = Journal(size, shapes)
        self.updating = False
        self._next = 0
        self._roots: dict[Any, set[str]] = {}

    def new(self, value: Any) -> tuple[int, Any]:
        """Return a value with a key of its own."""
        self._next += 1
        return self._next, value

    def run(
        self,
        jaxpr: Any,
        constants: Sequence[Any],
        given: Sequence[tuple[int, Any]],
        around: Any = None,
    ) -> list[tuple[int, Any]]:
        """Evaluate traced primitives on values with keys; `around` is the call that they are in."""
        held: dict[Any, tuple[int, Any]] = {}
        pairs = [self.new(value) for value in constants]
        held.update(zip((*jaxpr.constvars, *jaxpr.invars), (*pairs, *given), strict=True))

        def of(atom: Any) -> tuple[int, Any]:
            return self.new(atom.val) if hasattr(atom, "val") else held[atom]

        for line in jaxpr.eqns:
            inputs = [of(atom) for atom in line.invars]
            held.update(zip(line.outvars, self._one(line, inputs, around), strict=True))
        return [of(atom) for atom in jaxpr.outvars]

    def _one(self, line: Any, inputs: list[tuple[int, Any]], around: Any) -> list[tuple[int, Any]]:
        name = line.primitive.name
        inner = next((line.params[word] for word in INSIDE if word in line.params), None)
        if inner is not None and name not in WHOLE:
            jaxpr, constants = getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())
            if len(jaxpr.invars) == len(inputs):
                return self.run(jaxpr, constants, inputs, line if _places(line) else around)
        words = line.primitive.get_bind_params(line.params)
        functions: Any = ()
        if isinstance(words, tuple):  # the older releases of JAX
            functions, words = words
        out = line.primitive.bind(*functions, *(value for _, value in inputs), **words)
        outputs = [self.new(one) for one in (out if line.primitive.multiple_results else [out])]
        place = line if _places(line) or around is None else around
        self._note(name, place)
        shown = "softmax" if name == "sub" and _in_softmax(place) else name
        self.journal.ran(shown, inputs, outputs, lambda: self._site(name, place))
        return outputs

    def _note(self, name: str, line: Any) -> None:
        if ATEN.get(name) in DERIVED:
            self._roots.setdefault(_places(line), set()).add(name)

    def _site(self, name: str, line: Any) -> Site:
        """Return where a primitive belongs: its line is also that of its derivative."""
        found = _places(line)
        where, library = lines(list(found), "jax")
        stack = str(line.source_info.name_stack)
        when = BACKWARD if "transpose(" in stack else FORWARD
        roots = self._roots.get(found, set()) - {name}
        derived = next(iter(sorted(roots)), "") if name not in roots else ""
        if when == FORWARD and derived:
            derived = derived if derived in AHEAD else ""
            when = BACKWARD if derived else FORWARD
        return Site(OPTIMIZER if self.updating else when, _module(stack), where, library, derived)


def _places(line: Any) -> tuple[tuple[str, int], ...]:
    """Return the files and lines that a primitive was traced from, the innermost first."""
    from jax._src import source_info_util

    frames = source_info_util.user_frames(line.source_info.traceback)
    found = []
    for frame in frames:
        if frame.file_name.startswith(OURS):
            break
        found.append((str(frame.file_name), int(frame.start_line)))
    return tuple(found)


def _in_softmax(line: Any) -> bool:
    """Whether a primitive is part of a softmax, in which the largest value is subtracted first."""
    library = lines(list(_places(line)), "jax")[1]
    return "softmax" in (library.source or "")


def _module(stack: str) -> str:
    """Return the layer of a stack of names such as transpose(jvp(sequential))/dense."""
    for word in ("transpose(", "jvp(", "jit(", "vmap("):
        stack = stack.replace(word, "")
    return stack.replace(")", "")
