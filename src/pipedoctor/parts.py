"""
Parts: what a target hands over, under one table of names.

The same names are used from Python, in factories and in the snippets of the manual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

NAMES = {
    "model": "the model to train",
    "blueprint": "the model to train without its weights, on the meta device of torch",
    "train_data": "the training data, as the trainer gets it",
    "eval_data": "the evaluation data, likewise",
    "collator": "the function that makes a batch of rows",
    "tokenizer": "the tokenizer or processor",
    "loss": "the loss function, where the model does not compute it",
    "optimizer": "the optimizer",
    "scheduler": "the learning-rate scheduler",
    "metrics": "the function that computes metrics, or the names of those it gives",
    "settings": "the training arguments: a mapping, or an object with their names",
    "trainer": "a Trainer that holds all of these",
    "call": "the arguments of train() or fit()",
    "script": "the text of a training script",
    "files": "folders and files: output_dir, model, train, eval",
    "launch_config": "the configs of the same run that stand beside the settings: accelerate, deepspeed",
    "launch": "what the launcher of a command tells: launcher, processes, wrapped (a whole model in each)",
    "tool": "what a training tool with names and defaults of its own makes of the settings",
    "run": "how the user's code ran: trainings, ended, error; time_limit, until, stopped_while, shown, comments",
    "loop": "a training loop: a function that runs one, or what was seen of the script's own",
    "loads": "the weights that the script loaded into its models by itself",
    "trace": "what nan-trace is to go through: batches (a number, or all), steps, data (a file)",
    "overfit": "that one batch is to be learned: steps (the most updates that are made), and rows "
    "(so many are trained on besides, a half of them at a time)",
    "range_test": "that rates are to be tried: steps (how many)",
    "memory": "what memory is planned for: gpu (its name) or room (bytes); rows, length, gpus",
    "sites": "where the user's code made each part: names of parts to places",
    "train_rows": "how many rows there are to train on, where the user says so: --rows",
    "scan": "told what is being read, where every element of the weights is to be: --scan",
    "surroundings": "that machine and packages are looked at as a whole: children (whether to start)",
    "environment": "versions of packages and facts of the machine, where they are not this one's",
}

FIT = (
    "x",
    "y",
    "batch_size",
    "epochs",
    "verbose",
    "callbacks",
    "validation_split",
    "validation_data",
    "shuffle",
    "class_weight",
    "sample_weight",
    "initial_epoch",
    "steps_per_epoch",
    "validation_steps",
    "validation_batch_size",
    "validation_freq",
)
"""The arguments of `fit`, which may be given beside a model that has one: they are read into parts."""


class Lazy:
    """
    A part that is loaded when a probe first asks for it, and at most once.

    `packages` names the adapters that will understand it, nearest first: its type can't be
    looked at before it is loaded.
    """

    def __init__(self, load: Callable[[], Any], *packages: str) -> None:
        """Keep the loader for later."""
        self._load = load
        self.packages = packages
        self._result: list[Any] = []
        self._failure: Exception | None = None

    def get(self) -> Any:
        """Return the part, loading it at the first call; a failure is the same at every call."""
        if self._failure is not None:
            raise self._failure
        if not self._result:
            try:
                self._result.append(self._load())
            except Exception as error:
                self._failure = error
                raise
        return self._result[0]


class Parts(Mapping[str, Any]):
    """
    The parts of one pipeline; reading one loads it if need be.

    Raises:
        TypeError: A name is not in the table.

    """

    def __init__(self, parts: Mapping[str, Any]) -> None:
        """Take the parts that are not None."""
        strange = sorted(set(parts) - set(NAMES))
        if strange:
            raise TypeError(f"unknown part {strange[0]!r}; the parts are {', '.join(NAMES)}")
        self._parts = {name: part for name, part in parts.items() if part is not None}

    def __getitem__(self, name: str) -> Any:
        """Return the part itself."""
        part = self._parts[name]
        return part.get() if isinstance(part, Lazy) else part

    def __contains__(self, name: object) -> bool:
        """Whether the part was given; unlike reading it, this loads nothing."""
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, loading nothing."""
        return iter(self._parts)

    def __len__(self) -> int:
        """Count the parts."""
        return len(self._parts)

    def also(self, **more: Any) -> Parts:
        """Return these parts and more, loading none."""
        return Parts({**self._parts, **more})

    def packages(self, name: str) -> tuple[str, ...]:
        """Return the top-level packages that the part comes from, nearest base class first."""
        part = self._parts[name]
        if isinstance(part, Lazy):
            return part.packages
        owners = [base.__module__ for base in type(part).__mro__]
        if isinstance(part, (type, FunctionType)):  # its own package, not that of its type
            owners.insert(0, part.__module__ or "")
        return tuple(dict.fromkeys(owner.partition(".")[0] for owner in owners))
