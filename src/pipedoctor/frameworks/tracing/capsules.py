"""The fact `Trace` of a step that a flight recorder kept: run again, its operations looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.trace import WEIGHTS, Trace
from pipedoctor.frameworks.restoring.restore import random_states, training
from pipedoctor.frameworks.tracing.replay import Found, State, Step, batch_size, clear, replay
from pipedoctor.frameworks.tracing.values import kind
from pipedoctor.frameworks.training.own_loss import training_loss
from pipedoctor.pipeline import Pipeline
from pipedoctor.recorder import capsule, rerun, states
from pipedoctor.recorder.capsule import Capsule, CapsuleError, Replayable

Show = Callable[[Mapping[str, Any], tuple[int, ...], int], str]


def measure(pipeline: Pipeline, model: Any, path: str, show: Show) -> Trace:
    """
    Run the passes of a capsule until one is not finite, and look at the operations of that one.

    The model is the one of the target, with the weights of the capsule; it is put back after.
    `show` tells what a row of a batch holds.
    """
    try:
        kept = capsule.read(path)
        with random_states(), training(model):
            rerun.prepare(kept, model)
            return _Replay(pipeline, model, kept, show).trace()
    except CapsuleError as error:
        raise Unavailable(str(error)) from None


class _Replay:
    """One replay: the passes of a step, one after the other."""

    def __init__(self, pipeline: Pipeline, model: Any, kept: Capsule, show: Show) -> None:
        self._model = model
        self._kept = kept
        self._show = show
        self._trainer = pipeline.parts.get("trainer")
        self._losses: list[float] = []

    def trace(self) -> Trace:
        kept = self._kept
        for number, made in enumerate(kept.passes):
            states.put_back(made.random)
            state = State.of(self._model)
            step = self._step(made)
            clear(self._model)
            if self._is_bad(step, made):
                return self._told(number, made, replay(step, made.keywords, state))
        return Trace(
            batches=len(kept.passes),
            steps=1,
            step=kept.step,
            loss=sum(self._losses) / max(1, len(self._losses)),
            notes=self._notes(),
        )

    def _step(self, made: Replayable) -> Step:
        """Return how the loss of a pass is computed: by the model, as when it was recorded."""

        def compute(model: Any, inputs: Mapping[str, Any]) -> Any:
            if made.loss is None and self._trainer is not None:
                return training_loss(self._trainer)(model, inputs)
            loss = rerun.loss_of(model(*made.words, **inputs))
            if loss is None:
                raise CapsuleError(
                    "the model computes no loss by itself; name the script or the function that "
                    "does as the target"
                )
            return loss.mean()

        def half() -> Any:
            return rerun.half_precision(self._kept, self._model)

        return Step(self._model, compute, half)

    def _is_bad(self, step: Step, made: Replayable) -> bool:
        """Run a pass, and say whether its loss or a gradient is not finite."""
        import torch

        with torch.enable_grad():
            loss = step.loss(made.keywords)
            self._losses.append(float(loss.detach().float()))
            if not isfinite(self._losses[-1]):
                return True
            if loss.requires_grad:
                loss.backward()
        return any(kind(p.grad) for p in step.trained if p.grad is not None)

    def _told(self, number: int, made: Replayable, found: Found | None) -> Trace:
        size = batch_size(made.keywords)
        rows: tuple[int, ...] = ()
        shows: tuple[str, ...] = ()
        if found is not None and made.rows is not None and len(made.rows) == size:
            root = (found.causes[:1] or (found.origin,))[0]
            places = () if root.when == WEIGHTS else found.rows
            rows = tuple(made.rows[place] for place in places)
            shows = tuple(self._show(made.keywords, made.rows, place) for place in places[:3])
        return Trace(
            batches=number + 1,
            loss=self._losses[-1],
            batch=number,
            step=self._kept.step,
            batch_rows=size,
            reproduced=found is not None,
            origin=None if found is None else found.origin,
            causes=() if found is None else found.causes,
            places=() if found is None else found.rows,
            rows=rows,
            shows=shows,
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        """Return what is to be known of how far this is the recorded step."""
        notes = []
        recorded = [made.loss for made in self._kept.passes[: len(self._losses)]]
        if None not in recorded:
            pairs = list(zip(recorded, self._losses, strict=True))
            same = all(repr(one) == repr(other) for one, other in pairs)
            notes.append(
                "each loss is bit for bit the recorded one"
                if same
                else f"the losses are {self._losses}, and {recorded} were recorded"
            )
        if any(made.mutated for made in self._kept.passes):
            notes.append(
                "the batch was written to after the model got it, before it was kept: what is "
                "replayed may differ"
            )
        notes.extend(self._other_versions())
        return tuple(notes)

    def _other_versions(self) -> list[str]:
        from pipedoctor.probes import installed

        here = installed.versions(tuple(self._kept.versions))
        return [
            f"recorded with {name} {version}, replayed with {here[name]}"
            for name, version in self._kept.versions.items()
            if name != "pipedoctor"
            and name in here
            and here[name].partition("+")[0] != version.partition("+")[0]
        ]
