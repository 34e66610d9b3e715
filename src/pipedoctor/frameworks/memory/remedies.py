"""What would bring how much: each change is gone through, or computed by a formula that is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.memory_plan import Remedy
from pipedoctor.frameworks.memory.hollow import hollow
from pipedoctor.frameworks.memory.optimizers import Stepped
from pipedoctor.frameworks.memory.scene import Change, Scene, Untraceable
from pipedoctor.frameworks.memory.step import LOGITS, Pass
from pipedoctor.probes.memory import laws
from pipedoctor.probes.memory.laws import Moment

RANK = 16
"""The rank of the LoRA adapters that are gone through: a usual one; the rank hardly matters."""

TRACED = "traced"

PIECES = 16
"""Logits that are made in so many pieces are there one piece at a time."""

WORTH = 0.02
"""Logits that are a smaller share of the peak are not worth a loss of their own."""

MOST_STORAGES = 8_000
"""A pass with more takes seconds: only those remedies are gone through that matter most."""

METHODS = (
    ("zero-1", "DeepSpeed ZeRO-1 on {} GPUs", "arXiv:1910.02054"),
    ("zero-2", "DeepSpeed ZeRO-2 on {} GPUs", "arXiv:1910.02054"),
    ("zero-3", "DeepSpeed ZeRO-3, or FSDP with full_shard, on {} GPUs", "arXiv:1910.02054"),
)


@dataclass(frozen=True)
class Base:
    """What the plan is without any change."""

    taken: Pass
    stepped: Stepped
    weights: int
    """Weights and buffers."""
    gradients: int
    total: int
    unit: int
    room: int | None
    processes: int


def kept(moment: Moment) -> float:
    """Return the bytes of any batch at a moment."""
    return moment.constant + moment.gradients


def peaks(taken: Pass, stepped: Stepped, resident: int) -> tuple[int, int]:
    """Return the peak of the passes, and that of the optimizer's step."""
    return taken.peak + stepped.states, resident + stepped.states + stepped.temporary


def law(
    taken: Pass,
    rows: int,
    stepped: Stepped,
    least: float,
    change: Callable[[Moment], float] = kept,
) -> laws.Law:
    """Return the law of the peak by rows, after a pass with so many."""
    states = stepped.states

    def changed(moment: Moment) -> float:
        return change(moment) + states

    return laws.law(taken.moments, rows, changed, least)


def all_of(scene: Scene, base: Base) -> list[Remedy]:
    """Return the remedies that bring something, the greatest gain first."""
    found = [remedy for remedy in _each(scene, base) if remedy.total < base.total]
    return sorted(found, key=lambda remedy: remedy.total)


def _each(scene: Scene, base: Base) -> Iterator[Remedy]:
    yield from _traced(scene, base)
    yield from _chunked(scene, base)
    yield from _fewer_rows(scene, base)
    yield from _optimizers(scene, base)
    yield from _shared(scene, base)


def _traced(scene: Scene, base: Base) -> Iterator[Remedy]:
    model, settings, gpu = scene.model, scene.settings, scene.way.gpu
    on = [n for n in ("gradient_checkpointing", "activation_checkpointing") if _is_on(settings, n)]
    enabled = getattr(model, "supports_gradient_checkpointing", False)
    running = any(getattr(m, "gradient_checkpointing", False) for m in model.modules())
    if enabled and not on and not running:
        yield from _one(
            scene,
            base,
            "gradient_checkpointing=True",
            "about a third more time: each layer is computed twice",
            _checkpointed,
        )
    config = getattr(model, "config", None)
    if getattr(config, "_attn_implementation", None) == "eager" and getattr(
        model, "_supports_sdpa", False
    ):
        yield from _one(
            scene, base, 'attn_implementation="sdpa"', "nothing; attention is fused", _fused
        )
    import torch

    first = next(model.parameters(), None)
    if gpu and scene.way.half is None and first is not None and first.dtype == torch.float32:
        yield from _one(
            scene,
            base,
            "bf16=True",
            "precision; faster, on a GPU of Ampere or later",
            None,
            half=torch.bfloat16,
        )
    if base.taken.storages > MOST_STORAGES:
        scene.notes.append(
            "the model is so deep that LoRA and shorter rows were not gone through; the law by "
            "rows and the formulas hold"
        )
        return
    adapted = None if hasattr(model, "peft_config") or config is None else _adapted(model)
    if adapted is not None:
        yield from _one(
            scene,
            base,
            f"LoRA, rank {RANK}, on all linear layers",
            "only adapters are trained; another learning rate",
            None,
            twin=adapted,
        )
    length = scene.frame.length
    if length is not None and length >= 128:
        yield from _one(
            scene,
            base,
            f"rows of at most {length // 2:,} tokens",
            "what is cut off is not learned",
            None,
            length=length // 2,
        )


