from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Replicas, Settings


@check("ENV004", Severity.WARNING, stage=Stage.ENVIRONMENT)
def data_parallel_by_accident(replicas: Replicas, settings: Settings) -> Iterator[Finding]:
    """
    One process sees several GPUs, and Trainer spreads each batch over them with `DataParallel`.

    It does so without a word wherever a training is started by plain `python` on a machine with
    several GPUs. A step then takes `per_device_train_batch_size` rows for each GPU, so that the
    rate and the number of steps fit no longer, and the copies of the model share one interpreter:
    it is slower than one process for each GPU, often slower than a single GPU.

    Fails:

        settings = {"per_device_train_batch_size": 8}
        environment = {"transformers": "5.23.0", "replicas": 4}

    Passes:

        settings = {"per_device_train_batch_size": 8}
        environment = {"transformers": "5.23.0", "replicas": 1}

    See also: <https://docs.pytorch.org/docs/stable/generated/torch.nn.DataParallel.html>.
    """
    if replicas.gpus < 2:
        return
    batch = settings.get("per_device_train_batch_size")
    rows = f": a step takes {batch * replicas.gpus} rows, not {batch}" if _whole(batch) else ""
    yield Finding(
        message=f"started by plain python, Trainer copies the model to {replicas.gpus} GPUs with "
        f"DataParallel{rows}",
        evidence={"gpus": replicas.gpus, "per_device_train_batch_size": batch},
        remedy=f"accelerate launch --num_processes {replicas.gpus} SCRIPT, or "
        "CUDA_VISIBLE_DEVICES=0 python SCRIPT",
        severity=None if replicas.sure else Severity.NOTE,
    )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
