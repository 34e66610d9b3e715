"""How a Trainer spreads its run over processes."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, unknown
from pipedoctor.facts.distribution import Distribution
from pipedoctor.facts.replicas import Replicas
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.distribution import processes, whole_model

SHARING = frozenset({"FSDP", "DEEPSPEED", "MEGATRON_LM"})
"""What gives each process a part of the model."""


@probe(Distribution, Cost.STATIC, "trainer")
def distribution(pipeline: Pipeline, _split: Split) -> Distribution:
    """Ask the accelerator that the trainer has made of its arguments."""
    trainer: Any = pipeline.part("trainer")
    accelerator = getattr(trainer, "accelerator", None)
    kind = str(getattr(getattr(accelerator, "distributed_type", None), "value", "")).upper()
    handler = getattr(accelerator, "ddp_handler", None)
    return Distribution(
        processes=processes(pipeline),
        wrapped=False if kind in SHARING else whole_model(pipeline),
        finds_unused=getattr(
            handler,
            "find_unused_parameters",
            unknown("the trainer's accelerator states no find_unused_parameters"),
        ),
    )


@probe(Replicas, Cost.STATIC, "trainer")
def replicas(pipeline: Pipeline, _split: Split) -> Replicas:
    """
    Say to how many GPUs the Trainer would copy its model with `DataParallel`.

    It does where its arguments see several and no launcher made this process one of several,
    unless parts of the model lie on GPUs of their own.
    """
    trainer = pipeline.part("trainer")
    arguments = getattr(trainer, "args", None)
    mode = str(getattr(getattr(arguments, "parallel_mode", None), "value", ""))
    number = getattr(arguments, "n_gpu", 1)
    split = getattr(trainer, "is_model_parallel", False)
    spread = mode == "not_distributed" and not split and isinstance(number, int)
    # A script that is examined runs without the launcher that it may be meant for.
    launched = pipeline.parts.get("launch", {}).get("processes", 1) > 1
    sure = "run" not in pipeline.parts or launched
    return Replicas(max(1, number) if spread and not launched else 1, sure=sure)
