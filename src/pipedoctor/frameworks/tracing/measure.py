"""The fact `Trace`: which batches are gone through, and what is told of the one that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pipedoctor.clock import Clock
from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts.gradients import Gradients
from pipedoctor.facts.settings import Settings
from pipedoctor.facts.trace import DATA, WEIGHTS, Birth, Trace
from pipedoctor.frameworks.data.feeding import take_pad_token
from pipedoctor.frameworks.restoring.restore import random_states, training
from pipedoctor.frameworks.restoring.stepping import steps_undone
from pipedoctor.frameworks.tracing import around, capsules
from pipedoctor.frameworks.tracing.hunt import Hunt, Result, Update
from pipedoctor.frameworks.tracing.replay import Step, batch_size
from pipedoctor.frameworks.tracing.showing import shown
from pipedoctor.frameworks.tracing.supply import OnDevice, Supply
from pipedoctor.frameworks.training import backward, checkpointing
from pipedoctor.frameworks.training.memory import within_memory
from pipedoctor.frameworks.training.optimizers import Built
from pipedoctor.frameworks.training.own_loss import training_loss
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.recorder.rerun import half_precision

RATE = 5e-5
"""Trainer's learning rate where nobody states one."""

PRECISIONS = {"float32": "", "bfloat16": "bf16", "float16": "fp16"}


def measure(pipeline: Pipeline, model: Any, on_device: OnDevice) -> Trace:
    """
    Look for values that are not finite, as far as was asked for; leave no trace of it.

    Where nothing was asked for, the backward pass that other checks need has told already
    whether there is anything to look for.
    """
    backward.whole(model)
    wishes: Mapping[str, Any] = pipeline.parts.get("trace") or {}
    if not wishes:
        gradients = pipeline.fact(Gradients)
        if _finite(gradients):
            return Trace(batches=gradients.passes, loss=gradients.loss)
    _alone()
    if wishes.get("capsule") is not None:
        return capsules.measure(pipeline, model, str(wishes["capsule"]))
    trace = _Search(pipeline, model, on_device, wishes).trace()
    if wishes or not trace.finite:
        return trace
    note = "a first backward pass was not finite; the same batch was, when it was run again"
    return replace(trace, batch=0, reproduced=False, notes=(*trace.notes, note))


def _alone() -> None:
    """Raise `Unavailable` where a backward pass would wait for other processes."""
    import torch

    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    if together and torch.distributed.get_world_size() > 1:
        raise Unavailable("a replayed backward pass would wait for the other processes")


def _finite(gradients: Gradients) -> bool:
    values = [gradients.loss, *(g.norm for g in gradients.of.values() if g.norm is not None)]
    return all(abs(value) < float("inf") for value in values)


