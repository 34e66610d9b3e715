"""
What can be known about a pipeline, and how a fact says that it is not known.

A fact is a frozen, framework-neutral record. Probes measure facts, checks read them; so a check
that reads `Labels` works for whatever can hold labels, and imports none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum
from typing import Annotated, Any, ClassVar, TypeVar

T = TypeVar("T")


class Cost(IntEnum):
    """What it takes to measure a fact. Cheap facts are measured, and their checks run, first."""

    STATIC = 1  # read what was handed over: settings, script, environment
    FILES = 2  # open files: a model's header, the rows of a csv
    DATA = 3  # load the data as the pipeline does
    MODEL = 4  # build the model
    FORWARD = 5  # one forward pass
    BACKWARD = 6  # one backward pass
    TRAINING = 7  # a few optimizer steps


class Split(str, Enum):
    """The part of the data that a fact is about."""

    TRAIN = "train"
    EVAL = "eval"


Train = Annotated[T, Split.TRAIN]
"""`Train[Labels]` in a check's signature: the labels of the training data only."""

Eval = Annotated[T, Split.EVAL]
"""`Eval[Labels]` in a check's signature: the labels of the evaluation data only."""


class Unavailable(Exception):  # noqa: N818 - it is no error: something cannot be known here
    """A fact cannot be known here. The checks that need it are skipped, and say why."""


class Elsewhere(Unavailable):
    """The source is meant for other data than this: what another one says of it tells more."""


class OverBudget(Unavailable):
    """The fact could be measured, but it costs more than was allowed."""

    def __init__(self, message: str, cost: Cost) -> None:
        """Remember which depth would reach it."""
        super().__init__(message)
        self.cost = cost


class Unknown:
    """The type of `UNKNOWN`, which stands for a value that nobody stated or measured."""

    def __init__(self, reason: str | Unavailable = "") -> None:
        """Say why the value is not known, if there is a reason to tell."""
        self.reason = reason

    def __repr__(self) -> str:
        """Name it."""
        return "UNKNOWN"


UNKNOWN: Any = Unknown()
"""The value of a field that nobody stated or measured; reading it raises `Unavailable`."""


def unknown(reason: str | Unavailable) -> Any:
    """
    Return a value like `UNKNOWN` that says why: the reason of the checks it skips.

    Given what another fact raised, reading the value raises that again; so a check that is
    skipped for want of depth still says which depth would reach it.
    """
    return Unknown(reason)


class Fact:
    """
    Base of all facts: frozen dataclasses, one a file in `pipedoctor.facts`.

    Reading an unknown field raises `Unavailable`, so that a check cannot take "not known" for
    "fine" and need not test for it.
    """

    per_split: ClassVar[bool] = False
    """Whether the training and the evaluation data have one each."""

    doing: ClassVar[str] = ""
    """What is done to measure it, where "Measuring the …" would not say it well."""

    def __getattribute__(self, name: str) -> Any:
        """Return the field, unless nobody knows it."""
        value = super().__getattribute__(name)
        if isinstance(value, Unknown):
            if isinstance(value.reason, Unavailable):
                raise value.reason
            raise Unavailable(value.reason or f"{type(self).__name__}.{name} is not known")
        return value

    def known(self, name: str) -> bool:
        """Whether the field can be read."""
        return not isinstance(object.__getattribute__(self, name), Unknown)

    def summary(self) -> Mapping[str, object]:
        """Figures worth telling in a report, plain enough for JSON."""
        return {}

    def figures(self) -> Mapping[str, object]:
        """What a verb that asks for this fact shows of it, plain enough for JSON."""
        return {}

    def __repr__(self) -> str:
        """Show the known fields only."""
        known = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if self.known(k))
        return f"{type(self).__name__}({known})"
