from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Machine, Settings


@check("ENV021", Severity.NOTE, stage=Stage.ENVIRONMENT)
def more_workers_than_processors(
    settings: Settings, machine: Machine, environment: Environment
) -> Iterator[Finding]:
    """
    The DataLoader is to start more worker processes than there are processors for them.

    They then wait for each other and for the training itself, and each holds its batches in
    memory. What counts is what this process may use: a job of Slurm is bound to some processors
    of the machine, and a container may get the time of few. Only a machine that trains is judged:
    one with a GPU, or a run that asks for the processor (`use_cpu`).

    Fails:

        settings = {"dataloader_num_workers": 16}
        environment = {
            "transformers": "5.23.0",
            "gpus": 1,
            "machine": {"processors": 64, "allowed": 64, "quota": 4.0},
        }

    Passes:

        settings = {"dataloader_num_workers": 16}
        environment = {
            "transformers": "5.23.0",
            "gpus": 1,
            "machine": {"processors": 64, "allowed": 64, "quota": None},
        }

    Passes:

        settings = {"dataloader_num_workers": 16}
        environment = {
            "transformers": "5.23.0",
            "gpus": 0,
            "machine": {"processors": 4, "allowed": 4, "quota": None},
        }

    See also: <https://docs.pytorch.org/docs/stable/data.html>.
    """
    workers = settings.get("dataloader_num_workers")
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 2:
        return
    if not environment.gpus and settings.get("use_cpu") is not True:
        return
    most: float = machine.allowed
    if machine.quota is not None:
        most = min(most, machine.quota)
    if workers <= ceil(most):
        return
    bound = "the container gets the time of" if most < machine.allowed else "this process may use"
    yield Finding(
        message=f"dataloader_num_workers is {workers}, and {bound} {most:g} processors of the "
        f"machine's {machine.processors}",
        where=settings.where("dataloader_num_workers"),
        evidence={"workers": workers, "allowed": machine.allowed, "quota": machine.quota},
        remedy=f"set {settings.entry('dataloader_num_workers', max(1, int(most) - 1))}",
    )
