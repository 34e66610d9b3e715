"""The recorder itself: tape, judge and capsule, whatever training they are tied to."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from pipedoctor.recorder import capsule, judge
from pipedoctor.recorder.tape import Step, Tape


@dataclass(frozen=True)
class Wishes:
    """What to do on trouble: see `FlightRecorder`."""

    folder: str
    stop: bool = True
    wait: bool = True
    largest: int = 2 << 30


class Poisoned(FloatingPointError):  # noqa: N818 - it says what was about to happen
    """An update was not made, since it would have spoilt the weights; `capsule` has the step."""

    def __init__(self, message: str, capsule_at: str | None) -> None:
        """Keep where the capsule lies."""
        super().__init__(message)
        self.capsule = capsule_at


class Recorder:
    """
    Keeps the last steps of a model, and judges each update before it is made.

    `half` and `rows` are those of `capsule.Recorded`; `step` is the number of the present step.
    """

    def __init__(
        self,
        model: Any,
        wishes: Wishes,
        *,
        half: str = "",
        rows: capsule.Rows | None = None,
        step: int = 1,
    ) -> None:
        """Begin to record."""
        self.model = model
        self.capsule: str | None = None
        self._wishes = wishes
        self._half = half
        self._rows = rows
        self._tape = Tape(model, length=1)
        self._tape.current.number = step
        self._trained = [p for p in model.parameters() if p.requires_grad]
        self._pending: Any = None
        self._refused = False

    def before_update(self, optimizer: Any) -> None:
        """
        Judge the gradients of the present step.

        Raises:
            Poisoned: They would spoil the weights, and `stop` was not declined.

        """
        step = self._tape.current
        losses = [made.loss for made in step.passes]
        suspicion = judge.suspicion(self._trained, losses)
        if suspicion is None:
            return
        inner = getattr(optimizer, "optimizer", optimizer)
        if not self._wishes.wait and skips_by_itself(inner):
            self._settle()
            bad = ~suspicion.isfinite()
            inner.found_inf = bad.float().reshape(())
            inner.grad_scale = None
            self._pending = bad
            return
        if bool(suspicion.isfinite()):
            return
        verdict = judge.confirm(self.model, losses)
        scaler = getattr(optimizer, "scaler", None)
        if scaler is not None and scaler.is_enabled() and not verdict.weights:
            return  # the scaler leaves such an update out by itself, and lowers its scale
        if verdict.gradients or verdict.weights:
            self._trouble(step, verdict)

    def after_update(self, number: int) -> None:
        """Go on to the step of that number."""
        self._tape.turn(number)

    def finish(self) -> None:
        """Settle what is open, and take the hooks off."""
        try:
            self._settle()
        finally:
            self.close()

    def close(self) -> None:
        """Take the hooks off."""
        self._tape.stop()

    def _settle(self) -> None:
        """Read the flag of the step before, which the device has answered by now."""
        pending, self._pending = self._pending, None
        if pending is None or not bool(pending):
            return
        step = self._tape.steps[-1] if self._tape.steps else self._tape.current
        losses = [made.loss for made in step.passes]
        values = tuple(None if loss is None else float(loss.float().sum()) for loss in losses)
        # Its gradients are gone by now; that the sum was not finite is what is known.
        self._trouble(step, judge.Verdict(values, (), (), len(self._trained)))

    def _trouble(self, step: Step, verdict: judge.Verdict) -> None:
        message = sentence(step, verdict)
        if self.capsule is None and not self._refused:
            try:
                recorded = capsule.Recorded(self.model, step, verdict, self._half, self._rows)
                self.capsule = capsule.write(self._wishes.folder, recorded, self._wishes.largest)
                message += f"; `pipedoctor replay {self.capsule}` finds the origin"
            except (OSError, capsule.CapsuleError) as error:
                self._refused = True
                message += f"; no capsule could be written: {error}"
        if self._wishes.stop:
            self.close()
            raise Poisoned(message, self.capsule)
        for parameter in self._trained:
            parameter.grad = None
        sys.stderr.write(f"pipedoctor: {message}; this update is left out\n")


def skips_by_itself(optimizer: Any) -> bool:
    """Whether an optimizer leaves an update out that a flag on the device tells it to."""
    groups = getattr(optimizer, "param_groups", ())
    supported = getattr(optimizer, "_step_supports_amp_scaling", False)
    return bool(supported and groups and all(group.get("fused") for group in groups))


def sentence(step: Step, verdict: judge.Verdict) -> str:
    """Say what was found, with its figures."""
    told = f"step {step.number}: "
    if verdict.weights:
        return told + (
            f"{verdict.weights[0]} and {len(verdict.weights) - 1} other parameters hold NaN or "
            "Inf already, before this update"
            if len(verdict.weights) > 1
            else f"{verdict.weights[0]} holds NaN or Inf already, before this update"
        )
    bad = [n for n, loss in enumerate(verdict.losses, 1) if loss is not None and loss - loss != 0]
    if bad:
        which = "" if len(verdict.losses) == 1 else f" of micro-batch {bad[0]}"
        told += f"the loss{which} is {verdict.losses[bad[0] - 1]}"
    else:
        told += "the loss is finite, but gradients are not"
    if verdict.gradients:
        told += f"; {len(verdict.gradients)} of {verdict.parameters} gradients hold NaN or Inf"
    return told + "; the update was not made, the weights are those of the step before"
