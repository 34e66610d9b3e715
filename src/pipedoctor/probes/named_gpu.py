"""The GPU that is named on the command line, as the table of GPUs has it."""

from __future__ import annotations

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.named_gpu import NamedGpu
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(NamedGpu, Cost.STATIC, "memory")
def named_gpu(pipeline: Pipeline, _split: Split) -> NamedGpu:
    """Look the name up."""
    from pipedoctor.probes.memory import gpus

    wishes = pipeline.part("memory")
    if not wishes.get("gpu"):
        raise Unavailable("no GPU is named, as by --gpu T4")
    name, room = gpus.memory(str(wishes["gpu"]))
    return NamedGpu(name, room, name not in gpus.WITHOUT_BF16)
