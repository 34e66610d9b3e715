"""Which checkpoints stand on the disk, as Trainer writes and deletes them."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.facts.schedule import Marks


@dataclass(frozen=True)
class Retention:
    """
    The checkpoints that exist at any time of a run; nothing is listed, so a million take no room.

    Trainer writes the new checkpoint first. Then it deletes the oldest ones until `limit` are
    left, but never the newest, nor the best if it knows one (`knows_best`). Which one that is
    depends on the scores; only with a limit of 1 does the number depend on it too, and then what
    is told is the most that can come about. Checkpoints are counted from 1.
    """

    written: Marks
    limit: int | None = None
    knows_best: bool = False

    @property
    def peak(self) -> int:
        """The most that exist at a time."""
        return self.during(len(self.written))

    @property
    def kept(self) -> int:
        """How many are left when the run has ended; of a limit of 1, all but the best go then."""
        count = len(self.written)
        return count if self.limit is None else min(count, self.limit)

    def during(self, count: int) -> int:
        """Return how many exist while one is written, as the so-manieth."""
        return min(count, self._room + 1) if self.limit is not None else count

    def after(self, count: int) -> int:
        """Return how many are left when so many were written."""
        return min(count, self._room) if self.limit is not None else count

    def deleted(self, count: int) -> int:
        """Return how many are gone when so many were written."""
        return count - self.after(count)

    def standing(self, count: int, best: int | None = None) -> list[int]:
        """
        Return the steps of those that are left when so many were written, in order.

        `best` is the step of the best of them, if one is known by then.
        """
        if self.limit is None:
            return [self.written.number(place) for place in range(1, count + 1)]
        newest = range(max(1, count - self.limit + 1), count + 1)
        steps = [self.written.number(place) for place in newest]
        if best is None or best in steps:
            return steps
        return [best, *(steps[1:] if len(steps) > 1 else steps)]

    def too_many(self, fit: int) -> int | None:
        """
        Return the step at which more exist than fit, None where that never happens.

        With a limit of 1 and a best one, the third may come or not: it is told as if it came.
        """
        return self.written.number(fit + 1) if fit < self.peak else None

    @property
    def _room(self) -> int:
        return max(self.limit or 0, 2 if self.knows_best else 1)
