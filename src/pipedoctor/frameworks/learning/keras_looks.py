"""What a batch of Keras says of its loss: which loss it is, and what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.frameworks.fitting.drawing import Drawn, taken
from pipedoctor.frameworks.fitting.library import named, to_numpy
from pipedoctor.frameworks.learning import floors
from pipedoctor.frameworks.learning.floors import Bounds

NEAR = 1e-3
"""How far a loss that is computed here may be off the pipeline's own, relative to it: rounding."""

TINY = 1e-7
"""Probabilities are cut off at this by Keras."""

Reading = tuple[float, Callable[[], Bounds]]


@dataclass(frozen=True)
class KerasLook:
    """A batch, looked at with numpy."""

    batch: Drawn

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.batch.size

    @property
    def labels(self) -> list[Any]:
        """The arrays of labels."""
        arrays = [to_numpy(leaf) for _, leaf in named(self.batch.y, "")]
        return [array for array in arrays if array is not None and array.ndim]

    @property
    def alike(self) -> bool:
        """Whether all rows have the same labels."""
        labels = self.labels
        return bool(labels) and self.rows > 1 and all(bool((a == a[:1]).all()) for a in labels)

    def rolled(self) -> Drawn | None:
        """Return the batch with the labels of other rows, as many as can differ; None if none do."""
        import numpy as np

        best, most = 0, 0
        for by in range(1, self.rows):
            different = sum(
                int((np.roll(a, by, 0) != a).reshape(self.rows, -1).any(1).sum())
                for a in self.labels
            )
            if different > most:
                best, most = by, different
        if not most:
            return None
        places = [(row - best) % self.rows for row in range(self.rows)]
        y, weight = (taken(part, places) for part in (self.batch.y, self.batch.sample_weight))
        return replace(self.batch, y=y, sample_weight=weight)

    def relabelled(self) -> Drawn | None:
        """
        Return the batch with other labels, of which there are not as many as before of each kind.

        None without labels. Exchanged ones would not do: to a constant answer they are the same.
        """
        if not self.labels:
            return None
        changed = _mapped(self.batch.y, _other)
        pairs = zip(self.labels, KerasLook(Drawn(None, changed)).labels, strict=True)
        if all(bool((one == other).all()) for one, other in pairs):
            return None
        return replace(self.batch, y=changed)

    def uniform(self) -> Drawn | None:
        """Return the batch with the inputs of its first row in all rows; None where they are alike."""
        contexts = self.contexts()
        if len(set(contexts)) < 2:
            return None
        return replace(self.batch, x=taken(self.batch.x, [0] * self.rows))

    def contexts(self) -> list[bytes]:
        """Return what the model sees of each row, as bytes."""
        arrays = [to_numpy(leaf) for _, leaf in named(self.batch.x, "")]
        if any(array is None for array in arrays):
            return [str(row).encode() for row in range(self.rows)]
        return [b"".join(_bytes(array[row]) for array in arrays) for row in range(self.rows)]

    def spread(self, answer: Any) -> float | None:
        """Return how far the answers to the rows are apart, as a share of their size; None: unknown."""
        import numpy as np

        arrays = [to_numpy(leaf) for _, leaf in named(answer, "")]
        if not arrays or any(a is None or a.ndim < 2 or len(a) != self.rows for a in arrays):
            return None
        each = np.concatenate([a.reshape(self.rows, -1).astype("float64") for a in arrays], axis=1)
        scale = float(np.abs(each).max())
        if not scale or not np.isfinite(each).all():
            return None
        return float((each.max(0) - each.min(0)).max()) / scale

    def apart(self, answer: Any) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """
        Return the ranges of answers and labels where all answers lie beyond all labels; else None.

        The mean distance is then that of the means, whichever label belongs to which row.
        """
        import numpy as np

        both = self._single(answer)
        if both is None or both[0].size != both[1].size or not np.isfinite(both[0]).all():
            return None
        (low, high), (least, most) = ((float(a.min()), float(a.max())) for a in both)
        return ((low, high), (least, most)) if high < least or low > most else None

    def _single(self, answer: Any) -> tuple[Any, Any] | None:
        """Return answers and labels, where there is one array of each and no weights."""
        answers = [to_numpy(leaf) for _, leaf in named(answer, "")]
        labels = self.labels
        if len(answers) != 1 or len(labels) != 1 or self.batch.sample_weight is not None:
            return None
        if answers[0] is None or labels[0].dtype.kind not in "biuf":
            return None
        return answers[0].astype("float64"), labels[0]

    def bounds(self, loss: float, answer: Any, smoothing: float) -> Bounds:
        """Return floor and chance, where the loss is one that is known here."""
        both = self._single(answer)
        if both is None:
            return Bounds()
        for value, make in self._readings(*both, smoothing):
            if abs(value - loss) <= NEAR * max(abs(loss), NEAR):
                return make()
            if loss < 0 and abs(value + loss) <= NEAR * max(abs(loss), NEAR):
                return Bounds(negated=True)
        return Bounds()

    def broadcast(
        self, loss: float, answer: Any
    ) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Return the shapes of answers and labels that the loss made a square of; else None."""
        import numpy as np

        both = self._single(answer)
        if both is None or self.rows < 2 or both[0].size != self.rows or both[1].size != self.rows:
            return None
        answers, labels = (np.asarray(one, dtype="float64").reshape(-1) for one in both)
        if both[0].ndim == both[1].ndim:
            return None
        for kind in (np.square, np.abs):
            square = float(kind(answers[:, None] - labels[None, :]).mean())
            right = float(kind(answers - labels).mean())
            close = NEAR * max(abs(loss), NEAR)
            if abs(square - loss) <= close < abs(right - loss):
                return tuple(both[0].shape), tuple(both[1].shape)
        return None

    def _readings(self, answers: Any, labels: Any, smoothing: float) -> Iterator[Reading]:
        """Yield the usual losses of these answers, each with what makes its bounds."""
        import numpy as np

        contexts = self.contexts()
        if answers.size == labels.size:
            wanted = labels.astype("float64").reshape(answers.shape)
            several = answers.ndim == 2 and answers.shape[1] > 1
            if several and bool(((wanted == 1).sum(1) == 1).all() and (wanted >= 0).all()):
                yield from self._of_classes(answers, wanted.argmax(1), smoothing)
            yield (
                float(((answers - wanted) ** 2).mean()),
                lambda: floors.of_numbers(wanted, contexts, floors.SQUARES),
            )
            if wanted.min() >= 0 and wanted.max() <= 1:
                inside = bool(answers.min() >= 0 and answers.max() <= 1)
                scores = np.logaddexp(0, answers) - answers * wanted
                if inside:
                    shares = np.clip(answers, TINY, 1 - TINY)
                    loss = -(wanted * np.log(shares) + (1 - wanted) * np.log(1 - shares))
                    yield float(loss.mean()), lambda: _yes_or_no(wanted, contexts)
                yield float(scores.mean()), lambda: _yes_or_no(wanted, contexts)
        elif answers.ndim == 2 and labels.size == self.rows:
            whole = labels.reshape(-1).astype("int64")
            if whole.min() >= 0 and whole.max() < answers.shape[1]:
                yield from self._of_classes(answers, whole, smoothing)

    def _of_classes(self, answers: Any, labels: Any, smoothing: float) -> Iterator[Reading]:
        import numpy as np

        classes = answers.shape[1]
        wanted = np.eye(classes)[labels] * (1 - smoothing) + smoothing / classes

        def make() -> Bounds:
            return floors.of_classes(labels.tolist(), self.contexts(), smoothing, classes)

        if answers.min() >= 0 and np.allclose(answers.sum(1), 1, atol=1e-3):
            logs = np.log(np.clip(answers, TINY, 1 - TINY))
            yield float(-(wanted * logs).sum(1).mean()), make
        top = answers.max(1, keepdims=True)
        logs = answers - top - np.log(np.exp(answers - top).sum(1, keepdims=True))
        yield float(-(wanted * logs).sum(1).mean()), make


def _yes_or_no(wanted: Any, contexts: list[bytes]) -> Bounds:
    return floors.of_numbers(wanted, contexts, floors.YES_OR_NO)


def _other(leaf: Any) -> Any:
    array = to_numpy(leaf)
    if array is None or not array.size or array.dtype.kind not in "biuf":
        return leaf
    if array.dtype.kind != "f":
        return array * 0 + array.reshape(-1)[0]
    whole = bool(((array == 0) | (array == 1)).all())
    return array * 0 if whole and bool(array.any()) else array + 1


def _mapped(structure: Any, change: Callable[[Any], Any]) -> Any:
    if structure is None:
        return None
    if isinstance(structure, dict):
        return {key: _mapped(value, change) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)([_mapped(value, change) for value in structure])
    return change(structure)


def _bytes(array: Any) -> bytes:
    return repr(array.tolist()).encode() if array.dtype.kind == "O" else bytes(array.tobytes())
