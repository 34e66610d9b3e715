"""How a Trainer spreads its run over processes."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, unknown
from pipedoctor.facts.distribution import Distribution
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.distribution import processes


@probe(Distribution, Cost.STATIC, "trainer")
def distribution(pipeline: Pipeline, _split: Split) -> Distribution:
    """Ask the accelerator that the trainer has made of its arguments."""
    trainer: Any = pipeline.part("trainer")
    accelerator = getattr(trainer, "accelerator", None)
    kind = str(getattr(getattr(accelerator, "distributed_type", None), "value", "")).upper()
    handler = getattr(accelerator, "ddp_handler", None)
    return Distribution(
        processes=processes(pipeline),
        wrapped=kind not in {"FSDP", "DEEPSPEED", "MEGATRON_LM"},
        finds_unused=getattr(
            handler,
            "find_unused_parameters",
            unknown("the trainer's accelerator states no find_unused_parameters"),
        ),
    )
