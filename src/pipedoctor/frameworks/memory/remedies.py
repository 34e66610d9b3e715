"""What would bring how much: each change is gone through, or computed by a formula that is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor.fact import Unavailable
from pipedoctor.facts.memory_plan import Remedy
from pipedoctor.frameworks.memory.baseline import TRACED, Base, law, peaks, remedy
from pipedoctor.frameworks.memory.retraced import traced
from pipedoctor.frameworks.memory.scene import Scene
from pipedoctor.frameworks.memory.step import LOGITS
from pipedoctor.probes.memory import laws
from pipedoctor.probes.memory.laws import Moment

PIECES = 16
"""Logits that are made in so many pieces are there one piece at a time."""

GAIN = 0.01
"""What gains a smaller share of the whole is no remedy."""

WORTH = 0.02
"""Logits that are a smaller share of the peak are not worth a loss of their own."""

HALF = 2
"""The bytes of a weight in 16 bits."""

METHODS = (
    ("zero-1", "DeepSpeed ZeRO-1 on {} GPUs", "arXiv:1910.02054"),
    ("zero-2", "DeepSpeed ZeRO-2 on {} GPUs", "arXiv:1910.02054"),
    ("zero-3", "DeepSpeed ZeRO-3, or FSDP with full_shard, on {} GPUs", "arXiv:1910.02054"),
)


def all_of(scene: Scene, base: Base) -> list[Remedy]:
    """Return the remedies that bring something, the greatest gain first."""
    found = [one for one in _each(scene, base) if base.total - one.total >= GAIN * base.total]
    return sorted(found, key=lambda one: one.total)


def _each(scene: Scene, base: Base) -> Iterator[Remedy]:
    yield from traced(scene, base)
    yield from _chunked(scene, base)
    yield from _fewer_rows(scene, base)
    yield from _optimizers(scene, base)
    yield from _shared(scene, base)


def _chunked(scene: Scene, base: Base) -> Iterator[Remedy]:
    """
    Yield a loss that is computed a piece of the logits at a time, without ever keeping them.

    What is live at a moment besides logits is kept; of the logits one piece, and their gradient
    towards what goes into the head. TRL and Liger have such losses for models of language.
    """
    logits = base.taken.parts.get(LOGITS, 0)
    if not scene.way.vocabulary or logits < WORTH * base.taken.peak:
        return
    least = base.weights + base.gradients + base.stepped.states + base.stepped.temporary
    moments = [
        replace(moment, growing=moment.growing - moment.logits + moment.logits // PIECES)
        for moment in base.taken.moments
    ]
    by_rows = law(replace(base.taken, moments=moments), scene.rows, base.stepped, least)
    yield remedy(
        scene,
        base,
        "use_liger_kernel=True, whose loss makes the logits in pieces",
        "needs liger-kernel and a GPU that Triton knows",
        f"traced, with the logits in {PIECES} pieces",
        by_rows.at(scene.rows),
        by_rows,
    )


def _fewer_rows(scene: Scene, base: Base) -> Iterator[Remedy]:
    """Yield half the batch, and the rest by accumulation: the gradients stay between passes."""
    if scene.rows < 2:
        return
    rows = scene.rows // 2
    least = base.weights + base.gradients + base.stepped.states + base.stepped.temporary
    by_rows = law(
        base.taken, scene.rows, base.stepped, least, lambda m: m.constant + base.gradients
    )
    peak = by_rows.at(rows)
    change = f"per_device_train_batch_size={rows}, gradient_accumulation_steps twice as many"
    yield remedy(scene, base, change, "nothing but a little time", "law of the batch", peak)


def _optimizers(scene: Scene, base: Base) -> Iterator[Remedy]:
    told = {
        "adamw_torch_fused": "nothing: the same steps",
        "adafactor": "other steps: the learning rate must be found again",
        "adamw_bnb_8bit": "hardly anything; needs bitsandbytes",
        "sgd": "other steps, mostly far more of them",
    }
    for name, cost in told.items():
        if name == base.stepped.name:
            continue
        try:
            step = scene.step(name)
        except (Unavailable, ImportError):
            continue
        passes, least = peaks(base.taken, step, base.weights + base.gradients)
        how = "formula of bitsandbytes" if step.by_formula else TRACED
        by_rows = law(base.taken, scene.rows, step, least)
        yield remedy(scene, base, f'optim="{name}"', cost, how, max(passes, least), by_rows)


def _shared(scene: Scene, base: Base) -> Iterator[Remedy]:
    """Yield what N processes bring that share states, gradients and weights, by formula."""
    if not scene.way.gpu or scene.shared:
        return
    number = base.processes
    stepped, whole = base.stepped, base.weights + base.gradients + base.stepped.states
    trained = [p for p in scene.model.parameters() if p.requires_grad]
    halves = sum(p.numel() for p in trained if p.element_size() == HALF)
    states = laws.states_in_float32(stepped.states, sum(p.numel() for p in trained), halves)
    kept = "; weights and moments of the optimizer in float32" if halves else ""
    for method, words, source in METHODS:
        all_of_it = laws.Held(base.weights, base.gradients, states, base.unit)
        each = all_of_it.shared(method, number)
        if each >= whole:
            continue
        least = each + stepped.temporary // number

        def shared(moment: Moment, method: str = method) -> float:
            held = laws.Held(base.weights, moment.gradients, states, base.unit)
            besides = moment.constant - base.weights - stepped.states
            return besides + held.shared(method, number)

        by_rows = law(base.taken, scene.rows, stepped, least, shared)
        yield remedy(
            scene,
            base,
            words.format(number),
            "GPUs, and time to exchange",
            f"formula, {source}{kept}",
            by_rows.at(scene.rows),
            by_rows,
        )
