"""Who looks on while a Trainer trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True)
class EarlyStopping:
    """An `EarlyStoppingCallback`: how many evaluations without improvement it waits for."""

    patience: int
    threshold: float = 0.0


@dataclass(frozen=True, repr=False, eq=False)
class Callbacks(Fact):
    """
    The callbacks of a Trainer, by the names of their classes.

    `early_stopping` is None where there is no callback of transformers' that stops early.
    """

    names: tuple[str, ...]
    early_stopping: EarlyStopping | None = None

    def summary(self) -> Mapping[str, object]:
        """Tell the names."""
        return {"names": list(self.names)}
