"""What a config says about how its script loads model and data: plain data, nothing loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipedoctor.fact import Split

Task = Literal["text-classification", "token-classification", "causal-lm", "masked-lm"]


@dataclass(frozen=True)
class Recipe:
    """
    How the training script that reads a config would prepare the run.

    Paths are as the user wrote them, relative to the working directory. `labels` is the number
    of outputs that the config states, `None` where the script takes it from the training data.
    `text_columns` are the one or two columns of text, empty where the script picks the first
    ones that are not the label.
    """

    task: Task
    model: str
    config: str | None = None
    tokenizer: str | None = None
    revision: str | None = None
    cache_dir: str | None = None
    use_fast: bool = True
    dataset: str | None = None
    dataset_config: str | None = None
    glue_task: str | None = None
    train_file: str | None = None
    eval_file: str | None = None
    train_split: str = "train"
    eval_split: str = "validation"
    max_train_rows: int | None = None
    max_eval_rows: int | None = None
    text_columns: tuple[str, ...] = ()
    label_column: str | None = None
    labels: int | None = None
    problem_type: str | None = None
    regression: bool | None = None
    """Whether the labels are numbers to predict; `None` where their type decides it."""
    max_length: int | None = None
    pad_to_max_length: bool = True
    pad_to_multiple: int | None = None
    ignore_mismatched_sizes: bool = False
    dtype: str | None = None
    seed: int = 42
    """The seed that the script sets before it builds the model: it decides the new weights."""
    tagging: str = "ner"
    """For token classification: the task whose tags are learned, as in the column `ner_tags`."""
    label_all_tokens: bool = False
    block_size: int | None = None
    """For a causal language model: the tokens of a row; `None` for what the model can take."""
    line_by_line: bool = False
    """For a masked language model: a row for each line, not for each block of tokens."""
    mlm_probability: float = 0.15
    keep_linebreaks: bool = True
    eval_percent: int = 5
    """For a language model: the share of the training data held out if there is no other."""

    def has_data(self, split: Split) -> bool:
        """Whether the config names data for a split; language models hold some out."""
        if self.dataset is not None or self.glue_task is not None:
            return True
        if split is Split.TRAIN:
            return self.train_file is not None
        holds_out = self.task in {"causal-lm", "masked-lm"} and self.train_file is not None
        return self.eval_file is not None or holds_out
