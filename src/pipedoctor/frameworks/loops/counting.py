"""Where a loop that is watched stands: the counting begins anew with each new optimizer."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.frameworks.loops.recording import Recording

CLOSELY = 40
"""So many steps and their backward passes are looked at closely, and then each twentieth."""

SELDOM = 20

MANY = 64
"""More passes than this for one step are not looked at one by one; then its modes are not known."""


@dataclass(eq=False)
class Count:
    """What was counted of a recording since its latest optimizer came."""

    recording: Recording
    since: int = 0
    """Backward passes since the last step."""
    loss: float | None = None
    """The loss of the last pass."""
    _steps_before: int = 0
    _passes_before: int = 0

    @property
    def steps(self) -> int:
        """Steps that were made."""
        return len(self.recording.steps) - self._steps_before

    @property
    def passes(self) -> int:
        """Backward passes that were made."""
        return self.recording.backwards - self._passes_before

    def anew(self) -> None:
        """Begin again: an optimizer is about to make its first step, after its first pass."""
        self._steps_before = len(self.recording.steps)
        self._passes_before = self.recording.backwards - 1


def closely(number: int) -> bool:
    """Return whether a step of this number, or what leads to the one after it, is looked at."""
    return number <= CLOSELY or number % SELDOM == 0
