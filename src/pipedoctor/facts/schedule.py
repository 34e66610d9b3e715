"""When things happen in a run: steps, epochs, checkpoints, evaluations, log lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class Marks:
    """
    Steps at which something happens: every `every` steps, and once more at `last` if that is none.

    Nothing is listed, so a million of them take no room. `every` 0 means at the last step only.
    """

    every: int
    total: int
    last: bool = False
    start: int = 0
    """Nothing happens before this step."""
    also_first: bool = False
    """Whether it happens at step 1 as well, as with `logging_first_step`."""

    def __iter__(self) -> Iterator[int]:
        """Iterate over the steps in order."""
        if self._has_first:
            yield 1
        yield from self._regular
        if self._has_extra:
            yield self.total

    def __len__(self) -> int:
        """Count them."""
        return self._has_first + len(self._regular) + self._has_extra

    def __contains__(self, step: object) -> bool:
        """Whether it happens at this step."""
        return (
            step in self._regular
            or (step == self.total and self._has_extra)
            or (step == 1 and self._has_first)
        )

    @property
    def first(self) -> int | None:
        """The first of these steps, if there is any."""
        return next(iter(self), None)

    def until(self, step: int) -> int:
        """Count those up to a step, and at it."""
        if step >= self.total:
            return len(self)
        regular = self._regular
        reached = range(regular.start, min(step + 1, regular.stop), regular.step)
        return (self._has_first and step >= 1) + len(reached)

    def number(self, place: int) -> int:
        """
        Return the step of one of them, counted from 1; no others are gone through for it.

        Raises:
            IndexError: There are not so many.

        """
        if not 1 <= place <= len(self):
            raise IndexError(place)
        if self._has_first:
            if place == 1:
                return 1
            place -= 1
        regular = self._regular
        return regular[place - 1] if place <= len(regular) else self.total

    def figures(self) -> dict[str, object]:
        """Return what they are made of, and how many; `Marks` can be made of it again."""
        return {
            "count": len(self),
            "first": self.first,
            "every": self.every,
            "total": self.total,
            "last": self.last,
            "start": self.start,
            "also_first": self.also_first,
        }

    @property
    def _regular(self) -> range:
        if self.every <= 0:
            return range(0)
        begin = max(1, -(-self.start // self.every)) * self.every
        return range(begin, self.total + 1, self.every)

    @property
    def _has_first(self) -> bool:
        alone = self.total > 1 or not self._has_extra
        return self.also_first and self.total >= 1 and alone and 1 not in self._regular

    @property
    def _has_extra(self) -> bool:
        return (
            self.last
            and self.total >= max(self.start, 1)
            and not (self._regular and self._regular[-1] == self.total)
        )


NEVER = Marks(0, 0)


@dataclass(frozen=True, repr=False, eq=False)
class Schedule(Fact):
    """
    The steps of a run, in optimizer steps counted from 1, as Trainer would count them.

    `epochs` is the number of passes that are begun or finished. `checkpoints` and `evaluations`
    are `UNKNOWN` where they depend on what the run measures (`save_strategy="best"`).
    """

    total_steps: int
    steps_per_epoch: int = UNKNOWN
    epochs: float = UNKNOWN
    batch_size: int = UNKNOWN
    """Rows per optimizer step, over all devices and accumulated batches."""
    warmup_steps: int = UNKNOWN
    checkpoints: Marks = UNKNOWN
    evaluations: Marks = UNKNOWN
    logs: Marks = UNKNOWN
    batches_per_epoch: int = UNKNOWN
    origin: Location = NOWHERE
    """What the total follows from."""

    def summary(self) -> Mapping[str, object]:
        """Tell the totals, and when each thing happens first."""
        told: dict[str, object] = {"total_steps": self.total_steps}
        for name in ("steps_per_epoch", "warmup_steps"):
            if self.known(name):
                told[name] = getattr(self, name)
        for name in ("checkpoints", "evaluations", "logs"):
            if self.known(name):
                marks: Marks = getattr(self, name)
                told[name] = len(marks)
                told[f"first_{name[:-1]}"] = marks.first
        return told
