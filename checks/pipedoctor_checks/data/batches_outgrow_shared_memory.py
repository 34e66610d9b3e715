from __future__ import annotations

import math
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Batch, Environment, Settings
from pipedoctor.units import count, plural, size

PREFETCH = 2
"""So many batches each worker has ready, unless `dataloader_prefetch_factor` says otherwise."""

BITS = {"bool": 8, "int": 64, "float": 32, "double": 64, "half": 16}


@check(
    "DAT015",
    Severity.ERROR,
    stage=Stage.BATCH,
    symptoms={
        r"DataLoader worker \(pid.*\) (is killed by signal|exited unexpectedly)": (
            "give the container more shared memory (docker run --shm-size=8g), or set "
            "dataloader_num_workers=0"
        ),
        r"insufficient shared memory \(shm\)": (
            "give the container more shared memory: docker run --shm-size=8g"
        ),
    },
)
def batches_outgrow_shared_memory(
    batch: Train[Batch], settings: Settings, machine: Environment
) -> Iterator[Finding]:
    """
    The workers of the data loader have more batches ready than shared memory has room for.

    A worker hands its batches over through /dev/shm, and makes two of them in advance, or as many
    as `dataloader_prefetch_factor` says. A container has 64 MB of it unless it is started with
    more; a worker that finds no room is killed by "signal: Bus error". How large a batch is, is
    measured on the first one.

    Fails:

        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(65536, 1)

            def forward(self, x, labels=None):
                return {"loss": (self.layer(x)[:, 0] - labels).square().mean()}

        model = Net()
        train_data = [{"x": [0.1] * 65536, "labels": 0.5} for n in range(16)]
        settings = {"per_device_train_batch_size": 8, "dataloader_num_workers": 16}
        environment = {"shared_memory": 67_108_864}

    Passes:

        from torch import nn

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(65536, 1)

            def forward(self, x, labels=None):
                return {"loss": (self.layer(x)[:, 0] - labels).square().mean()}

        model = Net()
        train_data = [{"x": [0.1] * 65536, "labels": 0.5} for n in range(16)]
        settings = {"per_device_train_batch_size": 8, "dataloader_num_workers": 8}
        environment = {"shared_memory": 67_108_864}

    See also: <https://github.com/pytorch/pytorch/issues/1355>.
    """
    workers = settings.get("dataloader_num_workers")
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        return
    factor = settings.get("dataloader_prefetch_factor")
    ahead = factor if isinstance(factor, int) and factor > 0 else PREFETCH
    held = sum(math.prod(one.shape) * _bytes(one.dtype) for one in batch.arrays.values())
    wanted = held * workers * ahead
    room = machine.shared_memory
    if wanted <= room:
        return
    fitting = room // (held * ahead)
    yield Finding(
        message=f"{plural(workers, 'worker')} have up to {count(workers * ahead)} batches of "
        f"{size(held)} ready, {size(wanted)} in all, and /dev/shm has {size(room)}",
        where=settings.where("dataloader_num_workers"),
        evidence={"workers": workers, "ahead": ahead, "batch": held, "shared_memory": room},
        remedy=f"docker run --shm-size={max(1, math.ceil(2 * wanted / 2**30))}g, if this is a "
        f"container; or {settings.entry('dataloader_num_workers', int(fitting))}",
    )


def _bytes(dtype: str) -> int:
    """Return how many bytes a value of a type takes: "int64", "float32"."""
    digits = "".join(letter for letter in dtype if letter.isdigit())
    return max(1, (int(digits) if digits else BITS.get(dtype, 8)) // 8)
