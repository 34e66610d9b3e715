"""Changes that are gone through as the plan itself was: the step is traced anew with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.memory_plan import Remedy
from pipedoctor.frameworks.memory.baseline import TRACED, Base, law, peaks, remedy
from pipedoctor.frameworks.memory.hollow import hollow
from pipedoctor.frameworks.memory.scene import Change, Scene, Untraceable
from pipedoctor.probes.memory import gpus
from pipedoctor.units import gib

RANK = 16
"""The rank of the LoRA adapters that are gone through: a usual one; the rank hardly matters."""

ADAPTERS_COPY = (
    ", as PEFT keeps its adapters in float32, and a copy of what goes into each, "
    "which gradient_checkpointing=True would not keep"
)

MOST_STORAGES = 8_000
"""A pass with more takes seconds: only those remedies are gone through that matter most."""


def traced(scene: Scene, base: Base) -> Iterator[Remedy]:
    """Yield what the changes bring that can be gone through here."""
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
        old = base.gpu in gpus.WITHOUT_BF16
        yield from _one(
            scene,
            base,
            "fp16=True" if old else "bf16=True",
            "precision; faster" if old else "precision; faster, on a GPU of Ampere or later",
            None,
            half=torch.float16 if old else torch.bfloat16,
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
        cut, lost = scene.cut or (length // 2, "")
        yield from _one(
            scene,
            base,
            f"rows of at most {cut:,} tokens",
            f"what is cut off is not learned{lost}",
            None,
            length=cut,
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
    found = remedy(scene, base, change, cost, TRACED, max(passes, least), by_rows)
    if found.total >= base.total:
        scene.notes.append(
            f"gone through as well, without gain: {change} takes {gib(found.total)}"
            + (ADAPTERS_COPY if twin is not None else "")
        )
    yield found


def _is_on(settings: Any, name: str) -> bool:
    return settings is not None and settings.get(name) is True


def _checkpointed(model: Any) -> Any:
    config = getattr(model, "config", None)
    if config is not None and getattr(config, "use_cache", False):
        config.use_cache = False  # as checkpointing has it, which would say so
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
