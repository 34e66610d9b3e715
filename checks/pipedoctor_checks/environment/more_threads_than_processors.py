from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Machine


@check("ENV017", Severity.NOTE, stage=Stage.ENVIRONMENT)
def more_threads_than_processors(machine: Machine, *, times: float = 2.0) -> Iterator[Finding]:
    """
    The container gets the time of fewer processors than torch starts threads for.

    torch and NumPy start a thread for each processor that they may run on. A container's quota
    (`--cpus`, a limit of Kubernetes) is not told to them: 64 threads then share the time of 4
    processors, and each waits until the others were stopped and started again. It is told from
    twice as many on.

    Fails:

        environment = {
            "machine": {"processors": 64, "allowed": 64, "quota": 4.0, "threads": None}
        }

    Passes:

        environment = {"machine": {"processors": 64, "allowed": 64, "quota": 4.0, "threads": 4}}

    See also: <https://docs.pytorch.org/docs/stable/notes/cpu_threading_torchscript_inference.html>.
    """
    quota = machine.quota
    if quota is None or machine.threads is not None or machine.allowed < times * quota:
        return
    threads = max(1, int(quota))
    yield Finding(
        message=f"libraries start {machine.allowed} threads, one for each processor, and the "
        f"container gets the time of {quota:g}",
        evidence={"allowed": machine.allowed, "quota": quota},
        remedy=f"export OMP_NUM_THREADS={threads}",
    )
