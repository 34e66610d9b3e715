"""The recorder itself: tape, judge and capsule, whatever training they are tied to."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.recorder import capsule_writing, judge
from pipedoctor.recorder.surroundings import SMOOTHING, Surroundings, Whole, sound_norm
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

    `half`, `rows` and `loop` are those of `capsule_writing.Recorded`; `step` is the number of the present
    step.
    """

    def __init__(  # noqa: PLR0913 - each is known to one kind of training only
        self,
        model: Any,
        wishes: Wishes,
        *,
        half: str = "",
        rows: capsule_writing.Rows | None = None,
        step: int = 1,
        loop: bool = False,
    ) -> None:
        """Begin to record."""
        self.model = model
        self.capsule: str | None = None
        self._wishes = wishes
        self._half = half
        self._rows = rows
        self._loop = loop
        self._tape = Tape(model, length=1)
        self._tape.current.number = step
        self._trained = [p for p in model.parameters() if p.requires_grad]
        self._pending: Any = None
        self._flagged: Any = None
        self._refused = False

    def before_update(self, optimizer: Any, around: Surroundings | None = None) -> None:
        """
        Judge the gradients of the present step.

        Nothing is computed where the trainer has just found their norm to be a finite number.

        Raises:
            Poisoned: They would spoil the weights, and `stop` was not declined.

        """
        inner = getattr(optimizer, "optimizer", optimizer)
        scaled = is_scaled(optimizer, inner)
        if not self._wishes.wait and skips_by_itself(inner) and not scaled:
            self._settle()
            self._flag(inner)
            return
        if around is not None and sound_norm(around):
            return
        step = self._tape.current
        losses = [made.loss for made in step.passes]
        suspicion = judge.suspicion(self._trained, losses)
        if suspicion is None or bool(suspicion.isfinite()):
            return
        verdict = judge.confirm(self.model, _losses(step))
        if scaled and not verdict.weights:
            return  # the scaler leaves such an update out by itself, and lowers its scale
        if verdict.gradients or verdict.weights:
            self._trouble(step, verdict)
            for parameter in self._trained:  # with `stop`, this is not reached
                parameter.grad = None

    def after_update(self, number: int) -> None:
        """Go on to the step of that number."""
        self._release()
        self._tape.turn(number)

    def keep(self, wholes: tuple[Whole, ...]) -> None:
        """Keep the batches of the present step, as what computes the loss got them."""
        self._tape.current.wholes = wholes

    def _flag(self, optimizer: Any) -> None:
        """Have the device leave the update out if a gradient is not finite; wait for nothing."""
        suspicion = judge.suspicion(self._trained, ())
        if suspicion is not None:
            self._pending = ~suspicion.isfinite()
            optimizer.found_inf = self._pending.float().reshape(())
            optimizer.grad_scale = None
            self._flagged = optimizer

    def _release(self) -> None:
        """Take the flag off the optimizer: it would leave out every later update as well."""
        optimizer, self._flagged = self._flagged, None
        if optimizer is not None:
            del optimizer.found_inf, optimizer.grad_scale

    def finish(self) -> None:
        """Settle what is open, and take the hooks off."""
        try:
            self._settle()
        finally:
            self.close()

    def close(self) -> None:
        """Take the hooks off."""
        self._release()
        self._tape.stop()

    def _settle(self) -> None:
        """Read the flag of the step before, which the device has answered by now."""
        pending, self._pending = self._pending, None
        if pending is None or not bool(pending):
            return
        step = self._tape.steps[-1] if self._tape.steps else self._tape.current
        # Its gradients are gone by now; the weights are as they were.
        self._trouble(step, replace(judge.confirm(self.model, _losses(step)), gradients=()))

    def _trouble(self, step: Step, verdict: judge.Judgement) -> None:
        message = sentence(step, verdict)
        if self.capsule is None and not self._refused:
            try:
                recorded = capsule_writing.Recorded(
                    self.model, step, verdict, self._half, self._rows, self._loop
                )
                self.capsule = capsule_writing.write(
                    self._wishes.folder, recorded, self._wishes.largest
                )
                message += f"; {_command(self.capsule, recorded)}"
            except Exception as error:  # noqa: BLE001 - whatever it is, the training's own trouble comes first
                self._refused = True
                message += f"; no capsule could be written: {error}"
        if self._wishes.stop:
            self.close()
            raise Poisoned(message, self.capsule)
        sys.stderr.write(f"pipedoctor: {message}; this update is left out\n")


def _losses(step: Step) -> list[Any]:
    """Return the losses of a step: the model's, or those that were computed beside it."""
    if step.wholes:
        return [whole.loss for whole in step.wholes]
    return [made.loss for made in step.passes]


def _command(path: str, recorded: capsule_writing.Recorded) -> str:
    """Return the command that replays a capsule, with what the model and its loss are built by."""
    script = sys.argv[0] if sys.argv else ""
    script = script if script.endswith(".py") else ""
    beside = any(whole.own.kind != SMOOTHING for whole in recorded.step.wholes)
    known = type(recorded.model).__module__.startswith("transformers.") and not beside
    lost = recorded.loop and all(loss is None for loss in _losses(recorded.step))
    if known and not lost:
        return f"`pipedoctor replay {shlex.quote(path)}` finds the origin"
    if script and not recorded.loop:
        return f"`pipedoctor replay {shlex.join((path, script))}` finds the origin"
    target = f"{os.path.splitext(os.path.basename(script))[0] or 'MODULE'}:FUNCTION"
    returned = '{"model": model, "loss": function}' if lost else "the model"
    return (
        f"`pipedoctor replay {shlex.join((path, target))}` finds the origin; "
        f"FUNCTION is one of yours that builds and returns {returned}"
    )


def is_scaled(optimizer: Any, inner: Any) -> bool:
    """Whether a gradient scaler is at work, which looks for infinities by itself."""
    scaler = getattr(optimizer, "scaler", None)
    if scaler is not None and scaler.is_enabled():
        return True
    return any(getattr(inner, name, None) is not None for name in ("found_inf", "grad_scale"))


def skips_by_itself(optimizer: Any) -> bool:
    """Whether an optimizer leaves an update out that a flag on the device tells it to."""
    groups = getattr(optimizer, "param_groups", ())
    supported = getattr(optimizer, "_step_supports_amp_scaling", False)
    return bool(supported and groups and all(group.get("fused") for group in groups))


def sentence(step: Step, verdict: judge.Judgement) -> str:
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
        told += _unspoilt(verdict.losses)
    if verdict.gradients:
        told += f"; {len(verdict.gradients)} of {verdict.parameters} gradients hold NaN or Inf"
    return told + "; the update was not made, the weights are those of the step before"


def _unspoilt(losses: tuple[float | None, ...]) -> str:
    """Say what is known of losses of which none that was seen is NaN or infinite."""
    unseen = sum(loss is None for loss in losses)
    if not losses or unseen == len(losses):
        return (
            "gradients are not finite; the loss was not seen, since the model does not compute it"
        )
    if unseen:
        return (
            f"gradients are not finite; the loss was seen of {len(losses) - unseen} of "
            f"{len(losses)} micro-batches, and is finite there"
        )
    return "the loss is finite, but gradients are not"
