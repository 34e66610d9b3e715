"""What a config says about how its script loads model and data: plain data, nothing loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