class _Search:
    """One search: the batches, the step that is run with each, and the notes about it."""

    def __init__(
        self, pipeline: Pipeline, model: Any, on_device: OnDevice, wishes: Mapping[str, Any]
    ) -> None:
        self._pipeline = pipeline
        self._model = model
        self._on_device = on_device
        self._wishes = wishes
        self._settings = pipeline.optional(Settings)
        self._supply = Supply(pipeline, model, on_device, wishes)
        self._notes = self._supply.notes
        self._clock = Clock.of(pipeline.parts.get("run"))

    def trace(self) -> Trace:
        """Go through the batches, and tell what came of it."""
        pipeline, model = self._pipeline, self._model
        trainer = pipeline.parts.get("trainer")
        half = backward.autocast(trainer, self._settings, model)
        compute = self._loss if trainer is None else training_loss(trainer)
        steps = int(self._wishes.get("steps") or 0)
        every = list(model.parameters())
        with (
            random_states(),
            training(model),
            backward.without_hooks(every),  # an optimizer may step in one
            within_memory(model),
        ):
            if "transformers" in pipeline.parts.packages("model"):
                take_pad_token(pipeline, model)
            checkpointing.enable(model, self._settings)
            step = Step(model, compute, half, self._scale(half))
            hunt = Hunt(step, self._clock.soft)
            if steps:
                update = self._update()
                with steps_undone(model, update.optimizer):
                    result = hunt.steps(self._supply.given(epochs=True), update, steps)
            else:
                result = hunt.batches(self._supply.given(epochs=False))
            told = self._told(result)
            return told if told.finite else self._in_other_precisions(told, step, result)

    def _in_other_precisions(self, told: Trace, step: Step, result: Result) -> Trace:
        """Say whether the batch that is not finite in mixed precision is in others."""
        used = _precision(step)
        if not used or result.batch is None:
            return told
        finite = {}
        for name, short in PRECISIONS.items():
            if name == used:
                continue
            other = Step(step.model, step.compute, partial(half_precision, short, step.model))
            scaled = replace(other, scale=backward.SCALE) if short == "fp16" else other
            finite[name] = not Hunt(scaled).batches([result.batch]).failed
        return replace(told, precision=used, precisions=finite)

    def _scale(self, half: Callable[[], Any]) -> float:
        device = next((p.device.type for p in self._model.parameters()), "cpu")
        with half():
            return backward.SCALE if backward.in_float16(device) else 1.0

    def _loss(self, model: Any, inputs: Any) -> Any:
        """Return the model's own loss; of a model without one, the mean of what it answers."""
        from pipedoctor.frameworks.torch import outputs_of

        answer = model(**inputs)
        outputs = outputs_of(answer)
        if outputs.get("loss") is not None:
            return outputs["loss"].mean()
        real = [v for v in outputs.values() if hasattr(v, "dtype") and v.is_floating_point()]
        if not real:
            raise Unavailable("the model returned no loss, and no numbers to stand for one")
        note = "the model returned no loss; the mean of what it answers stands for it"
        if note not in self._notes:
            self._notes.append(note)
        return sum(value.float().mean() for value in real)

    def _update(self) -> Update:
        import torch

        stated = self._settings.get("gradient_accumulation_steps") if self._settings else 1
        clip = self._settings.get("max_grad_norm") if self._settings else None
        try:
            optimizer = self._pipeline.fact(Built).optimizer
        except (Unavailable, ProbeFailed):
            rate = self._settings.get("learning_rate") if self._settings else None
            rate = rate if isinstance(rate, float) else RATE
            trained = [p for p in self._model.parameters() if p.requires_grad]
            optimizer = torch.optim.AdamW(trained, lr=rate)
            self._notes.append(f"the steps are those of AdamW with a learning rate of {rate:g}")
        self._notes.append("the learning rate is the optimizer's own at each step, unscheduled")
        return Update(
            getattr(optimizer, "optimizer", optimizer),
            stated if isinstance(stated, int) and stated > 0 else 1,
            float(clip) if isinstance(clip, (int, float)) else None,
        )

    def _told(self, result: Result) -> Trace:
        if result.stopped:
            self._notes.append(self._clock.told())
        trace = Trace(
            batches=result.batches,
            steps=result.steps,
            tokens=result.tokens,
            loss=UNKNOWN if result.loss is None else result.loss,
            complete=self._supply.complete and not result.stopped,
            there=self._supply.there,
            notes=tuple(self._notes),
        )
        if not result.failed or result.batch is None:
            return trace
        diverged = None if result.step is None else around.diverged(result.losses)
        trace = replace(
            trace,
            batch=result.batches - 1,
            step=result.step,
            batch_rows=batch_size(result.batch.inputs),
            complete=False,
            reproduced=result.found is not None,
        )
        if result.found is None:
            if diverged is not None:
                trace = replace(trace, notes=(*trace.notes, diverged))
            note = f"it did not come up again when the batch was replayed: {self._why_not_again()}"
            return replace(trace, notes=(*self._notes, note))
        if diverged is not None:
            result.found, noted = around.of_divergence(result.found, diverged)
            trace = replace(trace, notes=(*trace.notes, *noted))
        found, given = result.found, result.batch
        rows: tuple[int, ...] = ()
        root_of = found.causes[:1] or (found.origin,)
        with_data = root_of[0].when != WEIGHTS or root_of[0] is found.origin
        if len(given.rows) == trace.batch_rows and with_data:
            rows = tuple(given.rows[place] for place in found.rows)
        return replace(
            trace,
            origin=self._data_or_collator(found.origin, rows),
            causes=tuple(self._data_or_collator(cause, rows) for cause in found.causes),
            places=found.rows,
            rows=rows,
            shows=tuple(shown(self._pipeline, given.inputs, given.rows, n) for n in found.rows[:3])
            if rows
            else (),
        )

    def _data_or_collator(self, birth: Birth, rows: tuple[int, ...]) -> Birth:
        if birth.when != DATA or self._wishes.get("data") is not None:
            return birth
        return around.of_collator(self._pipeline, birth, rows)

    def _why_not_again(self) -> str:
        modules = list(self._model.modules())
        if any(hasattr(module, "_orig_mod") or _compiled(module) for module in modules):
            return (
                "it is replayed as the code is written, and torch.compile makes other operations "
                "of it, in which alone the value is born"
            )
        return "the model does not compute the same each time"


def _precision(step: Step) -> str:
    """Return the type of mixed precision that a step is run in; empty if it is in none."""
    import torch

    device = next((p.device.type for p in step.model.parameters()), "cpu")
    with step.half():
        if not torch.is_autocast_enabled(device):
            return ""
        return str(torch.get_autocast_dtype(device)).removeprefix("torch.")


def _compiled(module: Any) -> bool:
    """Whether torch.compile has taken over the calls of a module."""
    return getattr(module, "_compiled_call_impl", None) is not None
