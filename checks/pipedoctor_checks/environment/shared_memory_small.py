from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Machine, Settings
from pipedoctor.finding import Location
from pipedoctor.units import size

RAISE = "start the container with --shm-size=8g or --ipc=host, or set dataloader_num_workers=0"


@check(
    "ENV020",
    Severity.NOTE,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"DataLoader worker .* is killed by signal: Bus error": RAISE,
        r"insufficient shared memory \(shm\)": RAISE,
    },
)
def shared_memory_small(
    machine: Machine, settings: Settings | None, *, least: int = 1 << 26
) -> Iterator[Finding]:
    """
    `/dev/shm` has no more than what Docker gives a container by default, 64 MiB.

    The workers of a DataLoader hand their batches over in shared memory: two for each worker, by
    default. Batches of tokens fit; 32 images of 224 x 224 pixels are 19 MB, so that with two
    workers a training ends in "Bus error". Without workers nothing is put there,
    and a run without any is not told.

    Fails:

        environment = {
            "machine": {"shared": {"path": "/dev/shm", "free": 67_108_864, "total": 67_108_864}}
        }

    Passes:

        environment = {
            "machine": {
                "shared": {"path": "/dev/shm", "free": 25_000_000_000, "total": 25_000_000_000}
            }
        }

    See also: <https://docs.pytorch.org/docs/stable/multiprocessing.html#sharing-strategies>.
    """
    if machine.shared.total > least:
        return
    if settings is not None and not settings.get("dataloader_num_workers"):
        return
    yield Finding(
        message=f"{machine.shared.path} has {size(machine.shared.total)}, "
        f"{size(machine.shared.free)} of it free; the batches of DataLoader workers go through it",
        where=Location(file=machine.shared.path),
        evidence={"total": machine.shared.total, "free": machine.shared.free},
        remedy=RAISE,
    )
