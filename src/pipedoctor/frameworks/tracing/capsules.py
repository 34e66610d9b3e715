"""The fact `Trace` of a step that a flight recorder kept: run again, its operations looked at."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from math import isfinite
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.trace import DATA, WEIGHTS, Trace
from pipedoctor.frameworks.restoring.restore import random_states, training
from pipedoctor.frameworks.tracing import around, losses
from pipedoctor.frameworks.tracing.given_loss import beside, named
from pipedoctor.frameworks.tracing.replay import Found, State, Step, batch_size, clear, replay
from pipedoctor.frameworks.tracing.showing import shown
from pipedoctor.frameworks.tracing.values import kind
from pipedoctor.frameworks.training.own_loss import training_loss
from pipedoctor.pipeline import Pipeline
from pipedoctor.recorder import capsule, rerun, states
from pipedoctor.recorder.capsule import Capsule, CapsuleError, Replayable
from pipedoctor.recorder.tape import loss_of


def measure(pipeline: Pipeline, model: Any, path: str) -> Trace:
    """
    Run the passes of a capsule until one is not finite, and look at the operations of that one.

    The model is the one of the target, and gets the weights of the capsule: this is for a process
    that is thrown away.
    """
    try:
        kept = capsule.read(path)
        with random_states(), training(model):
            rerun.prepare(kept, model)
            return _Replay(pipeline, model, kept).trace()
    except CapsuleError as error:
        raise Unavailable(str(error)) from None


def _rows(made: Replayable) -> str:
    return f"; the batch was of the rows {list(made.rows)}" if made.rows else ""


class _Replay:
    """One replay: the passes of a step, one after the other."""

    def __init__(self, pipeline: Pipeline, model: Any, kept: Capsule) -> None:
        self._pipeline = pipeline
        self._model = model
        self._kept = kept
        self._trainer = pipeline.parts.get("trainer")
        self._losses: list[float] = []
        self._bad = False
        """Whether the loss of a pass was not finite; then single rows of it are run."""

    def trace(self) -> Trace:
        kept = self._kept
        for number, recorded in enumerate(kept.passes):
            made = named(self._model, recorded)
            states.put_back(made.random)
            state = State.of(self._model)
            step = self._step(made)
            clear(self._model)
            if self._is_bad(step, made):
                return self._told(number, made, replay(step, made.keywords, state))
            beyond = around.norm_beyond_float32(
                [p.grad for p in step.trained if p.grad is not None]
            )
            if beyond is not None:
                return self._told(number, made, Found(beyond, ()))
        return Trace(
            batches=len(kept.passes),
            steps=1,
            step=kept.step,
            loss=sum(self._losses) / max(1, len(self._losses)),
            notes=self._notes(),
        )

    def _step(self, made: Replayable) -> Step:
        """Return how the loss of a pass is computed: by the model, as when it was recorded."""
        words = made.words
        if made.own is not None:
            # accelerate puts only the model under autocast, not the loss beside it.
            own = losses.of(made, self._trainer)
            return Step(self._model, own, nullcontext)

        def compute(model: Any, inputs: Mapping[str, Any]) -> Any:
            if made.loss is None and self._trainer is not None:
                if not any("label" in name for name in inputs):
                    raise CapsuleError(
                        "the loss was computed outside of the model (label smoothing, or a loss "
                        "of its own), from labels that the recorder did not see; `pipedoctor "
                        f"nan-trace` finds it{_rows(made)}"
                    )
                return training_loss(self._trainer)(model, inputs)
            answer = model(*words, **inputs)
            loss = loss_of(answer)
            if loss is None:
                given = self._pipeline.parts.get("loss")
                return beside(answer, inputs, given, stands=self._bad)
            return loss.mean()

        def half() -> Any:
            return rerun.half_precision(made.half, self._model)

        return Step(self._model, compute, half)

    def _is_bad(self, step: Step, made: Replayable) -> bool:
        """Run a pass, and say whether its loss or a gradient is not finite."""
        import torch

        with torch.enable_grad():
            loss = step.loss(made.keywords)
            self._losses.append(float(loss.detach().float()))
            if not isfinite(self._losses[-1]):
                self._bad = True
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
            with_data = root.when != WEIGHTS or root is found.origin
            places = found.rows if with_data else ()
            rows = tuple(made.rows[place] for place in places)
            shows = tuple(
                shown(self._pipeline, made.keywords, made.rows, place) for place in places[:3]
            )
        origin = None if found is None else found.origin
        if origin is not None and origin.when == DATA and "train_data" in self._pipeline.parts:
            origin = around.of_collator(self._pipeline, origin, rows)
        return Trace(
            batches=number + 1,
            loss=self._losses[-1],
            batch=number,
            step=self._kept.step,
            batch_rows=size,
            reproduced=found is not None,
            origin=origin,
            causes=() if found is None else found.causes,
            places=() if found is None else found.rows,
            rows=rows,
            shows=shows,
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        """Return what is to be known of how far this is the recorded step."""
        notes = []
        passes = self._kept.passes[: len(self._losses)]
        known = [
            (made, loss)
            for made, loss in zip(passes, self._losses, strict=True)
            if made.loss is not None
        ]
        if known and all(losses.same(made, loss) for made, loss in known):
            every = len(known) == len(passes)
            which = "each loss" if every else "the loss of the last batch"
            notes.append(f"{which} is bit for bit the recorded one")
        elif known:
            was, now = next(
                (made.loss, loss) for made, loss in known if not losses.same(made, loss)
            )
            which = "the loss" if len(passes) == 1 else "a loss"
            notes.append(f"{which} is {now:.6g} in this replay, and was {was:.6g} when recorded")
        elif passes:
            notes.append("the loss of this batch was not recorded, so it can't be compared")
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