def _one(  # noqa: PLR0913 - a change is one of many kinds
    scene: Scene,
    base: Base,
    change: str,
    cost: str,
    changed: Change | None,
    *,
    length: int | None = None,
    twin: Any = None,
    **way: Any,
) -> Iterator[Remedy]:
    try:
        taken = scene.run(scene.rows, length, changed, twin, **way)
        step = scene.step(twin=twin) if twin is not None else base.stepped
    except (Untraceable, Unavailable, ImportError):
        return  # this change can't be gone through here, so nothing is claimed of it
    resident = base.weights + base.gradients
    if twin is not None:
        resident = taken.parts.get("weights", 0) + taken.parts.get("buffers", 0)
        resident += step.gradients
    passes, least = peaks(taken, step, resident)
    by_rows = law(taken, scene.rows, step, least)
    yield _remedy(scene, base, change, cost, TRACED, max(passes, least), by_rows)


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
    yield _remedy(
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
    yield _remedy(scene, base, change, "nothing but a little time", "law of the batch", peak)


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
        yield _remedy(scene, base, f'optim="{name}"', cost, how, max(passes, least), by_rows)


def _shared(scene: Scene, base: Base) -> Iterator[Remedy]:
    """Yield what N processes bring that share states, gradients and weights, by formula."""
    if not scene.way.gpu:
        return
    number = base.processes
    stepped, whole = base.stepped, base.weights + base.gradients + base.stepped.states
    for method, words, source in METHODS:
        all_of_it = laws.Held(base.weights, base.gradients, stepped.states, base.unit)
        each = all_of_it.shared(method, number)
        if each >= whole:
            continue
        least = each + stepped.temporary // number

        def shared(moment: Moment, method: str = method) -> float:
            held = laws.Held(base.weights, moment.gradients, stepped.states, base.unit)
            besides = moment.constant - base.weights - stepped.states
            return besides + held.shared(method, number)

        by_rows = law(base.taken, scene.rows, stepped, least, shared)
        yield _remedy(
            scene,
            base,
            words.format(number),
            "GPUs, and time to exchange",
            f"formula, {source}",
            by_rows.at(scene.rows),
            by_rows,
        )


def _remedy(  # noqa: PLR0913, PLR0917 - what is told of a remedy, and the plan that it is for
    scene: Scene,
    base: Base,
    change: str,
    cost: str,
    how: str,
    peak: float,
    by_rows: laws.Law | None = None,
) -> Remedy:
    gpu = scene.way.gpu
    largest = None
    if by_rows is not None and base.room is not None:
        largest = by_rows.most(laws.usable(base.room, gpu=gpu))
    return Remedy(change, int(peak) + sum(laws.whole(peak, gpu=gpu)), how, cost, largest)


def _is_on(settings: Any, name: str) -> bool:
    return settings is not None and settings.get(name) is True


def _checkpointed(model: Any) -> Any:
    enable = getattr(model, "activation_checkpointing_enable", None)
    (enable or model.gradient_checkpointing_enable)()
    return model


def _fused(model: Any) -> Any:
    model.set_attn_implementation("sdpa")
    return model


def _adapted(model: Any) -> Any:
    """Return a copy without values that has adapters; None where PEFT can't put them in."""
    import warnings

    import torch

    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        return None
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        try:
            twin = hollow(model, "meta")
            return get_peft_model(twin, LoraConfig(r=RANK, target_modules="all-linear"))
        except (ValueError, RuntimeError, AttributeError, Unavailable):
            return None
