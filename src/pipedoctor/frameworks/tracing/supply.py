"""The batches that a search for NaN goes through: of a file, of the data, or made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipedoctor.fact import Split
from pipedoctor.facts.rows import Rows
from pipedoctor.facts.trace import Trace
from pipedoctor.frameworks.data.batches import Batches, of_rows
from pipedoctor.frameworks.data.feeding import default_collator
from pipedoctor.frameworks.tracing import imagined, rows_of_file
from pipedoctor.frameworks.tracing.hunt import Given, repeated
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes import feeding

OnDevice = Callable[[Mapping[str, Any], Any], dict[str, Any]]


class Supply:
    """
    Yields the batches that were asked for.

    Once they were asked for, `complete` says whether they are all that there is, `there` how many
    there are (None: not known), and `notes` what is to be said of them.
    """

    def __init__(
        self, pipeline: Pipeline, model: Any, on_device: OnDevice, wishes: Mapping[str, Any]
    ) -> None:
        """Make nothing before it is asked for."""
        self._pipeline = pipeline
        self._model = model
        self._on_device = on_device
        self._wishes = wishes
        self.notes: list[str] = []
        self.complete = False
        self.there: int | None = None

    def given(self, *, epochs: bool) -> Iterator[Given]:
        """Yield the batches that were asked for, each made when its turn comes."""
        model = self._model
        if self._wishes.get("data") is not None:
            groups, make = self._of_file(str(self._wishes["data"]))
        elif "train_data" in self._pipeline.parts:
            groups, make = self._of_data()
        else:
            self.notes.append("no data was given: the inputs are made up for the model")
            self.complete = False
            made = Given(self._on_device(imagined.inputs(model), model))
            yield from repeated([made]) if epochs else [made]
            return
        if epochs:
            self.notes.append("the rows come in the order of the data, not shuffled")
            yield from map(make, repeated(groups))
            return
        most = self._wishes.get("batches", 1)
        asked = groups if most == "all" else groups[: int(most)]
        self.complete, self.there = len(asked) == len(groups), len(groups)
        yield from map(make, asked)

    def _of_file(self, path: str) -> tuple[Sequence[Any], Callable[[Any], Given]]:
        rows = rows_of_file.read(path)
        collate = self._pipeline.parts.get("collator") or default_collator(self._pipeline)
        tokenizer = self._pipeline.parts.get("tokenizer")

        def make(group: range) -> Given:
            chosen = [_tokenised(rows[number], tokenizer) for number in group]
            return Given(self._on_device(collate(chosen), self._model), tuple(group))

        return self._groups(len(rows)), make

    def _of_data(self) -> tuple[Sequence[Any], Callable[[Any], Given]]:
        counted = self._pipeline.optional(Rows, Split.TRAIN)
        if self._pipeline.watch is not None:
            self._pipeline.watch(Trace, None)  # the rows are counted
        number = counted.used if counted is not None and counted.known("used") else None
        if number is None or not self._wishes:
            made = self._pipeline.fact(Batches, Split.TRAIN).made
            if self._wishes:
                self.notes.append(
                    "the data has no length; only the batches that are looked at anyway were run"
                )
            return list(made), lambda one: Given(
                self._on_device(one.arrays, self._model), one.rows
            )

        def make(group: range) -> Given:
            one = of_rows(self._pipeline, Split.TRAIN, tuple(group))
            return Given(self._on_device(one.arrays, self._model), one.rows)

        return self._groups(number), make

    def _groups(self, number: int) -> list[range]:
        size = feeding.batch_size(self._pipeline, Split.TRAIN)
        return [range(n, min(n + size, number)) for n in range(0, number, size)]


def _tokenised(row: Mapping[str, Any], tokenizer: Any) -> dict[str, Any]:
    """Return a row as a collator takes it: its texts as tokens, where there is a tokenizer."""
    texts = [value for value in row.values() if isinstance(value, str)]
    kept = {name: value for name, value in row.items() if not isinstance(value, str)}
    if not texts or tokenizer is None:
        return kept
    return {**tokenizer(*texts[:2], truncation=True), **kept}
