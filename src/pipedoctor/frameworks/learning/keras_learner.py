"""Training on one batch with Keras: the model's own step, a way back, and what an update changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.step import Move
from pipedoctor.frameworks.fitting import borrowed, second, second_step, stateless
from pipedoctor.frameworks.fitting.chance import copied
from pipedoctor.frameworks.fitting.drawing import Drawn
from pipedoctor.frameworks.fitting.library import Library, dtype_of, plain, stored, to_numpy
from pipedoctor.frameworks.fitting.nan.stepping import applied, losses_told, packed
from pipedoctor.frameworks.fitting.own_step import named_loss
from pipedoctor.frameworks.fitting.step import tensors
from pipedoctor.frameworks.learning.keras_doubles import double
from pipedoctor.frameworks.restoring.interrupts import a_step

CLIP = 1.0
"""The norm that gradients are clipped to where AdamW is tried in place of the user's optimizer."""

MOST_DENSE = 50_000_000
"""The gradient of a larger embedding is not spread out over all its rows."""

NO_LOSS = "the model's own train_step returns no loss under a name that says so"

Pairs = list[tuple[Any, Any, Any]]
"""Optimizer, gradient, variable."""


class KerasLearner:
    """Trains a model on one batch; whoever makes one sees to it that all is put back."""

    def __init__(
        self, model: Any, library: Library, batch: Drawn, rate: float | None, *, own_step: bool
    ) -> None:
        """Keep the weights as they stand."""
        self.model = model
        self.library = library
        self.batch = batch
        self.first: dict[str, float | None] = {}
        self.last: dict[str, float | None] = {}
        self.moves: dict[str, Move] = {}
        self.trained = list(model.trainable_variables)
        self._own_step = own_step
        self._rate = rate
        self._standing = [(v, copied(v)) for v in model.variables]
        self._tensors: dict[int, Any] = {}
        self._pairs: Pairs = []
        self._other: tuple[str, float] | None = None
        self._using: dict[int, Any] = {}
        self._graph: Any = None
        self._traced: Pairs = []
        self._slow = library.backend == "tensorflow" and any(
            base.__name__ == "RNN"
            for layer in model._flatten_layers()  # noqa: SLF001 - Keras has no public way to all layers
            for base in type(layer).__mro__
        )
        names = second_step.paths(self.trained)
        self._names = {id(v): name for v, name in zip(self.trained, names, strict=True)}

    def expect_many(self) -> None:
        """Have the step traced, where that pays: so many are to come."""
        self._slow = self.library.backend == "tensorflow"

    @property
    def stuck(self) -> bool:
        """Whether the loss depends on no trained variable."""
        return not self.trained or all(gradient is None for _, gradient, _ in self._pairs)

    def begin(self, optimizer: str | None, rate: float | None) -> None:
        """Go back to where all stood, with the user's own optimizer or with AdamW."""
        for variable, value in self._standing:
            variable.assign(value)
        self._using = {}
        self._other = None if optimizer is None else (optimizer, rate or 0.0)

    def at(self, rate: float) -> None:
        """Have the optimizer of compile go on at another rate."""
        self._rate = rate
        using = self._using.get(id(inner(self.model.optimizer)))
        if using is not None:
            using.learning_rate = rate

    @a_step
    def loss(self) -> float:
        """Compute the loss of the batch and its gradients, as a training step does."""
        value, self._pairs = self._stepped(self.batch)
        return value

    @a_step
    def update(self) -> None:
        """Make one update from the gradients that were computed last."""
        self.last = self._norms(self._pairs)
        if not self.first:
            self.first = dict(self.last)
        watched = self._other is None and not self.moves
        before = {id(v): to_numpy(stored(v)).copy() for v in self.trained} if watched else {}
        by: dict[int, tuple[Any, Pairs]] = {}
        for pair in self._pairs:
            by.setdefault(id(pair[0]) if self._other is None else 0, (pair[0], []))[1].append(pair)
        with self._ungraded():
            for key, (optimizer, pairs) in by.items():
                if any(gradient is not None for _, gradient, _ in pairs):
                    variables = [variable for _, _, variable in pairs]
                    made = self._using.get(key) or self._made(optimizer, variables)
                    self._using[key] = made
                    gradients = [gradient for _, gradient, _ in pairs]
                    if self.library.second:
                        second_step.apply(made, gradients, variables)
                    else:
                        made.apply(gradients, variables)
        if watched:
            self.moves = dict(self._moved(before))

    @a_step
    def without_update(self, batch: Drawn) -> float:
        """Compute the loss of another batch at the present weights."""
        return self._stepped(batch)[0]

    @a_step
    def pull(self, batch: Drawn) -> tuple[float, list[float | None]]:
        """Return the loss of another batch, and the norms of the gradients that it gives."""
        loss, pairs = self._stepped(batch)
        return loss, list(self._norms(pairs).values())

    @a_step
    def answer(self) -> Any:
        """Return what the model answers to the batch, as in training; None if it can't be called."""
        x = self._parts(self.batch)[0]
        takes = second.takes_training(self.model)
        try:
            with self._ungraded():
                answer = self.model(x, training=True) if takes else self.model(x)
                return borrowed.matched(self.model, answer, self.batch.y)
        except Exception:  # raised again, unless the model need not be callable
            if self._own_step:  # which may use parts of a model that can't be called as a whole
                return None
            raise

    def _made(self, optimizer: Any, variables: list[Any]) -> Any:
        if self._other is not None:
            kind = self.library.top.optimizers.AdamW
            return kind(self._other[1], weight_decay=0.0, global_clipnorm=CLIP)
        mine = optimizer is inner(self.model.optimizer)
        return double(optimizer, variables, self._rate if mine else None)

    def _parts(self, batch: Drawn) -> tuple[Any, Any, Any]:
        if id(batch) not in self._tensors:
            parts = (batch.x, batch.y, batch.sample_weight)
            self._tensors[id(batch)] = (batch, tuple(tensors(self.library, p) for p in parts))
        found: tuple[Any, Any, Any] = self._tensors[id(batch)][1]
        return found

    def _stepped(self, batch: Drawn) -> tuple[float, Pairs]:
        """Have the model make its training step, up to where its optimizers would apply it."""
        parts = self._parts(batch)
        if self.library.backend == "jax":
            return self._by_jax(parts)
        if self._graph is not None:
            loss, gradients = self._graph(*parts)
            known = [(optimizer, variable) for optimizer, _, variable in self._traced]
            pairs = [(o, g, v) for (o, v), g in zip(known, gradients, strict=True)]
            return float(plain(loss)), pairs
        loss, pairs = self._run(*parts)
        if not pairs and self._own_step and self.trained:
            raise Unavailable("the model's own train_step hands its optimizer no gradients")
        if self._slow and not self.model.run_eagerly:  # tracing the step takes as long as some ten
            import tensorflow as tf

            def run(*given: Any) -> Any:
                loss, self._traced = self._run(*given)
                return loss, [gradient for _, gradient, _ in self._traced]

            self._graph = tf.function(run)
        value = plain(loss)
        if value is None:
            raise Unavailable(NO_LOSS)
        return float(value), pairs

    def _run(self, x: Any, y: Any, weight: Any) -> tuple[Any, Pairs]:
        model, found, losses = self.model, list[Any](), list[Any]()

        def kept(optimizer: Any, gradients: list[Any], variables: list[Any]) -> None:
            pairs = zip(gradients, variables, strict=False)
            found.extend((inner(optimizer), gradient, variable) for gradient, variable in pairs)

        with losses_told(model, losses.append), applied(model, kept):
            tracker: Any = getattr(model, "_loss_tracker", None)
            if not self._own_step:
                vars(model)["compute_metrics"] = lambda *_words, **_keywords: {}
            for metric in model.metrics if self._own_step else filter(None, [tracker]):
                metric.reset_state()
            logs = model.train_step(packed(self.library, (x, y, weight)))
            if self._own_step:
                return named_loss(logs), found
            return losses[-1] if self.library.second else tracker.result(), found

    def _by_jax(self, parts: tuple[Any, Any, Any]) -> tuple[float, Pairs]:
        model = self.model
        if self._own_step:
            for metric in model.metrics:
                metric.reset_state()
            logs, found = stateless.own_step(model, packed(self.library, parts))
            own = [(inner(one.optimizer), one.gradient, self.trained[one.place]) for one in found]
            value = plain(named_loss(logs))
            if value is None:
                raise Unavailable(NO_LOSS)
            return float(value), own
        import jax

        states = (model.trainable_variables, model.non_trainable_variables)
        values = [[v.value for v in held] for held in (*states, model.metrics_variables)]
        own = [v.value for v in model.optimizer.variables]
        function = jax.value_and_grad(model.compute_loss_and_updates, has_aux=True)
        (_, told), gradients = function(*values, *parts, training=True, optimizer_variables=own)
        by = inner(model.optimizer)
        pairs = [(by, g, v) for v, g in zip(self.trained, gradients, strict=True)]
        return float(plain(told[0])), pairs

    def _norms(self, pairs: Pairs) -> dict[str, float | None]:
        told: dict[str, float | None] = dict.fromkeys(self._names.values())
        known = ((self._names.get(id(v)), g) for _, g, v in pairs)
        told.update({name: _norm(gradient) for name, gradient in known if name is not None})
        return told

    def _moved(self, before: Mapping[int, Any]) -> Iterator[tuple[str, Move]]:
        import numpy as np

        held = {id(variable) for _, _, variable in self._pairs}
        for variable in self.trained:
            if id(variable) not in held:
                continue
            name, old, new = (
                self._names[id(variable)],
                before[id(variable)],
                to_numpy(stored(variable)),
            )
            size = float(np.linalg.norm(old.astype("float64")))
            change = float(np.linalg.norm(new.astype("float64") - old.astype("float64")))
            ratio = change / size if size else None
            moved = int((new != old).sum())
            yield name, Move(ratio, moved, new.size, dtype_of(variable), self.first.get(name))

    @contextmanager
    def _ungraded(self) -> Iterator[None]:
        if self.library.backend != "torch":
            yield
            return
        import torch

        with torch.no_grad():
            yield


def inner(optimizer: Any) -> Any:
    """Return the optimizer within the one that scales the loss, or the optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _norm(gradient: Any) -> float | None:
    if gradient is None:
        return None
    import numpy as np

    if type(gradient).__name__ == "IndexedSlices":
        import tensorflow as tf

        shape = gradient.dense_shape
        dense = shape is not None and int(np.prod(to_numpy(shape))) <= MOST_DENSE
        gradient = tf.convert_to_tensor(gradient) if dense else gradient.values
    return float(np.linalg.norm(to_numpy(gradient).astype("float64").reshape(-1)))
