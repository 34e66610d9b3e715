"""What a data set's transform does with the columns that Trainer leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class Transform(Fact):
    """
    A transform (`with_transform`, `set_transform`) tried on a row, as Trainer would and whole.

    `given` are the columns that are left when Trainer has dropped those that the model's forward
    does not name. `error` is what the transform raised on these, None if it did not; `whole` is
    what it raised on all columns. `makes` are the columns of the row that it returned.
    """

    doing = "Trying the transform of the data"
    per_split = True

    name: str
    columns: tuple[str, ...]
    given: tuple[str, ...]
    error: str | None = None
    whole: str | None = None
    makes: tuple[str, ...] = ()

    def summary(self) -> Mapping[str, object]:
        """Tell its name."""
        return {"name": self.name}
