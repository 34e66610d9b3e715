"""The fact `Learnability` of a fit of Keras: some hundred rows, trained on and asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.compiled import Compiled
from pipedoctor.facts.fit import ARRAYS, LOADER
from pipedoctor.facts.learnability import Learnability
from pipedoctor.facts.overfit import Overfit
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.drawing import Drawn, at_rows, drawn, fed, taken
from pipedoctor.frameworks.fitting.library import named, to_numpy
from pipedoctor.frameworks.learnability import lesson, rates
from pipedoctor.frameworks.learnability.lesson import Task
from pipedoctor.frameworks.learnability.rates import Chosen
from pipedoctor.frameworks.learnability.told import MORE, Way, learnability
from pipedoctor.frameworks.learnability.trial import SEED, Trial
from pipedoctor.frameworks.learning.keras_learner import KerasLearner
from pipedoctor.frameworks.learning.keras_looks import KerasLook
from pipedoctor.frameworks.learning.keras_measure import Search
from pipedoctor.frameworks.learning.keras_state import digest
from pipedoctor.pipeline import Pipeline


def measure(pipeline: Pipeline) -> Learnability:
    """
    Train on one half of some rows and ask for the other, and put everything back.

    Raises:
        Unavailable: It was not asked for, or the rows can't be compared like that.
        Exception: Whatever the user's data, model and loss raise.

    """
    wished = rates.wished(pipeline)
    chosen = rates.chosen(pipeline.fact(Overfit))
    ready, compiled = pipeline.fact(Ready), pipeline.fact(Compiled)
    search = _Lesson(pipeline, ready, compiled, wished, chosen)
    before = digest(ready.model)
    found: Any = search.run()
    after = digest(ready.model)
    told: Learnability = replace(found, restored=before == after, digest=after)
    return told


class _Lesson(Search):
    """A training with all that one on a single batch takes, on more rows than these."""

    def __init__(
        self, pipeline: Pipeline, ready: Ready, compiled: Compiled, wished: int, chosen: Chosen
    ) -> None:
        super().__init__(pipeline, ready, compiled)
        self._until = rates.until(pipeline)
        self._way = chosen
        self._wished = wished
        self._whole = self._drawn(wished)

    def _judged(self, learner: KerasLearner) -> Any:
        whole = _once(self._whole)
        size = next(iter(named(self._batch.x, "")))[1].shape[0]
        groups = lesson.grouped(range(whole.size), max(int(size), lesson.BATCH))
        if len(groups) < 4:
            raise Unavailable(
                "there are too few different rows to train on some and ask for others"
            )
        kept = [row for group in groups for row in group]
        whole = _at(whole, kept)
        pupil = _Pupil(learner, whole, groups, self._way)
        learner.begin(None, None)
        outputs = pupil.outputs()
        task = Task.of(_labels(whole), outputs)
        pupil.task = task
        trial = Trial(pupil, groups, task.labels, task.kind, self._until)
        trial.run()

        def more() -> tuple[Mapping[str, Sequence[Any]], Task]:
            wide = _once(self._drawn(MORE))
            return _inputs(wide), Task.of(_labels(wide), outputs)

        way = Way(self._way.name, self._way.rate, self._way.own)
        return learnability(trial, task, _inputs(whole), way, more)

    def _drawn(self, wished: int) -> Drawn:
        """Return rows from all over the data; where they have no numbers, those at its start."""
        data = fed(self._pipeline, Split.TRAIN)
        if data.kind in {ARRAYS, LOADER}:
            places = lesson.places(data.rows or 0, wished)
            return at_rows(data, tuple(places))
        batches: list[Drawn] = []
        for batch in drawn(data, wished):
            batches.append(batch)
            if sum(one.size for one in batches) >= wished:
                break
        return Drawn(*(_joined([getattr(b, part) for b in batches]) for part in PARTS))


PARTS = ("x", "y", "sample_weight")


class _Pupil:
    """The model of Keras, on batches of some rows."""

    def __init__(
        self, learner: KerasLearner, whole: Drawn, groups: Sequence[Sequence[int]], chosen: Chosen
    ) -> None:
        import numpy as np

        self.task: Task | None = None
        self._learner = learner
        self._chosen = chosen
        order = np.random.default_rng(SEED).permutation(whole.size).tolist()
        other = replace(whole, y=taken(whole.y, order))
        self._batches = [_at(whole, list(group)) for group in groups]
        self._shuffled = [_at(other, list(group)) for group in groups]

    def begin(self) -> None:
        if self._chosen.own:
            self._learner.begin(None, None)
        else:
            self._learner.begin(self._chosen.name, self._chosen.rate)

    def learn(self, batch: int, *, shuffled: bool) -> tuple[float, Any]:
        self._learner.batch = (self._shuffled if shuffled else self._batches)[batch]
        answers = self._answers()
        loss = self._learner.loss()
        self._learner.update()
        return loss, answers

    def answers(self, batch: int) -> Any:
        self._learner.batch = self._batches[batch]
        return self._answers()

    def outputs(self) -> tuple[int, ...]:
        """Return the shape of the answer to a row."""
        self._learner.batch = self._batches[0]
        return tuple(self._raw().shape[1:])

    def _answers(self) -> Any:
        assert self.task is not None  # it is set before anything is trained
        return self.task.read(self._raw())

    def _raw(self) -> Any:
        answers = [to_numpy(leaf) for _, leaf in named(self._learner.answer(), "")]
        if len(answers) != 1 or answers[0] is None or len(answers[0]) != self._learner.batch.size:
            raise Unavailable("the model gives no single output with a row for each row")
        return answers[0]


def _labels(whole: Drawn) -> Any:
    labels = KerasLook(whole).labels
    if len(labels) != 1 or len(labels[0]) != whole.size:
        raise Unavailable("the batch has no array of labels with a row for each row")
    return labels[0]


def _once(whole: Drawn) -> Drawn:
    """Return the rows without those that were there before."""
    return _at(whole, lesson.first_ones(KerasLook(whole).contexts()))


def _at(whole: Drawn, places: list[int]) -> Drawn:
    return Drawn(*(taken(getattr(whole, part), places) for part in PARTS))


def _joined(parts: Sequence[Any]) -> Any:
    """Return structures of arrays put one after the other."""
    import numpy as np

    first = parts[0]
    if first is None:
        return None
    if isinstance(first, dict):
        return {key: _joined([part[key] for part in parts]) for key in first}
    if isinstance(first, (list, tuple)):
        return type(first)([_joined([part[n] for part in parts]) for n in range(len(first))])
    return np.concatenate([to_numpy(part) for part in parts])


def _inputs(whole: Drawn) -> dict[str, Any]:
    """Return the inputs of all rows under their names."""
    found = {}
    for place, (name, leaf) in enumerate(named(whole.x, "x")):
        array = to_numpy(leaf)
        if array is not None:
            found[name or f"x{place}"] = array
    return found
