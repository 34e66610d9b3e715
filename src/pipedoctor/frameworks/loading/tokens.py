"""Token classification, as run_ner prepares it: words with a tag each, tags moved to tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from pipedoctor.fact import Split
from pipedoctor.facts.labels import IGNORED
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.loading.prepared import Label, Prepared, Preprocess
from pipedoctor.frameworks.loading.raw import file_of
from pipedoctor.frameworks.loading.task import Get, Task, refuse_missing_texts

SPACED = frozenset({"bloom", "gpt2", "roberta", "deberta"})
"""The kinds of models whose tokenizers take lists of words only with a space before each."""


class TokenClassification(Task):
    """One label for each word."""

    model_class = "AutoModelForTokenClassification"
    tokenizer_needs_config = True

    def config_arguments(self) -> dict[str, Any]:
        """Return the number of tags: the stated one, else that of the training data."""
        stated = self.recipe.labels
        return {
            "num_labels": len(self.tags) if stated is None else stated,
            "finetuning_task": self.recipe.tagging,
        }

    def tokenizer_arguments(self, config: Any) -> dict[str, Any]:
        """Return what lets the tokenizer take words."""
        spaced = {"add_prefix_space": True} if config.model_type in SPACED else {}
        return {"use_fast": True, **spaced}

    @cached_property
    def tags(self) -> list[Any]:
        """The tags in the order in which the script numbers them."""
        data = self.raw(Split.TRAIN)
        _, source = self._columns(data)
        feature = data.features[source]
        names = getattr(getattr(feature, "feature", feature), "names", None)
        if names is not None:
            return list(names)
        values = arrow.column(data, source)
        if not arrow.is_list(values.type):
            raise TypeError(
                f"column {source!r} of the {self.named(Split.TRAIN)} holds {values.type}, "
                "but token classification needs a list of tags in each row"
            )
        import pyarrow.compute as pc

        return sorted(pc.drop_null(pc.unique(pc.list_flatten(values))).to_pylist())

    def finish(self, model: Any, tokenizer: Get) -> None:  # noqa: ARG002 - for the others
        """Name the outputs after the tags."""
        if self.recipe.labels is None:
            order = self._order(model.config)
            model.config.label2id = {tag: place for place, tag in enumerate(order)}
            model.config.id2label = dict(enumerate(order))

    def prepare(self, split: Split, tokenizer: Get, config: Get) -> Prepared:
        """Return the rows with the inputs of the model and a label for each token added."""
        data = self.raw(split)
        words, source = self._columns(data)
        refuse_missing_texts(data, (words,), self.named(split))
        label = Label(source, "labels", self._numbers(data, source, config), False, per_token=True)
        return Prepared(
            raw=self.cut(data, split),
            preprocess=self._preprocess(tokenizer, words, label),
            file=file_of(self.recipe, split),
            texts=(words,),
            label=label,
        )

    def collator(self, tokenizer: Get) -> Any:
        """Return the collator that pads the labels too."""
        from transformers import DataCollatorForTokenClassification

        return DataCollatorForTokenClassification(
            tokenizer(), pad_to_multiple_of=self.recipe.pad_to_multiple
        )

    def _columns(self, data: Any) -> tuple[str, str]:
        """Return the column of words and that of tags."""
        names = data.column_names
        words = next(iter(self.recipe.text_columns), None)
        if words is None:
            words = "tokens" if "tokens" in names else names[0]
        tags = self.recipe.label_column
        if tags is None:
            usual = f"{self.recipe.tagging}_tags"
            tags = usual if usual in names else names[min(1, len(names) - 1)]
        for name in (words, tags):
            if name not in names:
                raise KeyError(f"the data has no column {name!r}; it has {', '.join(names)}")
        return words, tags

    def _order(self, config: Any) -> list[Any]:
        """Return the tags in the order of the model, if it was trained on these very tags."""
        places = {name: int(place) for name, place in config.label2id.items()}
        if sorted(places) == sorted(map(str, self.tags)):
            return sorted(self.tags, key=lambda tag: places[str(tag)])
        return self.tags

    def _numbers(self, data: Any, source: str, config: Get) -> Mapping[Any, int] | None:
        if self.recipe.labels is not None:
            return None
        order = self._order(config())
        feature = data.features[source]
        if getattr(getattr(feature, "feature", feature), "names", None) is None:
            return {tag: place for place, tag in enumerate(order)}
        numbers = {place: order.index(tag) for place, tag in enumerate(self.tags)}
        return None if all(a == b for a, b in numbers.items()) else numbers

    def _inner(self) -> dict[int, int]:
        """Return, for the number of each B- tag, that of the I- tag it goes on with."""
        order = [str(tag) for tag in self.tags]
        goes_on = {}
        for place, tag in enumerate(order):
            inside = tag.replace("B-", "I-")
            if tag.startswith("B-") and inside in order:
                goes_on[place] = order.index(inside)
        return goes_on

    def _preprocess(self, tokenizer: Get, words: str, label: Label) -> Preprocess:
        inner = self._inner() if self.recipe.label_all_tokens else None
        padding = "max_length" if self.recipe.pad_to_max_length else False

        def preprocess(rows: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
            made = tokenizer()(
                rows[words],
                padding=padding,
                truncation=True,
                max_length=self.recipe.max_length,
                is_split_into_words=True,
            )
            made["labels"] = [
                _aligned(made.word_ids(batch_index=place), _numbered(tags, label), inner)
                for place, tags in enumerate(rows[label.source])
            ]
            result: Mapping[str, list[Any]] = made
            return result

        return preprocess


def _numbered(tags: Sequence[Any], label: Label) -> list[Any]:
    return list(tags) if label.numbers is None else [label.numbers[tag] for tag in tags]


def _aligned(
    places: Sequence[int | None], numbers: Sequence[int], inner: Mapping[int, int] | None
) -> list[int]:
    """Return a label for each token: that of its word for the first one, none for the others."""
    labels = []
    before: int | None = None
    for place in places:
        if place is None:
            labels.append(IGNORED)
        elif place != before:
            labels.append(numbers[place])
        elif inner is None:
            labels.append(IGNORED)
        else:
            labels.append(inner.get(numbers[place], numbers[place]))
        before = place
    return labels
