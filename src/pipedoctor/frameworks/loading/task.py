"""What the scripts for different tasks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from pipedoctor.fact import Split, Unavailable
from pipedoctor.frameworks.loading.prepared import Prepared
from pipedoctor.frameworks.loading.raw import Raw, file_of
from pipedoctor.targets.recipe import Recipe

GLUE_KEYS = {
    "cola": ("sentence",),
    "mnli": ("premise", "hypothesis"),
    "mrpc": ("sentence1", "sentence2"),
    "qnli": ("question", "sentence"),
    "qqp": ("question1", "question2"),
    "rte": ("sentence1", "sentence2"),
    "sst2": ("sentence",),
    "stsb": ("sentence1", "sentence2"),
    "wnli": ("sentence1", "sentence2"),
}
"""The columns of text of each GLUE task, as run_glue has them."""

Get = Callable[[], Any]
"""Returns a piece of the run, loading it if need be."""


class Task(ABC):
    """How one kind of script prepares its model and its data."""

    model_class: ClassVar[str]
    """The class of transformers that builds the model."""

    tokenizer_needs_config: ClassVar[bool] = False

    def __init__(self, recipe: Recipe, raw: Callable[[], Raw]) -> None:
        """Keep how to get the raw data: not all of a run needs it."""
        self.recipe = recipe
        self._raw = raw

    def raw(self, split: Split) -> Any:
        """Return the raw data of a split, or raise `Unavailable`."""
        data = self._raw().get(split)
        if data is None:
            raise Unavailable(f"there is no {self.named(split)}")
        return data

    def named(self, split: Split) -> str:
        """Return the words for a split's data."""
        kind = "training" if split is Split.TRAIN else "evaluation"
        file = file_of(self.recipe, split)
        return f"{kind} data" if file is None else f"{kind} data ({file})"

    def config_arguments(self) -> dict[str, Any]:
        """Return what the script passes to the model's config: the number of labels, mostly."""
        return {}

    def tokenizer_arguments(self, config: Any) -> dict[str, Any]:  # noqa: ARG002 - for the others
        """Return what the script passes to the tokenizer besides its name."""
        return {"use_fast": self.recipe.use_fast}

    def finish(self, model: Any, tokenizer: Get) -> None:  # noqa: B027 - not all do anything
        """Do to the model what the script does after loading it."""

    @abstractmethod
    def prepare(self, split: Split, tokenizer: Get, config: Get) -> Prepared:
        """Return the data of a split; its rows ask for the tokenizer when they are made."""

    @abstractmethod
    def collator(self, tokenizer: Get) -> Any:
        """Return the function that makes batches."""

    def cut(self, data: Any, split: Split) -> Any:
        """Return the rows that the run uses, as `max_train_samples` and its like say."""
        recipe = self.recipe
        most = recipe.max_train_rows if split is Split.TRAIN else recipe.max_eval_rows
        if most is None:
            return data
        return data.select(range(min(len(data), most)), new_fingerprint="cut")


def refuse_missing_texts(data: Any, columns: tuple[str, ...], where: str) -> None:
    """Raise what the script would meet: its tokenizer takes no row without text."""
    import pyarrow.compute as pc

    for name in columns:
        values = data.data.column(name)
        if values.null_count:
            rows = pc.indices_nonzero(pc.is_null(values))[:3].to_pylist()
            told = ", ".join(map(str, rows))
            raise MissingText(
                f"{values.null_count} of {len(values)} rows of the {where} have no text in "
                f"column {name!r} (rows {told}): the tokenizer raises on them"
            )


class MissingText(ValueError):  # noqa: N818 - named for what it is
    """Rows have no text; the tokenizer of the script raises on them."""
