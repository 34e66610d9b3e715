"""How a Trainer spreads its run over processes."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import unknown
from pipedoctor.facts.distribution import Distribution


def describe(trainer: Any, processes: int) -> Distribution:
    """Ask the accelerator that the trainer has made of its arguments."""
    accelerator = getattr(trainer, "accelerator", None)
    kind = str(getattr(getattr(accelerator, "distributed_type", None), "value", "")).upper()
    handler = getattr(accelerator, "ddp_handler", None)
    return Distribution(
        processes=processes,
        wrapped=kind not in {"FSDP", "DEEPSPEED", "MEGATRON_LM"},
        finds_unused=getattr(
            handler,
            "find_unused_parameters",
            unknown("the trainer's accelerator states no find_unused_parameters"),
        ),
    )
