"""The fact `Learnability` of a pipeline of torch: some hundred rows, trained on and asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.labels import IGNORED
from pipedoctor.facts.learnability import Learnability
from pipedoctor.facts.overfit import Overfit
from pipedoctor.facts.rows import Rows
from pipedoctor.frameworks.data.batches import of_rows
from pipedoctor.frameworks.learnability import lesson, rates
from pipedoctor.frameworks.learnability.lesson import Task
from pipedoctor.frameworks.learnability.rates import Chosen
from pipedoctor.frameworks.learnability.told import MORE, Way, learnability
from pipedoctor.frameworks.learnability.trial import SEED, Trial
from pipedoctor.frameworks.learning.measure import Search
from pipedoctor.frameworks.learning.torch_learner import TorchLearner
from pipedoctor.frameworks.learning.torch_looks import Look
from pipedoctor.frameworks.restoring.digests import digest
from pipedoctor.frameworks.training import backward
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes import feeding

MOST_BYTES = 1 << 30
"""All rows together take no more room than this."""

OnDevice = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def measure(pipeline: Pipeline, model: Any, on_device: OnDevice) -> Learnability:
    """
    Train on one half of some rows and ask for the other, and put everything back.

    Raises:
        Unavailable: It was not asked for, or the rows can't be compared like that.
        Exception: Whatever the user's data, model and loss raise.

    """
    import torch

    wished = rates.wished(pipeline)
    chosen = rates.chosen(pipeline.fact(Overfit))
    backward.whole(model)
    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    if together and torch.distributed.get_world_size() > 1:
        raise Unavailable("a training on some rows would wait for the other processes")
    search = _Lesson(pipeline, model, on_device, wished, chosen)
    before = digest(model, search.optimizer)
    found: Any = search.run()
    after = digest(model, search.optimizer)
    told: Learnability = replace(found, restored=before == after, digest=after)
    return told


class _Lesson(Search):
    """A training with all that one on a single batch takes, on more rows than these."""

    def __init__(
        self, pipeline: Pipeline, model: Any, on_device: OnDevice, wished: int, chosen: Chosen
    ) -> None:
        super().__init__(pipeline, model, on_device)
        self._until = rates.until(pipeline)
        self._chosen_rate = chosen
        self._on_device = on_device
        self._wished = wished
        self._made = self._collated(0, wished)

    def _judged(self, learner: TorchLearner) -> Any:
        looks = _without_repeats(self._looks(self._made))
        numbers, start = [], 0
        for look in looks:
            numbers.append(tuple(range(start, start + look.rows)))
            start += look.rows
        learner.begin(None, None)
        pupil = _Pupil(learner, looks, numbers, self._chosen_rate)
        task = Task.of(_joined([look.labels for look in looks]), pupil.outputs())
        pupil.task = task
        trial = Trial(pupil, numbers, task.labels, task.kind, self._until)
        trial.run()
        way = Way(self._chosen_rate.name, self._chosen_rate.rate, self._chosen_rate.own)
        outputs = pupil.outputs()

        def more() -> tuple[dict[str, list[Any]], Task]:
            rest = self._looks(self._collated(self._wished, max(0, MORE - self._wished)))
            wide = _without_repeats([*looks, *rest])
            return _inputs(wide), Task.of(_joined([look.labels for look in wide]), outputs)

        return learnability(trial, task, _inputs(looks), way, more)

    def _looks(self, made: Sequence[Mapping[str, Any]]) -> list[Look]:
        return [Look.at(arrays, self._look.names) for arrays in made]

    def _collated(self, start: int, wished: int) -> list[dict[str, Any]]:
        """Return batches of some rows, after those that were taken before."""
        total = self._pipeline.fact(Rows, Split.TRAIN).used
        if total is None:
            raise Unavailable("the data is a stream, which gives no rows by their number")
        rows = lesson.places(total, start + wished)[start:]
        made: list[dict[str, Any]] = []
        room = MOST_BYTES
        for group in lesson.grouped(rows, feeding.batch_size(self._pipeline, Split.TRAIN)):
            arrays = of_rows(self._pipeline, Split.TRAIN, group).arrays
            made.append(self._on_device(arrays, self._model))
            room -= sum(v.nbytes for v in made[-1].values() if hasattr(v, "nbytes"))
            if room < 0:
                break
        return made


class _Pupil:
    """The model of torch, on batches of some rows."""

    def __init__(
        self,
        learner: TorchLearner,
        looks: Sequence[Look],
        numbers: Sequence[Sequence[int]],
        chosen: Chosen,
    ) -> None:
        import numpy as np

        self.task: Task | None = None
        self._learner = learner
        self._chosen = chosen
        self._batches = [dict(look.inputs) for look in looks]
        self._rows = [look.rows for look in looks]
        labels = _joined([look.labels for look in looks], plain=False)
        order = np.random.default_rng(SEED).permutation(len(labels))
        (name,) = looks[0].names
        other = labels[order.tolist()]
        self._shuffled = [
            {**arrays, name: other[list(places)]}
            for arrays, places in zip(self._batches, numbers, strict=True)
        ]

    def begin(self) -> None:
        if self._chosen.own:
            self._learner.begin(None, None)
        else:
            self._learner.begin(self._chosen.name, self._chosen.rate)

    def learn(self, batch: int, *, shuffled: bool) -> tuple[float, Any]:
        self._learner.inputs = (self._shuffled if shuffled else self._batches)[batch]
        loss = self._learner.loss()
        answers = self._answers(batch)
        self._learner.update()
        return loss, answers

    def answers(self, batch: int) -> Any:
        self._learner.without_graph(self._batches[batch])
        return self._answers(batch)

    def outputs(self) -> tuple[int, ...]:
        """Return the shape of the answer to a row."""
        self._learner.without_graph(self._batches[0])
        return tuple(self._logits(0).shape[1:])

    def _answers(self, batch: int) -> Any:
        assert self.task is not None  # it is set before anything is trained
        return self.task.read(self._logits(batch).detach().float().cpu().numpy())

    def _logits(self, batch: int) -> Any:
        from pipedoctor.frameworks.torch import outputs_of

        answer = self._learner.answer
        outputs = outputs_of(answer) if answer is not None else {}
        logits = outputs.get("logits", outputs.get("output_1"))
        if not hasattr(logits, "detach") or logits.ndim < 1 or len(logits) != self._rows[batch]:
            raise Unavailable("the model gives no logits with a row for each row")
        return logits


def _without_repeats(looks: Sequence[Look]) -> list[Look]:
    """
    Return the batches without rows that were there before, or that have no label.

    Raises:
        Unavailable: The labels are none of one array with a row for each row.

    """
    import torch

    if any(look.labels is None or len(look.labels) != look.rows for look in looks):
        raise Unavailable("the batch has no array of labels with a row for each row")
    kept = iter(lesson.first_ones([key for look in looks for key in _keys(look)]))
    wanted, start = set(kept), 0
    found = []
    for look in looks:
        labels = look.labels.reshape(look.rows, -1)
        places = [
            place
            for place in range(look.rows)
            if start + place in wanted
            and (labels.is_floating_point() or bool((labels[place] != IGNORED).all()))
        ]
        start += look.rows
        if len(places) < 2:
            continue
        index = torch.tensor(places, device=labels.device)
        inputs = {
            name: value[index] if getattr(value, "ndim", 0) and len(value) == look.rows else value
            for name, value in look.inputs.items()
        }
        found.append(Look.at(inputs, look.names))
    if len(found) < 4:
        raise Unavailable("there are too few different rows to train on some and ask for others")
    return found


def _keys(look: Look) -> list[Hashable]:
    """Return what makes the input of each row, whatever padding a batch has."""
    mask: Any = look.inputs.get("attention_mask")
    whole: list[Hashable] = []
    for row in range(look.rows):
        parts = []
        for name, value in look.inputs.items():
            if name in look.names or not getattr(value, "ndim", 0) or len(value) != look.rows:
                continue
            one = value[row].detach().cpu()
            if getattr(mask, "shape", None) == value.shape:
                one = one[mask[row].cpu() != 0]
            parts.append(one.float().numpy().tobytes())
        whole.append(b"|".join(parts))
    return whole


def _joined(labels: Sequence[Any], *, plain: bool = True) -> Any:
    import torch

    whole = torch.cat(list(labels))
    return whole.detach().cpu().numpy() if plain else whole


def _inputs(looks: Sequence[Look]) -> dict[str, list[Any]]:
    """Return the inputs of all rows under their names, a list of rows each."""
    told: dict[str, list[Any]] = {}
    for look in looks:
        for name, value in look.inputs.items():
            rows = getattr(value, "ndim", 0) and len(value) == look.rows
            if name not in look.names and rows:
                held = value.detach().cpu()
                held = held.float() if held.is_floating_point() else held
                told.setdefault(name, []).extend(held.numpy())
    return told
