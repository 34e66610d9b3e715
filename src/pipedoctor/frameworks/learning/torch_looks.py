"""What a batch says of its loss with torch: which loss it is, and what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipedoctor.facts.labels import IGNORED
from pipedoctor.frameworks.learning import floors
from pipedoctor.frameworks.learning.floors import Bounds

TARGETS = frozenset({"target", "targets", "y", "start_positions", "end_positions"})
"""Names of labels that do not say so."""

NEAR = 1e-3
"""How far a loss that is computed here may be off the pipeline's own, relative to it: rounding."""


def label_names(inputs: Mapping[str, Any], stated: Sequence[str] = ()) -> list[str]:
    """Return the names of the arrays of a batch that are labels."""
    return [n for n in inputs if "label" in n.lower() or n.lower() in TARGETS or n in stated]


@dataclass(frozen=True)
class Look:
    """A batch, its labels by name, and how many rows it has."""

    inputs: Mapping[str, Any]
    names: Sequence[str]
    rows: int

    @classmethod
    def at(cls, inputs: Mapping[str, Any], stated: Sequence[str] = ()) -> Look:
        """Look at a batch."""
        sizes = [len(v) for v in inputs.values() if getattr(v, "ndim", 0)]
        rows = max(set(sizes), key=sizes.count) if sizes else 0
        return cls(inputs, label_names(inputs, stated), rows)

    @property
    def labels(self) -> Any:
        """The labels, where the batch has one array of them."""
        return self.inputs[self.names[0]] if len(self.names) == 1 else None

    @property
    def ignored(self) -> tuple[int | None, float]:
        """How many labels count, None where that is not said of them; and the share of -100."""
        labels = self.labels
        if not hasattr(labels, "numel") or labels.is_floating_point() or not labels.numel():
            return None, 0.0
        left_out = int((labels == IGNORED).sum())
        return int(labels.numel()) - left_out, left_out / labels.numel()

    @property
    def alike(self) -> bool:
        """Whether all rows have the same label."""
        labels = self.labels
        if not hasattr(labels, "numel") or self.rows < 2 or labels.ndim == 0:
            return False
        return bool((labels == labels[:1]).all())

    def rolled(self) -> dict[str, Any] | None:
        """Return the batch with the labels of other rows, as many as can differ; None if none do."""
        best, most = 0, 0
        for by in range(1, self.rows):
            different = sum(
                int((value.roll(by, 0) != value).reshape(self.rows, -1).any(1).sum())
                for value in self._labels()
            )
            if different > most:
                best, most = by, different
        if not most:
            return None
        rolled = {n: self.inputs[n].roll(best, 0) for n in self.names if self._by_row(n)}
        return {**self.inputs, **rolled}

    def relabelled(self) -> dict[str, Any] | None:
        """
        Return the batch with other labels, of which there are not as many as before of each kind.

        None without labels. Exchanged ones would not do: to a constant answer they are the same.
        """
        told = {}
        for name in self.names:
            value = self.inputs[name]
            if not hasattr(value, "numel") or not value.numel():
                continue
            if value.is_floating_point():
                whole = bool(((value == 0) | (value == 1)).all())
                told[name] = 0 * value if whole and bool(value.any()) else value + 1
            else:
                counted = value != IGNORED
                first = value[counted][0] if counted.any() else value.reshape(-1)[0]
                told[name] = value.where(~counted, first)
        changed = any(bool((told[n] != self.inputs[n]).any()) for n in told)
        return {**self.inputs, **told} if changed else None

    def uniform(self) -> dict[str, Any] | None:
        """Return the batch with the inputs of its first row in all rows; None where they are alike."""
        told = {
            name: value[:1].expand_as(value).clone()
            for name, value in self.inputs.items()
            if name not in self.names and self._by_row(name)
        }
        changed = any(bool((told[n] != self.inputs[n]).any()) for n in told)
        return {**self.inputs, **told} if changed else None

    def spread(self, answer: Any) -> float | None:
        """Return how far the answers to the rows are apart, as a share of their size; None: unknown."""
        logits = _logits(answer)
        if logits is None or logits.ndim < 2 or len(logits) != self.rows:
            return None
        each = logits.detach().float().reshape(self.rows, -1)
        scale = float(each.abs().max())
        if not scale or not bool(each.isfinite().all()):
            return None
        return float((each.max(0).values - each.min(0).values).max()) / scale

    def apart(self, answer: Any) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """
        Return the ranges of answers and labels where all answers lie beyond all labels; else None.

        The mean distance is then that of the means, whichever label belongs to which row. Of
        several columns, that has to hold for each.
        """
        logits, labels = _logits(answer), self.labels
        if logits is None or not hasattr(labels, "detach") or labels.numel() != logits.numel():
            return None
        ours = logits.detach().double().cpu().reshape(self.rows, -1)
        theirs = labels.detach().double().cpu().reshape(self.rows, -1)
        if not bool(ours.isfinite().all()):
            return None
        beyond = (ours.amax(0) < theirs.amin(0)) | (ours.amin(0) > theirs.amax(0))
        if not bool(beyond.all()):
            return None
        low, high = ours.aminmax()
        least, most = theirs.aminmax()
        return (float(low), float(high)), (float(least), float(most))

    def shown(self, answer: Any, ask: Callable[[Any], Any] | None) -> Any:
        """Return an answer with logits: this one, or what the model says to the batch without labels."""
        if _logits(answer) is not None or ask is None:
            return answer
        inputs = {name: v for name, v in self.inputs.items() if name not in self.names}
        try:
            return ask(inputs)
        except Exception:  # noqa: BLE001 - a model may well refuse a batch without labels
            return answer

    def bounds(
        self, loss: float, answer: Any, smoothing: float, ask: Callable[[Any], Any] | None = None
    ) -> Bounds:
        """
        Return floor and chance, where the loss is one that is known here.

        `ask` runs the model on a batch: one that computes its loss piece by piece shows its logits
        only where it is given no labels.
        """
        labels = self.labels
        if not hasattr(labels, "detach"):
            return Bounds()
        logits = _logits(self.shown(answer, ask))
        if logits is None:
            return Bounds()
        logits, labels = logits.detach().float().cpu(), labels.detach().cpu()
        for value, make in self._readings(logits, labels, smoothing):
            if abs(value - loss) <= NEAR * max(abs(loss), NEAR):
                found: Bounds = make()
                return found
            if loss < 0 and abs(value + loss) <= NEAR * max(abs(loss), NEAR):
                return Bounds(negated=True)
        return Bounds()

    def _readings(self, logits: Any, labels: Any, smoothing: float) -> Iterator[Any]:
        """Yield the usual losses of these logits, each with what makes its bounds."""
        from torch.nn import functional

        if labels.is_floating_point():
            if logits.numel() != labels.numel():
                return
            shaped = labels.float().reshape(logits.shape)
            for kind, compute in (
                (floors.SQUARES, functional.mse_loss),
                (floors.DISTANCES, functional.l1_loss),
                (floors.YES_OR_NO, functional.binary_cross_entropy_with_logits),
            ):
                yield (
                    float(compute(logits, shaped)),
                    lambda k=kind: floors.of_numbers(shaped.numpy(), self._contexts(), k),
                )
            return
        if logits.numel() == labels.numel() and labels.ndim == 1:
            shaped = labels.float().reshape(logits.shape)
            yield (
                float(functional.mse_loss(logits, shaped)),
                lambda: floors.of_numbers(shaped.numpy(), self._contexts(), floors.SQUARES),
            )
            return
        classes = logits.shape[-1]
        counted = labels[labels != IGNORED]
        if not counted.numel() or counted.min() < 0 or counted.max() >= classes:
            return
        shifts = (0, 1) if logits.ndim == 3 and labels.ndim == 2 else (0,)
        if logits.shape[:-1] != labels.shape:
            return
        for shift in shifts:
            kept = logits[:, : logits.shape[1] - shift] if shift else logits
            wanted = labels[:, shift:] if shift else labels
            value = functional.cross_entropy(
                kept.reshape(-1, classes),
                wanted.reshape(-1),
                ignore_index=IGNORED,
                label_smoothing=smoothing,
            )
            yield (
                float(value),
                lambda w=wanted, s=shift: self._of_classes(w, s, smoothing, classes),
            )
            # Divided by the number of labels, of which the first of each row is never predicted.
            share = int((wanted != IGNORED).sum()) / counted.numel()
            if share != 1:
                yield (
                    float(value) * share,
                    lambda w=wanted, s=shift, f=share: self._of_classes(
                        w, s, smoothing, classes
                    ).times(f),
                )

    def _of_classes(self, labels: Any, shift: int, smoothing: float, classes: int) -> Bounds:
        contexts = self._contexts()
        pairs: list[tuple[int, Hashable]]
        if labels.ndim == 1:
            pairs = [(int(v), c) for v, c in zip(labels, contexts, strict=True) if v != IGNORED]
        elif not shift or "input_ids" not in self.inputs:
            pairs = [
                (value, (contexts[row], place))
                for row, values in enumerate(labels.tolist())
                for place, value in enumerate(values)
                if value != IGNORED
            ]
        else:
            pairs = []
            for tokens, values in zip(
                self.inputs["input_ids"].tolist(), labels.tolist(), strict=True
            ):
                context = 0
                for token, value in zip(tokens, values, strict=False):
                    context = hash((context, token))
                    if value != IGNORED:
                        pairs.append((value, context))
        return floors.of_classes([v for v, _ in pairs], [c for _, c in pairs], smoothing, classes)

    def _contexts(self) -> list[bytes]:
        """Return what the model sees of each row, as bytes."""
        import torch

        arrays = [
            value.detach().cpu().contiguous().reshape(self.rows, -1)
            for name, value in self.inputs.items()
            if name not in self.names and self._by_row(name)
        ]
        # A zero is a zero, whatever its sign.
        arrays = [array + 0 if array.is_floating_point() else array for array in arrays]
        raw = [array.view(torch.uint8) if array.numel() else array for array in arrays]
        return [b"".join(one[row].numpy().tobytes() for one in raw) for row in range(self.rows)]

    def _labels(self) -> list[Any]:
        return [self.inputs[name] for name in self.names if self._by_row(name)]

    def _by_row(self, name: str) -> bool:
        value = self.inputs[name]
        return bool(getattr(value, "ndim", 0)) and len(value) == self.rows


def _logits(answer: Any) -> Any:
    """Return the logits that a model has answered; None where there are none."""
    from pipedoctor.frameworks.torch import outputs_of

    outputs = outputs_of(answer) if answer is not None else {}
    logits = outputs.get("logits", outputs.get("output_1"))
    return logits if hasattr(logits, "detach") else None


def equal_weights(model: Any) -> tuple[str, ...]:
    """Return the trained weights between layers all of whose rows are equal, and not zero."""
    import torch

    kinds = (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d)
    found = []
    for path, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if not isinstance(module, kinds) or weight is None or len(weight) < 3:
            continue
        rows = weight.detach().reshape(len(weight), -1)
        if weight.requires_grad and bool((rows == rows[:1]).all()) and bool(rows.any()):
            found.append(f"{path}.weight")
    return tuple(found)
