"""What a check has to say, and the place it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from pipedoctor.fix import Fix


class Severity(IntEnum):
    """How much a finding matters, by its consequence."""

    NOTE = 1  # worth knowing
    WARNING = 2  # it will probably waste time or quality
    ERROR = 3  # it will fail, or learn nothing, or lose something

    def __str__(self) -> str:
        """Return the word that reports and options use."""
        return self.name.lower()


class Confidence(Enum):
    """How sure a finding is. Low confidence stays off unless previews are asked for."""

    LOW = "low"
    HIGH = "high"


class Stage(IntEnum):
    """Where in a pipeline a fault sits; what comes earlier is more likely the cause."""

    ANY = 0
    ENVIRONMENT = 1
    ARGUMENTS = 2
    DATA = 3
    COLLATOR = 4
    BATCH = 5
    MODEL = 6
    LOSS = 7
    FORWARD = 8
    BACKWARD = 9
    UPDATE = 10
    EVALUATION = 11
    CHECKPOINT = 12


@dataclass(frozen=True)
class Location:
    """
    The place of a finding, or where a value came from; every part of it is optional.

    `source` is the text of the line, so that a report can show it. `origin` says how a value
    came about where no line says it: "default of transformers 5.23.0", "derived from max_steps".
    `training` counts the trainings of a script that holds several, from 1.
    """

    file: str | None = None
    line: int | None = None
    key: str | None = None
    column: str | None = None
    layer: str | None = None
    split: str | None = None
    rows: tuple[int, ...] = ()
    source: str | None = None
    origin: str | None = None
    training: int | None = None

    def __str__(self) -> str:
        """Return `file:line`, or the best there is."""
        if self.file is not None:
            return self.file if self.line is None else f"{self.file}:{self.line}"
        return self.key or self.column or self.layer or self.origin or ""


NOWHERE = Location()


@dataclass(frozen=True)
class Finding:
    """
    One fault in one place: what was measured against what was expected, and what to change.

    `message` and `remedy` are sentences without the final full stop; `remedy` holds the exact
    change, and `fix` the same so that it can be done, where it is mechanical. `severity` overrides the check's own where this case is graver or milder. `shows` are
    at most three examples from the user's data, such as a text and its label.
    """

    message: str
    remedy: str
    where: Location = NOWHERE
    evidence: Mapping[str, object] = field(default_factory=dict)
    alternatives: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    severity: Severity | None = None
    confidence: Confidence = Confidence.HIGH
    fix: Fix | None = None
