from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Machine


@check("ENV017", Severity.NOTE, stage=Stage.ENVIRONMENT)
def more_threads_than_processors(machine: Machine, *, times: float = 2.0) -> Iterator[Finding]:
    """
    There are fewer processors, or less of their time, than torch starts threads for.

    torch and NumPy start a thread for each processor that they may run on, or as many as
    `OMP_NUM_THREADS` says. A container's quota (`--cpus`, a limit of Kubernetes) is not told to
    them: 64 threads then share the time of 4 processors, and each waits until the others were
    stopped and started again. It is told from twice as many on.

    Fails:

        environment = {
            "machine": {"processors": 64, "allowed": 64, "quota": 4.0, "threads": None}
        }

    Fails:

        environment = {"machine": {"processors": 2, "allowed": 2, "quota": None, "threads": 64}}

    Passes:

        environment = {"machine": {"processors": 64, "allowed": 64, "quota": 4.0, "threads": 4}}

    See also: <https://docs.pytorch.org/docs/stable/notes/cpu_threading_torchscript_inference.html>.
    """
    quota = machine.quota
    if machine.threads is not None:
        yield from _stated(machine, times)
        return
    if quota is None or machine.allowed < times * quota:
        return
    threads = max(1, int(quota))
    yield Finding(
        message=f"libraries start {machine.allowed} threads, one for each processor, and the "
        f"container gets the time of {quota:g}",
        evidence={"allowed": machine.allowed, "quota": quota},
        remedy=f"export OMP_NUM_THREADS={threads}",
    )


def _stated(machine: Machine, times: float) -> Iterator[Finding]:
    there = min(machine.allowed, machine.quota or machine.allowed)
    if machine.threads is not None and machine.threads >= max(2, times * there):
        yield Finding(
            message=f"OMP_NUM_THREADS is {machine.threads}, and this process gets the time of "
            f"{there:g} processors",
            evidence={"threads": machine.threads, "allowed": machine.allowed},
            remedy=f"export OMP_NUM_THREADS={max(1, int(there))}",
        )
