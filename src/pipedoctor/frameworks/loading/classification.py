"""Text classification and regression, as run_glue prepares it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pipedoctor.fact import Split
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.loading.prepared import Label, Prepared, Preprocess, number
from pipedoctor.frameworks.loading.raw import file_of
from pipedoctor.frameworks.loading.task import GLUE_KEYS, Get, Task, refuse_missing_texts

LENGTH = 128
"""The default of run_glue for `max_seq_length`."""


class UnknownLabel(KeyError):  # noqa: N818 - named for what it is
    """The evaluation data has a label that the training data does not have."""

    def __str__(self) -> str:
        """Return the text as it is; a `KeyError` would quote it."""
        return str(self.args[0])


class Classification(Task):
    """One label for each row."""

    model_class = "AutoModelForSequenceClassification"

    def config_arguments(self) -> dict[str, Any]:
        """Return the number of labels: the stated one, else that of the training labels."""
        count = self.recipe.labels
        if count is None:
            count = 1 if self.regression else len(self.label_list)
        arguments: dict[str, Any] = {"num_labels": count}
        if self.recipe.glue_task is not None:
            arguments["finetuning_task"] = self.recipe.glue_task
        if self.recipe.problem_type is not None:
            arguments["problem_type"] = self.recipe.problem_type
        return arguments

    @property
    def source(self) -> str:
        """The column of the labels in the raw data."""
        return self.recipe.label_column or "label"

    @cached_property
    def regression(self) -> bool:
        """Whether the labels are numbers to predict."""
        if self.recipe.regression is not None:
            return self.recipe.regression
        if self.recipe.glue_task is not None:
            return self.recipe.glue_task == "stsb"
        return arrow.word(self._labels(Split.TRAIN).type) in {"float", "double"}

    @property
    def _numbered(self) -> bool:
        """Whether the script numbers the labels: not if the config states the head for them."""
        return self.recipe.labels is None and not self.regression

    @cached_property
    def label_list(self) -> list[Any]:
        """The labels in the order in which run_glue numbers them; none for a regression."""
        if self.regression:
            return []
        if self.recipe.glue_task is not None:
            return list(self.raw(Split.TRAIN).features[self.source].names)
        found = self._labels(Split.TRAIN)
        if found.null_count:
            raise TypeError(
                f"{found.null_count} of {len(found)} rows of the {self.named(Split.TRAIN)} have "
                f"no label in column {self.source!r}, so the labels cannot be sorted"
            )
        return sorted(found.unique().to_pylist())

    def finish(self, model: Any, tokenizer: Get) -> None:  # noqa: ARG002 - for the others
        """Name the outputs after the labels that are numbered."""
        numbers = self._numbers(lambda: model.config) if self._numbered else None
        if numbers is None and self.recipe.glue_task is not None and self.label_list:
            numbers = {label: place for place, label in enumerate(self.label_list)}
        if numbers is not None:
            model.config.label2id = dict(numbers)
            model.config.id2label = {place: label for label, place in numbers.items()}

    def prepare(self, split: Split, tokenizer: Get, config: Get) -> Prepared:
        """Return the rows with the inputs of the model and the numbered labels added."""
        data = self.raw(split)
        if self.recipe.regression and self.source in data.column_names:
            data = with_floats(data, self.source)
        texts = self._texts()
        refuse_missing_texts(data, texts, self.named(split))
        label = self._label(data, split, config)
        if label is not None and label.source != label.column:
            data = data.rename_column(label.source, label.column)
            label = Label(label.column, label.column, label.numbers)
        return Prepared(
            raw=self.cut(data, split),
            preprocess=self._preprocess(tokenizer, texts, label),
            file=file_of(self.recipe, split),
            texts=texts,
            label=label,
        )

    def collator(self, tokenizer: Get) -> Any:
        """Return the default collator for rows of one length, else the one that pads."""
        from transformers import DataCollatorWithPadding, default_data_collator

        if self.recipe.pad_to_max_length:
            return default_data_collator
        return DataCollatorWithPadding(tokenizer(), pad_to_multiple_of=self.recipe.pad_to_multiple)

    def _texts(self) -> tuple[str, ...]:
        if self.recipe.text_columns:
            return self.recipe.text_columns
        if self.recipe.glue_task is not None:
            return GLUE_KEYS[self.recipe.glue_task]
        names = [name for name in self.raw(Split.TRAIN).column_names if name != self.source]
        if {"sentence1", "sentence2"} <= set(names):
            return ("sentence1", "sentence2")
        if not names:
            raise IndexError(f"the {self.named(Split.TRAIN)} has no column but the label's")
        return tuple(names[:2])

    def _labels(self, split: Split) -> arrow.Column:
        data = self.raw(split)
        if self.source not in data.column_names:
            raise KeyError(
                f"the {self.named(split)} has no column {self.source!r} to take the labels "
                f"from; its columns are {', '.join(data.column_names)}"
            )
        return arrow.column(data, self.source)

    def _label(self, data: Any, split: Split, config: Get) -> Label | None:
        """Return how the labels are numbered; not at all where the config states the head."""
        numbered = self._numbered  # which needs the training labels, if no head is stated
        if self.source not in data.column_names:
            return None
        numbers = self._numbers(config) if numbered else None
        label = Label(self.source, "label", numbers)
        if numbers is not None and self.recipe.glue_task is None:
            self._refuse_unknown(label, split)
        return label

    def _numbers(self, config: Get) -> Mapping[Any, int] | None:
        """Return the number of each label, as run_glue assigns them."""
        labels = self.label_list
        if self.recipe.glue_task is None:
            return {label: place for place, label in enumerate(labels)}
        # A GLUE label is a number already; a model that was trained on it may order them its way.
        order = {str(name).lower(): int(place) for name, place in config().label2id.items()}
        if sorted(order) == sorted(labels):
            return {place: order[name] for place, name in enumerate(labels)}
        return None

    def _refuse_unknown(self, label: Label, split: Split) -> None:
        import pyarrow.compute as pc

        values = self._labels(split)
        strange = pc.and_(pc.is_null(number(values, label)), pc.is_valid(values))
        rows = pc.indices_nonzero(pc.or_(strange, pc.is_null(values)))
        if not len(rows):
            return
        first = values[rows[0].as_py()].as_py()
        told = ", ".join(map(str, rows[:3].to_pylist()))
        raise UnknownLabel(
            f"{first!r}: {len(rows)} of {len(values)} rows of the {self.named(split)} have a "
            f"label that the {self.named(Split.TRAIN)} does not have (rows {told}); known are "
            f"{', '.join(repr(known) for known in self.label_list[:10])}"
        )

    def _preprocess(
        self, tokenizer: Get, texts: tuple[str, ...], label: Label | None
    ) -> Preprocess:
        padding = "max_length" if self.recipe.pad_to_max_length else False
        most = self.recipe.max_length or LENGTH

        def preprocess(rows: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
            tokenize = tokenizer()
            made: dict[str, list[Any]] = tokenize(
                *(rows[name] for name in texts),
                padding=padding,
                max_length=min(most, tokenize.model_max_length),
                truncation=True,
            )
            if label is not None and label.numbers is not None:
                numbers = label.numbers
                made["label"] = [v if v == -1 else numbers[v] for v in rows["label"]]
            return made

        return preprocess


def with_floats(data: Any, column: str) -> Any:
    """Return the data with numbers to predict in a column, as a script casts them."""
    import datasets
    import pyarrow as pa

    table = data.data.table.replace_schema_metadata(None)
    place = table.schema.get_field_index(column)
    numbers = table.column(column).cast(pa.float32())
    return datasets.Dataset(datasets.table.InMemoryTable(table.set_column(place, column, numbers)))
