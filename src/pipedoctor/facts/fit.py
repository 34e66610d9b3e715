"""How `fit` is called: for how long, on what, and who looks on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location

ARRAYS, DATASET, PYDATASET, GENERATOR, LOADER, OTHER = (
    "arrays",
    "tf.data.Dataset",
    "PyDataset",
    "generator",
    "DataLoader",
    "other",
)
"""The kinds of data that `fit` takes."""


@dataclass(frozen=True)
class FitCallback:
    """
    One callback: its class, and its figures under the names of the arguments that set them.

    `own` says whether the class is the user's. `parameters` holds plain values only: numbers,
    texts, truth values and None.
    """

    kind: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    own: bool = False
    where: Location = NOWHERE


@dataclass(frozen=True, repr=False, eq=False)
class Fit(Fact):
    """
    One call of `fit`.

    `data` is the kind of the training data, one of those above. `rows` counts the rows to train
    on and `batches` the batches of one pass over them, both None where the data has no end.
    `steps` is the number of updates that an epoch makes if the data lasts, `batch_size` the rows
    of a batch. `steps_per_epoch` is what was stated, None where nothing was.
    """

    doing = "Reading the call of fit"

    epochs: int
    data: str
    rows: int | None = UNKNOWN
    batches: int | None = UNKNOWN
    batch_size: int = UNKNOWN
    steps: int = UNKNOWN
    steps_per_epoch: int | None = None
    initial_epoch: int = 0
    shuffle: bool = UNKNOWN
    """Whether fit shuffles the rows before each epoch; what a data set does itself is not seen."""
    validation: str | None = None
    """The kind of the validation data; "split" where it is cut off the end, None without any."""
    validation_split: float = 0.0
    validation_rows: int | None = UNKNOWN
    validation_batches: int | None = UNKNOWN
    validation_steps: int | None = None
    validation_freq: object = 1
    class_weight: Mapping[int, float] | None = None
    weighted_names: Mapping[str, object] = field(default_factory=dict)
    """What class_weight has for keys that are no class numbers."""
    sample_weight: bool = UNKNOWN
    """Whether each row has a weight, stated or in what the data yields."""
    callbacks: tuple[FitCallback, ...] = ()
    reread: bool = True
    """Whether the data can be read again: a generator can be gone through only once."""
    where: Location = NOWHERE
    places: Mapping[str, Location] = field(default_factory=dict)

    def at(self, *names: str) -> Location:
        """Return the place of the first of these arguments that is stated, else that of the call."""
        found = next((self.places[name] for name in names if name in self.places), None)
        return found or replace(self.where, key=names[0] if names else None)

    @property
    def infinite(self) -> bool:
        """Whether the training data has no end."""
        return self.batches is None

    def summary(self) -> Mapping[str, object]:
        """Tell how long and on what."""
        told: dict[str, object] = {"data": self.data, "epochs": self.epochs}
        for name in ("rows", "batches", "batch_size", "steps", "validation_rows"):
            if self.known(name):
                told[name] = getattr(self, name)
        return told | {"validation": self.validation}
